"""Scopes for tests, written as their YAML would be."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from tasks.record import Finding, Value
from tasks.scope.goal import Budget, Goal, Incumbent, Objective, Workload
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope, baseline_incumbent, scope_of
from tasks.scope.space import space_from_tree

ROOT = Path(__file__).resolve().parent.parent.parent
Tree = dict[str, Any]

RATE: Tree = {"low": 1e-4, "high": 1e-1, "scale": "log"}
MOMENTUM: Tree = {"low": 1e-3, "high": 1.0, "scale": "log"}
SPACE: Tree = {"learning_rate": RATE, "one_minus_momentum": MOMENTUM}
BASELINE: dict[str, Value] = {"optimizer": "nesterov", "width": 64, "regularizer": "none"}
REGULARIZERS: Tree = {"regularizer": ["none", "dropout"]}
DROPOUT: Tree = {"dropout": {"rate": {"low": 0.0, "high": 0.8, "when": {"regularizer": "dropout"}}}}
OPTIMIZERS: Tree = {"optimizer": ["nesterov", "adam"]}
OWN_RATES: Tree = {
    "nesterov": {
        "learning_rate": RATE | {"when": {"optimizer": "nesterov"}},
        "one_minus_momentum": MOMENTUM | {"when": {"optimizer": "nesterov"}},
    },
    "adam": {
        "learning_rate": {"low": 1e-5, "high": 1e-2, "scale": "log", "when": {"optimizer": "adam"}},
        "one_minus_beta1": {"low": 1e-3, "high": 1.0, "scale": "log", "when": {"optimizer": "adam"}},
        "one_minus_beta2": {"low": 1e-4, "high": 1e-1, "scale": "log", "when": {"optimizer": "adam"}},
        "epsilon": {"low": 1e-10, "high": 1e-3, "scale": "log", "when": {"optimizer": "adam"}},
    },
}
BETA2_AND_EPSILON: Tree = {
    "adam.one_minus_beta2": {"value": 0.001, "reason": "the usual value at this budget"},
    "adam.epsilon": {"value": 1e-8, "reason": "the usual value at this budget"},
}


def policy(**changed: float) -> Policy:
    """The shipped policy, with some thresholds changed."""
    return Policy.model_validate({**_shipped(), **changed})


@cache
def _shipped() -> Tree:
    tree = OmegaConf.to_container(OmegaConf.load(ROOT / "conf" / "policy" / "default.yaml"))
    assert isinstance(tree, dict)
    return {str(name): value for name, value in tree.items()}


def scope(
    scientific: Mapping[str, Any] | None = None,
    space: Mapping[str, Any] = SPACE,
    *,
    kind: str = "improve",
    nuisance: Iterable[str] | None = None,
    fixed: Mapping[str, Any] | None = None,
    points: Iterable[Mapping[str, Value]] = (),
    baseline: Mapping[str, Value] = BASELINE,
    trials: int = 24,
    eval_every_steps: int = 10,
    sampler: str = "halton",
    seed: int = 0,
    incumbent: Incumbent | None = None,
    target: str = "tests.toy",
    arguments: Mapping[str, Any] | None = None,
    names: Mapping[str, Any] | None = None,
) -> Scope:
    """The scope of a goal; by default a clean one: does dropout help, with a rate and a momentum as nuisances?"""
    goal = Goal.model_validate(
        {
            "name": "example",
            "question": "Does it help?",
            "kind": kind,
            "scientific": REGULARIZERS if scientific is None else scientific,
            "nuisance": nuisance if nuisance is None else tuple(nuisance),
            "fixed": fixed or {},
            "points": tuple(points),
        }
    )
    declared = space_from_tree(space)
    asked = {n: v[0] for n, v in goal.scientific.items() if v != "range" and n not in declared}
    workload = Workload(
        name="toy",
        target=target,
        arguments=dict(arguments or {}),
        names=dict(names or {}),
        objective=Objective(metric="valid_error", direction="minimize"),
        baseline={**asked, **baseline},  # a hyperparameter is known by the space or the baseline
    )
    return scope_of(
        goal,
        declared,
        workload,
        Budget(trials=trials, retrains=5, max_train_steps=100, eval_every_steps=eval_every_steps),
        policy(),
        incumbent or baseline_incumbent(workload, declared),
        sampler=sampler,
        seed=seed,
        acknowledged={},
    )


def levels(findings: Iterable[Finding]) -> list[str]:
    """The level of each finding."""
    return [f.level for f in findings]
