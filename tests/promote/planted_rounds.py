"""Whole rounds on the synthetic landscape, pure: designed, run in this process, analyzed, gated, concluded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tasks.analyze.analysis import Analysis, analyze
from tasks.analyze.study.evidence import Evidence
from tasks.design.study import design
from tasks.promote.conclude import Conclusion, answer_of, blockers_of, left_out, verdict_of
from tasks.promote.gate import gate
from tasks.promote.retrains import arms_of, retrain_of, shared
from tasks.record import Answer, Value, VerdictRow
from tasks.scope.goal import Budget, Goal, Incumbent, Objective, Workload
from tasks.scope.policy import Policy
from tasks.scope.roles import scope_of
from tasks.scope.space import space_from_tree
from tasks.trials.inline import run_inline
from tasks.trials.runner import Execution, Runner
from tasks.trials.trial import Trial

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

    answer: Answer
    verdict: VerdictRow
    winner: str | None
    retrains: int
    left_out: tuple[str, ...]


def concluded(seed: int, effect: float, *, trials: int = 24, retrains: int = 8) -> Concluded:
    """A round that asks whether dropout helps, where it changes the loss by `effect` retrain SDs.

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
    execution = Execution(workload=workload, budget=budget, runner=Runner(), own=None)
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
    evidence = Evidence(round=round, trials={p.id: run_inline(p, execution) for p in round.trials})
    analysis = analyze(evidence)
    return _gated(evidence, analysis, execution)


def _gated(evidence: Evidence, analysis: Analysis, execution: Execution) -> Concluded:
    scope, arms = evidence.round.scope, arms_of(evidence)
    blockers = blockers_of(scope, analysis)
    run: dict[Any, list[Trial]] = {arm.name: [] for arm in arms}
    decision = None
    while not blockers and (decision is None or decision.outcome == "continue"):
        for arm in arms:
            for _ in range(decision.needs.get(arm.name, 0) if decision else 0):
                run[arm.name].append(run_inline(retrain_of(scope, arm, len(run[arm.name])), execution))
        decision = gate(
            {name: [t.best_value for t in ended] for name, ended in run.items()},
            minimum_gain=scope.policy.minimum_gain,
            error_rate=scope.policy.error_rate,
            budget=scope.budget.retrains,
            kind=scope.goal.kind,
            shared=shared(arms),
        )
    retrains = {t.id: t for ended in run.values() for t in ended}
    conclusion = Conclusion(
        incumbent=scope.incumbent, arms=arms, decision=decision, retrains=retrains, blockers=blockers
    )
    answer = answer_of(scope, analysis, conclusion)
    return Concluded(
        answer=answer,
        verdict=verdict_of(scope, conclusion),
        winner=decision.winner if decision else None,
        retrains=len(retrains),
        left_out=left_out(scope, decision, answer),
    )
