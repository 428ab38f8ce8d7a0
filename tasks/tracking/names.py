"""What MLflow can hold of what the ledger holds: names, texts and numbers, and a note of whatever had to give way."""

import hashlib
import json
import math
import posixpath
import re
from collections.abc import Iterable, Mapping

NAME_LENGTH = 250  # MLflow's own limits; a parameter of more than 6,000 characters is cut by it with a warning
TEXT_LENGTH = 5000
_FOREIGN = re.compile(r"[^A-Za-z0-9_.\- :/]")


def fitting_names(names: Iterable[str]) -> dict[str, str]:
    """A name that MLflow takes for every name; two names never become one."""
    fitted: dict[str, str] = {}
    for name in names:
        short = _FOREIGN.sub("_", name)
        parts = [p for p in short.split("/") if p not in ("", ".", "..")]
        short = "/".join(parts) or "_"
        if short != name or len(name) > NAME_LENGTH or posixpath.normpath(name) != name:
            short = f"{short[: NAME_LENGTH - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        fitted[name] = short
    return fitted


def fitting_text(text: str) -> str:
    """The text, cut with dots where MLflow would refuse or cut it."""
    return text if len(text) <= TEXT_LENGTH else text[: TEXT_LENGTH - 4] + " ..."


def model_name(workload: str) -> str:
    """The workload's name as a registered model: MLflow refuses slashes and colons there."""
    return re.sub(r"[/:\s]", "-", fitting_text(workload))[:NAME_LENGTH] or "_"


def fitting_points(
    steps: Iterable[int], metrics: Mapping[str, Iterable[float]]
) -> tuple[list[tuple[str, float, int]], str]:
    """`[(metric, value, step)]` of all finite values, and a note of the infinite ones.

    NaN means "not reported". MLflow stores an infinity as 1.797e308, which would be a lie in a plot: it is left out
    and named in the note.
    """
    at = [int(s) for s in steps]
    points: list[tuple[str, float, int]] = []
    infinite: dict[str, list[int]] = {}
    for name, values in metrics.items():
        for step, value in zip(at, values, strict=True):
            if math.isfinite(value):
                points.append((name, float(value), step))
            elif not math.isnan(value):
                infinite.setdefault(f"{name} {'+' if value > 0 else '-'}inf", []).append(step)
    note = "; ".join(f"{what} at step {', '.join(map(str, where[:20]))}" for what, where in infinite.items())
    return points, note


def renamed(fitted: Mapping[str, str]) -> str:
    """The names that had to change, as JSON from MLflow's to ours; empty where none had to."""
    changed = {new: old for old, new in fitted.items() if new != old}
    return json.dumps(changed, sort_keys=True) if changed else ""
