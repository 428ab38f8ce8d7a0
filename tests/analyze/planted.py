"""Rounds on the synthetic landscape, designed and run as the flow does it, without processes or Prefect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml  # type: ignore[import-untyped]

from tasks.analyze.study.evidence import Evidence
from tasks.analyze.thresholds import policy_from_tree
from tasks.design.study import Planned, Round, design
from tasks.record import Finding, Value
from tasks.scope.goal import Budget, Goal, Objective, Workload
from tasks.scope.policy import Policy
from tasks.scope.roles import baseline_incumbent, scope_of
from tasks.scope.space import space_from_tree
from tasks.trials.running import Infeasible, RunningTrial
from tasks.trials.trial import Curve, Trial, ended
from tasks.trials.workloads.synthetic import synthetic

DEFAULT = Path(__file__).resolve().parents[2] / "conf" / "policy" / "default.yaml"
OBJECTIVE = Objective(metric="loss", direction="minimize")
NUISANCES: Mapping[str, Any] = {
    "one_minus_momentum": {"low": 1e-3, "high": 1.0, "scale": "log"},
    "label_smoothing": {"low": 0.0, "high": 0.4},
}


class Memory:
    """A sink that keeps the curve of one trial."""

    def __init__(self) -> None:
        self.reports: dict[int, Mapping[str, float]] = {}

    def reported(self, step: int, metrics: Mapping[str, float]) -> None:
        self.reports[step] = metrics

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        raise AssertionError("the landscape has nothing to save")

    def last(self) -> tuple[int, Any]:
        return 0, None


@cache
def _shipped() -> Mapping[str, Any]:
    return dict(yaml.safe_load(DEFAULT.read_text()))


def policy(**changed: Any) -> Policy:
    """The shipped thresholds, with some changed."""
    return policy_from_tree({**_shipped(), **changed})


def planned_round(
    tree: Mapping[str, Any],
    seed: int = 0,
    *,
    trials: int = 24,
    scientific: Mapping[str, Sequence[Value]] | None = None,
    points: Sequence[Mapping[str, Value]] = (),
    objective: Objective = OBJECTIVE,
    sampler: str = "halton",
    steps: int = 1,
    **thresholds: Any,
) -> Round:
    """A round over the space of that YAML tree."""
    space = space_from_tree(tree)
    workload = Workload(name="synthetic", target="synthetic", objective=objective)
    goal = Goal.model_validate(
        {
            "name": "synthetic",
            "question": "Which?",
            "kind": "improve",
            "scientific": {k: tuple(v) for k, v in (scientific or {}).items()},
            "points": tuple(dict(p) for p in points),
        }
    )
    scope = scope_of(
        goal,
        space,
        workload,
        Budget(trials=trials, retrains=5, max_train_steps=steps, eval_every_steps=1),
        policy(**thresholds),
        baseline_incumbent(workload, space),
        sampler=sampler,
        seed=seed,
        acknowledged={},
    )
    return design(scope)


def run(planned: Planned, objective: Objective = OBJECTIVE, steps: int = 1, **arguments: Any) -> Trial:
    """The trial of one point on the landscape."""
    sink = Memory()
    running = RunningTrial(
        point=planned.point,
        seed=planned.seed,
        max_train_steps=steps,
        eval_every_steps=1,
        objective=objective,
        sink=sink,
    )
    try:
        synthetic(running, **arguments)
    except Infeasible as reason:
        return ended(planned, Curve.from_reports(sink.reports), objective, "infeasible", str(reason))
    return ended(planned, Curve.from_reports(sink.reports), objective)


def evidence(round: Round, run_one: Callable[[Planned], Trial]) -> Evidence:
    """The round with every trial run."""
    return Evidence(round=round, trials={p.id: run_one(p) for p in round.trials})


def studied(round: Round, **arguments: Any) -> Evidence:
    """The round run on a landscape."""
    return evidence(round, lambda p: run(p, round.scope.objective, round.scope.budget.max_train_steps, **arguments))


def scored(round: Round, losses: Callable[[Mapping[str, Value], int], float]) -> Evidence:
    """The round with losses from a function of the point and the index; NaN is infeasible."""

    def one(planned: Planned) -> Trial:
        loss = losses(planned.point, planned.index)
        curve = Curve.from_reports({1: {round.scope.objective.metric: loss}})
        if np.isfinite(loss):
            return ended(planned, curve, round.scope.objective)
        return ended(planned, curve, round.scope.objective, "infeasible", "loss is nan at step 1")

    return evidence(round, one)


def failing(evidence_: Evidence, reasons: Mapping[int, str]) -> Evidence:
    """The same round with the trials at these indices failed."""
    trials = dict(evidence_.trials)
    for p in evidence_.round.trials:
        if p.index in reasons:
            trials[p.id] = replace(
                trials[p.id], status="failed", reason=reasons[p.index], best_value=None, best_step=None
            )
    return Evidence(round=evidence_.round, trials=trials)


def case(
    kind: str,
    seed: int,
    *,
    dimensions: int = 2,
    decades: float = 3.5,
    curvature: float = 4.0,
    trials: int = 24,
    outside: float = 0.5,
    inside: float | None = None,
    **arguments: Any,
) -> Evidence:
    """One study with a planted truth: `outside`, `inside`, or behind a `wall`, all of them drawn from the seed.

    The learning rate spans `decades`; the one or two nuisances have their optima well inside. `curvature`: retrain
    SDs that a decade off the best learning rate costs.
    """
    rng = np.random.default_rng([seed, dimensions])
    low = 1e-5
    high = low * 10.0**decades
    tree = {"learning_rate": {"low": low, "high": high, "scale": "log"}}
    tree |= dict(list(NUISANCES.items())[: dimensions - 1])
    share, arguments = _planted(kind, rng, decades, outside, inside, low, arguments)
    bowls: dict[str, Any] = {
        "learning_rate": {"optimum": low * 10.0 ** (share * decades), "curvature": curvature, "scale": "log"}
    }
    if dimensions > 1:
        centre, bend = rng.uniform(0.2, 0.8), rng.uniform(4.0, 16.0)
        bowls["one_minus_momentum"] = {"optimum": 10.0 ** (3 * centre - 3), "curvature": bend / 9, "scale": "log"}
    if dimensions > 2:
        centre, bend = rng.uniform(0.2, 0.8), rng.uniform(4.0, 16.0)
        bowls["label_smoothing"] = {"optimum": 0.4 * centre, "curvature": bend, "width": 0.4}
    return studied(planned_round(tree, seed, trials=trials), bowls=bowls, **arguments)


def _planted(
    kind: str,
    rng: np.random.Generator,
    decades: float,
    outside: float,
    inside: float | None,
    low: float,
    arguments: Mapping[str, Any],
) -> tuple[float, dict[str, Any]]:
    """`(optimum as a share of the range, arguments)` of a kind of truth."""
    if kind == "outside":
        away = outside / decades
        return (1 + away if rng.integers(2) else -away), dict(arguments)
    if kind == "inside":
        return (float(rng.uniform(0.2, 0.8)) if inside is None else inside), dict(arguments)
    if kind == "wall":
        wall = float(rng.uniform(0.45, 0.85))
        behind = rng.uniform(0.2, 0.8) / decades
    elif kind == "harmless wall":
        share = float(rng.uniform(0.2, 0.5))
        wall = share + 0.9 / decades + float(rng.uniform(0.0, 0.1))
        behind = share - wall
    else:
        raise ValueError(kind)
    at = low * 10.0 ** (wall * decades)
    return wall + float(behind), {**arguments, "wall": {"parameter": "learning_rate", "at": at}}


def rows(findings: Sequence[Finding], level: str = "fail") -> set[str]:
    """The rows that were found at a level."""
    return {f.row for f in findings if f.level == level}
