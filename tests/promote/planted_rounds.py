"""Whole rounds on the synthetic landscape, pure: designed, run in this process, analyzed, gated, concluded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tasks.analyze.analysis import analyze
from tasks.analyze.answers.improve import best_change
from tasks.analyze.study.evidence import Evidence
from tasks.answers import Compared
from tasks.design.study import design
from tasks.promote.conclude import answer_of, left_out, verdict_of
from tasks.promote.promotion import Promotion
from tasks.promote.race import promote_config
from tasks.record import Value
from tasks.scope.goal import Budget, Goal, Incumbent, Objective, Workload
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope, scope_of
from tasks.scope.space import space_from_tree
from tasks.trials.inline import run_inline
from tasks.trials.settings import Execution, RunnerSettings
from tasks.trials.trial import Trial
from tasks.verdict import GateRow, VerdictRow
from tests.typed import compared

POLICY = Path(__file__).resolve().parents[2] / "conf" / "policy" / "default.yaml"
NOISE = 0.01
SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
    "one_minus_momentum": {"low": 1e-3, "high": 1.0, "scale": "log"},
    "regularizer": {"choices": ["none", "dropout"]},
}
BOWLS = {  # the optimum lies well inside; a decade off costs four retrain SDs
    "learning_rate": {"optimum": 3e-3, "curvature": 4.0, "scale": "log"},
    "one_minus_momentum": {"optimum": 0.05, "curvature": 4.0, "scale": "log"},
}


@dataclass(frozen=True, kw_only=True)
class Concluded:
    """What a round said."""

    answer: Compared
    verdict: VerdictRow
    gate: GateRow | None
    winner: str | None
    retrains: int
    left_out: tuple[str, ...]


class Alone:
    """The incumbents of a round beside which no other runs: nothing is kept, nothing moves, every swap is taken."""

    def __init__(self) -> None:
        self.swaps: list[Promotion] = []

    def earlier_retrains(self) -> list[Trial]:
        """None."""
        return []

    def moves(self) -> list[Incumbent]:
        """None."""
        return []

    def is_ours(self, scope: Scope) -> bool:
        """Nothing was promoted before."""
        return False

    def swap(self, scope: Scope, promotion: Promotion) -> bool:
        """Taken, and noted."""
        self.swaps.append(promotion)
        return True

    def newest(self) -> Incumbent:
        """Never asked: no swap is refused."""
        raise AssertionError("nothing moved")


def searched(seed: int, effect: float, *, trials: int = 24, retrains: int = 8) -> tuple[Evidence, Execution]:
    """A round that asks whether dropout helps, where it changes the loss by `effect` retrain SDs; its search is done.

    The incumbent is the planted optimum without dropout: with no effect, whatever is promoted is a mistake.
    """
    effects: Mapping[str, Any] = {"regularizer": {"dropout": effect}}
    workload = Workload(
        name="planted",
        target="tasks.trials.workloads.synthetic.synthetic",
        arguments={"bowls": BOWLS, "effects": effects, "noise": NOISE},
        objective=Objective(metric="loss", direction="minimize"),
    )
    budget = Budget(trials=trials, retrains=retrains, max_train_steps=1, eval_every_steps=1)
    execution = Execution(workload=workload, runner=RunnerSettings(), own=None)
    optimum: dict[str, Value] = {"learning_rate": 3e-3, "one_minus_momentum": 0.05, "regularizer": "none"}
    goal = {
        "name": "dropout",
        "question": "Does dropout help?",
        "kind": "improve",
        "scientific": {"regularizer": ("none", "dropout")},
    }
    scope = scope_of(
        Goal.model_validate(goal),
        space_from_tree(SPACE),
        workload,
        budget,
        Policy.model_validate(yaml.safe_load(POLICY.read_text())),
        Incumbent(generation=1, point=optimum, source="planted"),
        sampler="halton",
        seed=seed,
        acknowledged={},
    )
    round = design(scope)
    return Evidence(round=round, trials={p.id: run_inline(p, execution) for p in round.trials}), execution


def concluded(seed: int, effect: float) -> Concluded:
    """The same round to its end."""
    evidence, execution = searched(seed, effect)
    scope, analysis = evidence.round.scope, analyze(evidence, best_change)
    conclusion = promote_config(
        evidence,
        analysis,
        lambda planned: {p.id: run_inline(p, execution) for p in planned},
        Alone(),
        lambda promotion: "",
    )
    answer = answer_of(scope, analysis, conclusion)
    return Concluded(
        answer=compared(answer),
        verdict=verdict_of(scope, conclusion),
        gate=conclusion.gate,
        winner=conclusion.decision.winner if conclusion.decision else None,
        retrains=len(conclusion.retrains),
        left_out=left_out(scope, conclusion.decision, answer),
    )
