"""An Optuna study as an imported study, read by Optuna itself."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from tasks.record import Status
from tasks.scope.error import InputError
from tasks.trials.imported.study import (
    UNKNOWN,
    ImportedStudy,
    ImportedTrial,
    chosen,
    directed,
    plain_value,
    status_and_reason,
)

_SHARE = 0.9  # of the trials whose value is among their intermediate ones: then those are the curve of the objective
_MARKS = {
    "tpe": "tpe",
    "gp": "gp",
    "cma": "cmaes",
    "NSGAIISampler": "nsga2",
    "NSGAIIISampler": "nsga3",
    "grid_id": "grid",
}


def optuna_study(
    address: str, name: str | None, metric: str | None, direction: str | None, parameters: Sequence[str] | None
) -> ImportedStudy:
    """The study `name` in the storage at `address` (sqlite:///path.db); the only one where there is one.

    A pruned trial is left out: it did not run to its end, so it is neither a bad configuration nor a good one.

    Raises:
        InputError: Optuna is not installed, there is no such storage or study, or it has several objectives.
    """
    try:
        import optuna
    except ImportError:
        raise InputError("source: Optuna is not installed here; pip install 'tunebook[optuna]' brings it.") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        names = optuna.get_all_study_names(address)
        study = optuna.load_study(study_name=chosen("study", name, sorted(names), address), storage=address)
        found = study.get_trials(deepcopy=False)
    except InputError:
        raise
    except Exception as error:  # SQLAlchemy's, a driver's, or its own: whatever is wrong with a database
        said = next(iter(str(error).splitlines()), "")[:200]
        raise InputError(f"source: {address} cannot be read as Optuna's: {type(error).__name__}: {said}") from None
    if len(study.directions) != 1:
        raise InputError(f"study: {study.study_name} has {len(study.directions)} objectives; one can be audited.")
    metric = metric or next(iter(study.metric_names or ()), "value")
    finished = [t for t in found if t.state.name in ("COMPLETE", "FAIL")]
    curves = _are_curves(finished)
    return ImportedStudy(
        name=study.study_name,
        metric=metric,
        direction=directed(direction, study.direction.name.lower()),
        trials=tuple(_trial(t, metric, curves, parameters) for t in finished),
        domains={
            name: domain
            for trial in found
            for name, d in trial.distributions.items()
            if (parameters is None or name in parameters) and (domain := _domain(d)) is not None
        },
        said=_said(found, curves),
        sampler=_sampler(found),
    )


def _sampler(trials: Sequence[Any]) -> str:
    """The sampler by the marks that it leaves on its trials; a random one, and some of TPE's, leave none."""
    marks = {mark.partition(":")[0] for t in trials for mark in t.system_attrs}
    return next((name for mark, name in _MARKS.items() if mark in marks), UNKNOWN)


def _trial(trial: Any, metric: str, curves: bool, parameters: Sequence[str] | None) -> ImportedTrial:
    point = {n: v for n, p in trial.params.items() if (v := plain_value(p)) is not None}
    steps = {int(step): float(v) for step, v in trial.intermediate_values.items()}
    if trial.value is not None and not curves:
        reports = {max(steps, default=1): {metric: float(trial.value)}}
    else:
        reports = {step: {metric: value} for step, value in steps.items()}
    if trial.value is not None and not reports:
        reports = {1: {metric: float(trial.value)}}
    seconds = trial.duration.total_seconds() if trial.duration else 0.0
    status, reason = _end(trial, steps if curves else {})
    return ImportedTrial(
        id=str(trial.number),
        point={n: v for n, v in point.items() if parameters is None or n in parameters},
        status=status,
        reason=reason,
        reports=reports,
        seconds=seconds,
        started=trial.datetime_start.timestamp() if trial.datetime_start else None,
    )


def _end(trial: Any, curve: Mapping[int, float]) -> tuple[Status, str]:
    """How it ended. Optuna fails a trial whose objective is not a number, and of no failure does it keep the reason."""
    step = next((s for s, v in sorted(curve.items()) if not math.isfinite(v)), None)
    if trial.state.name == "COMPLETE" and step is None:
        return status_and_reason(float(trial.value), None, "")
    return ("failed", "") if step is None else ("infeasible", f"the objective is {curve[step]} at step {step}")


def _are_curves(trials: Sequence[Any]) -> bool:
    """Whether the intermediate values are the objective's own, step by step."""
    with_both = [t for t in trials if t.intermediate_values and t.value is not None]
    own = [t for t in with_both if any(v == t.value for v in t.intermediate_values.values())]
    return bool(with_both) and len(own) >= _SHARE * len(with_both)


def _domain(distribution: Any) -> dict[str, Any] | None:
    """The distribution as a space's YAML would say it; None where a value of it is no plain one."""
    choices = getattr(distribution, "choices", None)
    if choices is not None:
        return {"choices": list(choices)} if all(isinstance(c, bool | int | float | str) for c in choices) else None
    kind = "int" if type(distribution).__name__.startswith("Int") else "float"
    low, high = float(distribution.low), float(distribution.high)
    with suppress(AttributeError):
        return {"low": low, "high": high, "type": kind, "scale": "log" if distribution.log else "linear"}
    return {"low": low, "high": high, "type": kind}


def _said(found: Sequence[Any], curves: bool) -> tuple[str, ...]:
    pruned = sum(t.state.name == "PRUNED" for t in found)
    open_ = sum(t.state.name in ("RUNNING", "WAITING") for t in found)
    said = []
    if pruned:
        said.append(f"{pruned} pruned trials are left out: they did not run to their end.")
    if open_:
        said.append(f"{open_} trials that had not ended are left out.")
    if not curves and any(t.intermediate_values for t in found):
        said.append("Intermediate values are not those of the objective and are left out.")
    return tuple(said)
