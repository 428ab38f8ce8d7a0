"""A trial as plain data and back: for the ledger, and for `curves.parquet`."""

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.design.study import Planned
from tasks.files import write_atomically
from tasks.scope.goal import Objective
from tasks.trials.trial import Curve, Trial, ended

LENGTH = ("max_train_steps", "eval_every_steps")


def result_of(trial: Trial) -> dict[str, Any]:
    """What the ledger keeps of a trial beside its curve; everything else derives from these."""
    return {
        "status": trial.status,
        "reason": trial.reason,
        "seconds": trial.seconds,
        "log": trial.log,
        "folder": trial.folder,
        "unread": list(trial.unread),
        "memory": trial.memory,
    }


def planned_from(plan: Mapping[str, Any], budget: Mapping[str, Any]) -> Planned:
    """A plan that was stored; older ones do not say how long the trial is, and had the budget's steps."""
    return Planned.model_validate({name: budget[name] for name in LENGTH if name not in plan} | dict(plan))


def trial_from(planned: Planned, result: Mapping[str, Any], curve: bytes, objective: Objective) -> Trial:
    """The trial that was stored; equal to the one that ended, to the last bit of its curve."""
    kept = {**result, "unread": tuple(result["unread"])}
    status, reason = kept.pop("status"), kept.pop("reason")
    return ended(planned, curve_from(curve), objective, status, reason, **kept)


def curve_bytes(curve: Curve) -> bytes:
    """The curve as compressed JSON; floats by `repr`, which round-trips, and null where a metric is missing."""
    columns = {
        name: [v if np.isfinite(v) else (None if np.isnan(v) else repr(v)) for v in values.tolist()]
        for name, values in sorted(curve.metrics.items())
    }
    return zlib.compress(json.dumps({"steps": curve.steps.tolist(), "metrics": columns}).encode())


def curve_from(data: bytes) -> Curve:
    """The curve that `curve_bytes` wrote."""
    tree = json.loads(zlib.decompress(data))
    metrics = {
        name: np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)
        for name, values in tree["metrics"].items()
    }
    return Curve(steps=np.array(tree["steps"], dtype=np.int64), metrics=metrics)


_KEYS = ("trial", "step")  # the columns that are no metric
_METRIC = "metric "  # before the name of a metric that is one of these


def write_curves(path: Path, trials: Sequence[Trial]) -> None:
    """All curves in one Parquet file: a row a trial and step, a column a metric.

    Playbook: F1
    """
    import pandas as pd  # type: ignore[import-untyped]  # here and below: a third of a second, when trials have ended

    frames = [
        pd.DataFrame(
            {"trial": t.id, "step": t.curve.steps, **{_column(n): v for n, v in sorted(t.curve.metrics.items())}}
        )
        for t in trials
    ]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"trial": [], "step": []})
    write_atomically(path, table.to_parquet(index=False))


def read_curves(path: Path) -> dict[str, Curve]:
    """The curves of `write_curves`, by trial id."""
    import pandas as pd

    table = pd.read_parquet(path)
    names = [c for c in table.columns if c not in _KEYS]
    return {
        str(trial): Curve(
            steps=rows["step"].to_numpy(np.int64),
            metrics={n.removeprefix(_METRIC): rows[n].to_numpy(np.float64) for n in names if rows[n].notna().any()},
        )
        for trial, rows in table.groupby("trial", sort=False)
    }


def _column(metric: str) -> str:
    return f"{_METRIC}{metric}" if metric in _KEYS else metric
