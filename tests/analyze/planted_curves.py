"""Rounds with planted curves: what each trial does is drawn by the test, everything around it is the real thing."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tasks.analyze.checks.curves.leaders import saturation
from tasks.analyze.study.curves import Shape
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.thresholds import policy_from_tree
from tasks.design.study import Planned, design
from tasks.record import Finding, Point
from tasks.scope.goal import Budget, Goal, Objective, Workload
from tasks.scope.policy import Policy
from tasks.scope.roles import baseline_incumbent, scope_of
from tasks.scope.space import space_from_tree
from tasks.trials.trial import Curve, Trial, ended

Floats = NDArray[np.float64]
Metrics = Mapping[str, Floats]
Rng = np.random.Generator
CONF = Path(__file__).resolve().parents[2] / "conf"
SPACE: dict[str, Any] = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
    "one_minus_momentum": {"low": 1e-3, "high": 1.0, "scale": "log"},
}


@cache
def _shipped() -> dict[str, Any]:
    return dict(yaml.safe_load((CONF / "policy" / "default.yaml").read_text()))


def shipped_policy(**changes: Any) -> Policy:
    """The thresholds that ship, so that what is calibrated here is what a person gets."""
    return policy_from_tree(_shipped() | changes)


def planted_round(
    outcome: Callable[[Point, int, np.random.Generator], Metrics | None],
    *,
    scientific: Mapping[str, Any] | None = None,
    space: Mapping[str, Any] | None = None,
    fixed: Mapping[str, Any] | None = None,
    nuisance: tuple[str, ...] | None = None,
    points: tuple[dict[str, Any], ...] = (),
    kind: str = "improve",
    trials: int = 12,
    evaluations: int = 20,
    seed: int = 0,
    metric: str = "valid_error",
    direction: str = "minimize",
    examples: int | None = None,
    chance: float | None = None,
    baseline: Mapping[str, Any] | None = None,
    acknowledged: Mapping[str, str] | None = None,
    **policy: Any,
) -> Evidence:
    """A designed round whose trials have the metrics that `outcome(point, index, rng)` gives; None is infeasible.

    Evaluations are 50 steps apart and evenly spaced; a shorter array is a trial that reported less.
    """
    declared = space_from_tree(SPACE if space is None else space)
    objective = Objective.model_validate(
        {"metric": metric, "direction": direction, "chance": chance, "examples": examples}
    )
    asked = {n: v[0] for n, v in (scientific or {}).items() if v != "range" and n not in declared}
    point = {**asked, **(baseline or {})}  # a hyperparameter is known by the space or the baseline
    workload = Workload(name="planted", target="planted.train", objective=objective, baseline=point)
    goal = Goal.model_validate(
        {
            "name": "planted",
            "question": "What was planted?",
            "kind": kind,
            "scientific": dict(scientific or {}),
            "nuisance": nuisance,
            "fixed": dict(fixed or {}),
            "points": points,
        }
    )
    budget = Budget(trials=trials, retrains=4, max_train_steps=50 * evaluations, eval_every_steps=50)
    scope = scope_of(
        goal,
        declared,
        workload,
        budget,
        shipped_policy(bootstraps=400, **policy),
        baseline_incumbent(workload, declared),
        sampler="halton",
        seed=seed,
        acknowledged=acknowledged or {},
    )
    round = design(scope)
    ran = {
        planned.id: planted_trial(planned, outcome(planned.point, i, np.random.default_rng([seed, i])), objective)
        for i, planned in enumerate(round.trials)
    }
    return Evidence(round=round, trials=ran)


def with_arguments(evidence: Evidence, **arguments: object) -> Evidence:
    """The same round of a workload with these arguments."""
    scope = evidence.round.scope.model_copy(update={"arguments": arguments})
    return Evidence(round=evidence.round.model_copy(update={"scope": scope}), trials=evidence.trials)


def planted_trial(planned: Planned, metrics: Metrics | None, objective: Objective) -> Trial:
    """The trial that has these metrics, an evaluation every 50 steps; None is infeasible."""
    if metrics is None:
        none = Curve(steps=np.empty(0, dtype=np.int64))
        return ended(planned, none, objective, "infeasible", "valid_error is nan")
    count = len(next(iter(metrics.values())))
    return ended(planned, Curve(steps=50 * np.arange(1, count + 1), metrics=metrics), objective)


def falling(
    rng: np.random.Generator,
    *,
    count: int = 20,
    level: float = 0.3,
    pace: float = 0.12,
    noise: float = 0.02,
    rise: float = 0.0,
    turn: float = 0.35,
) -> Floats:
    """(count,) float64: an exponential fall by 0.6 to `level` with time constant `pace`, and all that may go wrong.

    `pace` and `turn` are shares of training, `noise` (SD) and `rise` (from `turn` to the end, linear) shares of 0.6.
    """
    t = np.arange(1, count + 1) / count
    climb = rise * np.clip((t - turn) / (1.0 - turn), 0.0, None)
    curve: Floats = level + 0.6 * (np.exp(-t / pace) + climb + noise * rng.standard_normal(count))
    return curve


def distance(point: Point) -> float:
    """How far the learning rate is from 0.01, in decades, squared: the bowl that the nuisances span."""
    return float(np.log10(float(point["learning_rate"])) + 2.0) ** 2


def one(findings: list[Finding]) -> Finding:
    """The only finding."""
    assert len(findings) == 1
    return findings[0]


def levels(findings: list[Finding]) -> list[str]:
    """The levels, in order."""
    return [f.level for f in findings]


def compared_round(outcome: Callable[[Point, int, Rng], Metrics | None], **changes: object) -> Evidence:
    """Two optimizers, compared."""
    given = {"scientific": {"optimizer": ["nesterov", "adam"]}, "baseline": {"optimizer": "nesterov"}} | changes
    return planted_round(outcome, **given)  # type: ignore[arg-type]


def overfits_under(value: str) -> Callable[[Point, int, Rng], Metrics]:
    """Every trial of one optimizer overfits while its training loss falls on."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        rise = 0.25 if point["optimizer"] == value else 0.0
        level = 0.3 + 0.05 * distance(point)
        return {"valid_error": falling(rng, level=level, rise=rise), "train_loss": falling(rng, pace=0.3)}

    return outcome


