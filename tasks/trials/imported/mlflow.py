"""The runs of an MLflow experiment as an imported study."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasks.record import Value
from tasks.trials.imported.study import (
    ImportedStudy,
    ImportedTrial,
    all_failed,
    chosen,
    directed,
    status_and_reason,
    telling_value,
)

_LEFT = ("RUNNING", "SCHEDULED", "KILLED")  # MLflow's word for a program that was interrupted is KILLED
_BESIDE = re.compile(r"train|loss", re.IGNORECASE)  # metrics of which the checks have something to say
_LARGEST = 1.79e308  # MLflow keeps an infinity as the largest float


def runs_study(
    name: str,
    runs: Sequence[Mapping[str, Any]],
    curve: Callable[[str, str], Mapping[int, float]],
    metric: str | None,
    direction: str | None,
    parameters: Sequence[str] | None,
) -> ImportedStudy:
    """The study of an experiment's runs; `curve(run, metric)` reads one's values by step.

    Runs without the metric that did not fail, such as the parent of nested ones, and runs that go on or were
    interrupted are left out.

    Raises:
        InputError: every run failed, the metric is not there, or nothing says which way is better.
    """
    known = sorted({m for run in runs for m in run["metrics"]})
    ended = [run["status"] for run in runs if run["status"] not in _LEFT]
    if ended and metric not in known and {*ended} == {"FAILED"}:
        raise all_failed(name, len(ended))
    metric = chosen("objective.metric", metric, known, f"experiment {name}")
    wanted = [r for r in runs if r["status"] not in _LEFT and (metric in r["metrics"] or r["status"] == "FAILED")]
    trials = tuple(_trial(run, curve, metric, parameters) for run in wanted)
    said = (f"{len(runs) - len(wanted)} runs without {metric}, or that did not come to their end, are left out.",)
    return ImportedStudy(
        name=name,
        metric=metric,
        direction=directed(direction),
        trials=trials,
        said=said if len(wanted) < len(runs) else (),
    )


def _trial(
    run: Mapping[str, Any],
    curve: Callable[[str, str], Mapping[int, float]],
    metric: str,
    parameters: Sequence[str] | None,
) -> ImportedTrial:
    reports: dict[int, dict[str, float]] = {}
    for name in (n for n in run["metrics"] if n == metric or _BESIDE.search(n)):
        for step, value in curve(run["id"], name).items():
            reports.setdefault(step, {})[name] = _finite(value)
    status, reason = status_and_reason(
        telling_value(reports, metric), "failed" if run["status"] == "FAILED" else None, ""
    )
    given = {n: v for n, v in run["parameters"].items() if parameters is None or n in parameters}
    return ImportedTrial(
        id=run["id"][:12],
        point={n: read(v) for n, v in given.items()},
        status=status,
        reason=reason,
        reports=reports,
        seconds=run["seconds"],
        started=run["started"],
    )


def _finite(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= _LARGEST else value


def read(text: str) -> Value:
    """The value that a text stands for: MLflow keeps every parameter as one."""
    if text in ("True", "False", "true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return text
