"""Who goes before the gate, at which point, and on which seeds."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from tasks.analyze.study.evidence import Evidence
from tasks.design.study import design
from tasks.promote.gate import gate
from tasks.promote.retrains import Arm, arms_of, incumbent_point, retrain_of, shared
from tasks.record import Point, Status, Value
from tasks.scope.goal import Budget, Goal, Incumbent, Objective, Workload
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope, scope_of
from tasks.scope.space import space_from_tree
from tasks.trials.trial import Curve, ended

SPACE: dict[str, Any] = {
    "learning_rate": {"low": 1e-3, "high": 1.0, "scale": "log"},
    "width": {"values": [8, 16, 32]},
    "dropout": {"rate": {"low": 0.0, "high": 0.8, "when": {"regularizer": "dropout"}}},
}
PLAIN = {name: SPACE[name] for name in ("learning_rate", "width")}
BASELINE: dict[str, Value] = {"learning_rate": 0.1, "width": 16, "batch_size": 64}
Loss = Callable[[Point], float | None]


def scope(
    scientific: Mapping[str, Any] | None = None,
    *,
    kind: str = "improve",
    incumbent: Mapping[str, Value] | None = None,
    generation: int = 0,
    direction: str = "minimize",
    seed: int = 0,
    space: Mapping[str, Any] | None = None,
    **goal: Any,
) -> Scope:
    """A round that asks whether dropout helps, unless said otherwise."""
    asked = {"regularizer": ("none", "dropout")} if scientific is None else scientific
    return scope_of(
        Goal.model_validate({"name": "g", "question": "?", "kind": kind, "scientific": asked, **goal}),
        space_from_tree(space or SPACE),
        Workload(
            name="w",
            target="t",
            objective=Objective.model_validate({"metric": "error", "direction": direction}),
            baseline=BASELINE,
        ),
        Budget(trials=12, retrains=8, max_train_steps=10, eval_every_steps=5),
        Policy.model_construct(joint_values=3),  # of all thresholds, the arms depend on this one alone
        Incumbent(generation=generation, point=dict(BASELINE if incumbent is None else incumbent), source="test"),
        sampler="halton",
        seed=seed,
        acknowledged={},
    )


def evidence(of: Scope, loss: Loss) -> Evidence:
    """The round with its trials run: None from `loss` is an infeasible trial."""
    round = design(of)
    trials = {}
    for planned in round.trials:
        value = loss(planned.point)
        curve = Curve(steps=np.array([5]), metrics={"error": np.array([np.nan if value is None else value])})
        status: Status = "infeasible" if value is None else "complete"
        trials[planned.id] = ended(planned, curve, of.objective, status, "diverged" if value is None else "")
    return Evidence(round=round, trials=trials)


def arms(of: Scope, loss: Loss) -> dict[str, Arm]:
    """The arms by name."""
    return {arm.name: arm for arm in arms_of(evidence(of, loss))}


def rate(point: Point) -> float:
    """A loss that is the learning rate."""
    return float(point["learning_rate"])


@pytest.mark.playbook("G3", case="silent")
def test_the_finalist_is_the_best_trial_with_the_change_and_the_baseline_the_best_without() -> None:
    of = scope()
    found = arms(of, rate)
    best = {
        value: min((t for t in design(of).trials if t.point["regularizer"] == value), key=lambda t: rate(t.point))
        for value in ("none", "dropout")
    }
    assert (found["finalist"].trial, found["baseline"].trial) == (best["dropout"].id, best["none"].id)
    assert (found["finalist"].value, found["baseline"].value) == ("dropout", "none")
    assert found["finalist"].point == best["dropout"].point


def test_where_higher_is_better_the_best_trial_is_the_highest() -> None:
    minimize, maximize = scope(), scope(direction="maximize")
    low, high = arms(minimize, rate)["finalist"], arms(maximize, rate)["finalist"]
    assert rate(low.point) < rate(high.point)
    assert arms(maximize, lambda p: -rate(p))["finalist"] == low


def test_values_that_share_a_joint_study_are_still_told_apart_by_value() -> None:
    of = scope({"width": (8, 16, 24, 32)}, space={**PLAIN, "width": {"values": [8, 16, 24, 32]}})
    assert of.joint
    found = arms(of, rate)
    assert found["baseline"].value == 8
    assert found["finalist"].value in (16, 24, 32)


def test_a_range_has_no_arm_without_the_change() -> None:
    found = arms(scope({"learning_rate": "range"}, space=PLAIN), rate)
    assert set(found) == {"finalist", "incumbent"}
    assert found["finalist"].value == rate(found["finalist"].point)


def test_understand_has_a_finalist_and_the_incumbent_only() -> None:
    found = arms(scope(kind="understand"), rate)
    assert set(found) == {"finalist", "incumbent"}


@pytest.mark.playbook("G3", case="fires")
def test_a_change_whose_baseline_arm_never_ran_is_not_put_before_the_gate() -> None:
    found = arms(scope(), lambda p: None if p["regularizer"] == "none" else rate(p))
    assert set(found) == {"incumbent"}


def test_a_baseline_goes_before_the_gate_although_no_trial_with_the_change_ran() -> None:
    found = arms(scope(), lambda p: None if p["regularizer"] == "dropout" else rate(p))
    assert set(found) == {"baseline", "incumbent"}
    decision = gate({n: [] for n in found}, minimum_gain=0, error_rate=0.05, budget=8)
    assert decision.needs == {"baseline": 3, "incumbent": 3}


# the incumbent


def test_the_incumbent_is_retrained_at_its_own_point_and_not_at_what_this_round_fixes() -> None:
    of = scope(fixed={"width": {"value": 32, "reason": "cost"}})
    found = arms(of, rate)
    assert found["incumbent"].point["width"] == 16
    assert found["finalist"].point["width"] == 32


def test_a_hyperparameter_that_is_new_to_the_incumbent_takes_the_value_without_the_change() -> None:
    of = scope(
        fixed={"momentum": {"value": 0.9, "reason": "cost"}}, space={**SPACE, "momentum": {"low": 0.0, "high": 1.0}}
    )
    assert incumbent_point(of) == {**BASELINE, "regularizer": "none", "momentum": 0.9}


def test_a_conditional_hyperparameter_without_its_parent_is_no_part_of_the_incumbent() -> None:
    of = scope(incumbent={**BASELINE, "regularizer": "none", "dropout.rate": 0.3})
    assert "dropout.rate" not in incumbent_point(of)
    kept = scope(incumbent={**BASELINE, "regularizer": "dropout", "dropout.rate": 0.3})
    assert incumbent_point(kept)["dropout.rate"] == 0.3


def test_an_arm_at_the_incumbents_point_shares_its_retrains() -> None:
    points = [{"regularizer": "none"}, {"regularizer": "dropout", "dropout.rate": 0.2}]
    of = scope(points=points)
    found = arms_of(evidence(of, lambda p: 0.1))
    assert shared(found) == {"baseline": "incumbent"}
    by_name = {arm.name: arm for arm in found}
    assert retrain_of(of, by_name["baseline"], 2) == retrain_of(of, by_name["incumbent"], 2)
    assert not shared(arms_of(evidence(scope(), rate)))


# seeds


@pytest.mark.playbook("G2", case="shows")
def test_retrains_are_fresh_and_paired_across_the_arms() -> None:
    of = scope()
    found = arms(of, rate)
    planned = [[retrain_of(of, arm, k) for k in range(16)] for arm in found.values()]
    seeds = [[p.seed for p in row] for row in planned]
    assert seeds[0] == seeds[1] == seeds[2]
    assert len(set(seeds[0])) == 16
    assert not {t.seed for t in design(of).trials} & set(seeds[0])
    assert len({p.id for row in planned for p in row}) == 48
    assert {p.purpose for row in planned for p in row} == {"retrain"}
    assert [row[0].study for row in planned] == ["retrain-finalist", "retrain-baseline", "retrain-incumbent"]


@pytest.mark.parametrize("change", [{"seed": 1}, {"generation": 1}])
def test_another_seed_or_generation_gives_other_retrains(change: dict[str, int]) -> None:
    plain, other = scope(), scope(**change)  # type: ignore[arg-type]
    arm = arms(plain, rate)["incumbent"]
    a, b = retrain_of(plain, arm, 0), retrain_of(other, arm, 0)
    assert a.seed != b.seed
    assert a.id != b.id
    assert a == retrain_of(scope(), arm, 0)