def clean(point: Point, index: int, rng: Rng) -> Metrics:
    """No trial has any fault."""
    return {"valid_error": falling(rng, level=0.3 + 0.05 * distance(point)), "train_loss": falling(rng, pace=0.1)}


Plant = Callable[[Rng, int], Floats]
POLICY = shipped_policy()
ROUNDS = 80  # curves a family and length: an error rate of 5 % is then known to two points
CLEAN: dict[str, Plant] = {
    "falling": lambda rng, n: falling(rng, count=n),
    "fast": lambda rng, n: falling(rng, count=n, pace=0.05),
    "slow": lambda rng, n: falling(rng, count=n, pace=0.5),
}


def with_spike(rng: Rng, n: int) -> Floats:
    """A falling curve with one evaluation that went wrong late."""
    curve = falling(rng, count=n)
    curve[int(0.8 * n)] += 0.5
    return curve


def with_restart(rng: Rng, n: int) -> Floats:
    """A schedule that starts again half way: worse for a while, and on its way back at the end."""
    curve = falling(rng, count=n)
    curve[n // 2 :] += 0.25 * np.exp(-np.arange(n - n // 2) / (0.2 * n))
    return curve


def overfitted(rng: Rng, n: int) -> Floats:
    """A curve that turns at a third and loses a quarter of its descent until the end."""
    return falling(rng, count=n, rise=0.25)


def shapes(plant: Plant, count: int) -> list[Shape]:
    """The shapes of many curves of one family."""
    steps = 50 * np.arange(1, count + 1)
    return [Shape(steps=steps, losses=plant(np.random.default_rng(s), count), policy=POLICY) for s in range(ROUNDS)]


def saturation_seen(found: list[Shape]) -> list[bool]:
    """Of each three curves, as of the best three trials of a study, whether they are seen to have ended early."""
    threes = [saturation(found[i : i + 3]) for i in range(0, len(found) - 2, 3)]
    return [bool(s and s.shown) for s in threes]
