"""Names, texts and numbers fitted to what MLflow can hold."""

import hashlib
import json
import math
import posixpath
import re
from collections.abc import Iterable, Mapping

NAME_LENGTH = 250  # MLflow's own limits; a parameter of more than 6,000 characters is cut by it with a warning
TEXT_LENGTH = 5000
_FOREIGN = re.compile(r"[^A-Za-z0-9_.\- :/]")
_UNWRITABLE = re.compile(r"[\0\ud800-\udfff]")  # no database takes these


def fitting_names(names: Iterable[str]) -> dict[str, str]:
    """A name that MLflow takes for every name; two names never become one, not even where one was made to."""
    listed = list(dict.fromkeys(names))
    fitted = {name: name for name in listed if _short(name) == name}
    taken = set(fitted)
    for name in listed:
        if name not in fitted:
            digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
            marked = (f"{_short(name)[: NAME_LENGTH - 1 - n]}-{digest[:n]}" for n in range(8, 65, 8))
            fitted[name] = next(m for m in marked if m not in taken)
            taken.add(fitted[name])
    return {name: fitted[name] for name in listed}


def _short(name: str) -> str:
    """The name without what MLflow refuses; as a path it leads nowhere else."""
    parts = _FOREIGN.sub("_", name)[:NAME_LENGTH].split("/")
    path = posixpath.normpath("/".join(p for p in parts if p not in ("", ".", "..")) or "_")
    return f"_{path}" if path.startswith("..") else path


def fitting_text(text: str) -> str:
    """The text, escaped where no database would take it, and cut with dots where MLflow would refuse or cut it."""
    text = _UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text if len(text) <= TEXT_LENGTH else text[: TEXT_LENGTH - 4] + " ..."


def model_name(workload: str) -> str:
    """The workload's name as a registered model: MLflow refuses slashes and colons there, a query for it quotes."""
    return re.sub(r"[/:\s'\"]", "-", fitting_text(workload))[:NAME_LENGTH] or "_"


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


def gave_way(names: Mapping[str, str], params: Mapping[str, str]) -> dict[str, str]:
    """Tags that say what had to give way; none where nothing had to.

    `names`: MLflow's by ours. `tunebook.renamed` has those that changed as JSON, from MLflow's to ours, and goes on in
    `tunebook.renamed 2` where it is long; `tunebook.cut` names the parameters whose value is not there as it is.
    """
    changed = {new: old for old, new in names.items() if new != old}
    whole = json.dumps(changed, sort_keys=True) if changed else ""
    parts = [whole[i : i + TEXT_LENGTH] for i in range(0, len(whole), TEXT_LENGTH)]
    tags = {"tunebook.renamed" + (f" {i + 1}" if i else ""): part for i, part in enumerate(parts)}
    cut = ", ".join(names[name] for name, text in params.items() if fitting_text(text) != text)
    return tags | ({"tunebook.cut": fitting_text(cut)} if cut else {})
