"""What was promoted holds in later rounds: a goal that gives it up is warned of, and what came with it is tuned."""

from typing import Any

import pytest

from tasks.record import Finding, Value
from tasks.scope.goal import Incumbent
from tasks.scope.guards.promoted import adopted_technique_is_tuned, promotion_holds
from tests.scope.example_scopes import DROPOUT, SPACE, Tree, levels, scope

REGULARIZER: Tree = {"regularizer": {"choices": ["none", "dropout", "mixup"]}}
WIDTHS: Tree = {"width": [32, 64]}
PROMOTED: dict[str, Value] = {
    "learning_rate": 0.01,
    "one_minus_momentum": 0.1,
    "regularizer": "dropout",
    "dropout.rate": 0.2,
    "optimizer": "nesterov",
    "width": 64,
}


def incumbent(**changes: Any) -> Incumbent:
    """Generation 2: dropout was adopted."""
    return Incumbent.model_validate({"generation": 2, "point": PROMOTED, "source": "round r"} | changes)


def asked(fixed: Tree | None = None, scientific: Tree = WIDTHS, **more: Any) -> Any:
    """The scope of a later question, with the technique that was adopted in the space."""
    return scope(scientific, SPACE | REGULARIZER | DROPOUT, fixed=fixed, **{"incumbent": incumbent()} | more)


def of(found: list[Finding]) -> list[tuple[str, str | None]]:
    """Reason and hyperparameter of each warning."""
    return [(f.reason, f.where.parameter) for f in found if f.level == "warn"]


@pytest.mark.playbook("G9", case="fires")
def test_a_goal_that_fixes_a_promoted_value_elsewhere_is_warned_of_with_the_override_that_mends_it() -> None:
    found = promotion_holds(asked({"regularizer": {"value": "none", "reason": "no dropout here"}}))
    assert of(found) == [("fixed_elsewhere", "regularizer")]
    assert found[0].remedy == ("goal.fixed={regularizer:{value:null}}",)
    assert "dropout.rate" in found[0].evidence


@pytest.mark.playbook("G9", case="silent")
@pytest.mark.parametrize(
    "fixed",
    [
        None,
        {"regularizer": {"reason": "a question of its own"}},
        {"regularizer": {"value": "dropout", "reason": "a question of its own"}},
    ],
    ids=["tuned", "held", "the same value"],
)
def test_a_goal_that_holds_what_was_promoted_is_not_warned_of(fixed: Tree | None) -> None:
    assert levels(promotion_holds(asked(fixed))) == ["ok"]


def test_where_nothing_was_promoted_nothing_can_be_given_up() -> None:
    found = promotion_holds(asked(incumbent=incumbent(generation=0)))
    assert [f.reason for f in found] == ["nothing_promoted"]
    assert levels(found) == ["na"]


@pytest.mark.playbook("G9", case="fires")
def test_compared_values_without_the_promoted_one_are_warned_of() -> None:
    found = promotion_holds(asked(scientific={"regularizer": ["none", "mixup"]}))
    assert of(found) == [("left_out", "regularizer")]
    assert found[0].remedy == ('goal.scientific={regularizer:["none","mixup","dropout"]}',)
    assert levels(promotion_holds(asked(scientific={"regularizer": ["none", "dropout"]}))) == ["ok"]


@pytest.mark.playbook("G9", case="fires")
@pytest.mark.parametrize(
    ("space", "remedy"),
    [
        ({"learning_rate": {"low": 0.05, "high": 1.0, "scale": "log"}}, "space.learning_rate.low=0.01"),
        ({"learning_rate": {"low": 1e-5, "high": 1e-3, "scale": "log"}}, "space.learning_rate.high=0.01"),
        ({"width": {"values": [128, 256]}}, "space.width.values=[128,256,64]"),
    ],
)
def test_a_range_that_leaves_out_what_was_promoted_is_warned_of(space: Tree, remedy: str) -> None:
    found = promotion_holds(scope(None, SPACE | REGULARIZER | DROPOUT | space, incumbent=incumbent()))
    assert [f.reason for f in found] == ["outside_the_range"]
    assert found[0].remedy == (remedy,)


def test_a_range_of_one_other_value_is_warned_of() -> None:
    one = {"one_minus_momentum": {"low": 0.5, "high": 0.5}}
    found = promotion_holds(scope(None, SPACE | REGULARIZER | DROPOUT | one, incumbent=incumbent()))
    assert of(found) == [("fixed_elsewhere", "one_minus_momentum")]
    assert found[0].remedy == ("space.one_minus_momentum.low=0.1",)


@pytest.mark.playbook("G9", case="fires")
def test_other_arguments_and_another_length_than_the_promoting_round_had_are_warned_of() -> None:
    before: dict[str, Value | None] = {"workload.clip_norm": 1.0, "workload.depth": 3, "budget.max_train_steps": 500}
    now = asked(incumbent=incumbent(promoted_with=before), arguments={"clip_norm": None, "depth": 3})
    found = promotion_holds(now)
    assert [f.reason for f in found] == ["altered", "altered"]
    assert [f.remedy for f in found] == [("++workload.clip_norm=1.0",), ("++budget.max_train_steps=500",)]


@pytest.mark.playbook("G9", case="silent")
def test_the_arguments_and_the_length_of_the_promoting_round_are_not_warned_of() -> None:
    before: dict[str, Value | None] = {"workload.model.depth": 3, "budget.max_train_steps": 100}
    now = asked(incumbent=incumbent(promoted_with=before), arguments={"model": {"depth": 3}, "seed": 1})
    assert levels(promotion_holds(now)) == ["ok"]


@pytest.mark.playbook("K1", case="fires")
def test_an_adopted_technique_whose_strength_the_listed_nuisances_leave_out_is_warned_of() -> None:
    found = adopted_technique_is_tuned(asked({"regularizer": {"reason": "held"}}, nuisance=["learning_rate"]))
    assert of(found) == [("not_tuned", "dropout.rate")]
    assert found[0].remedy == ("goal.nuisance=[learning_rate,dropout.rate]",)


@pytest.mark.playbook("K1", case="silent")
def test_an_adopted_technique_brings_its_hyperparameters_as_nuisances() -> None:
    now = asked({"regularizer": {"reason": "a question of its own"}})
    assert now.roles.fixed["regularizer"].value == "dropout"
    assert "dropout.rate" in now.roles.nuisance
    assert levels(adopted_technique_is_tuned(now)) == ["ok"]


def test_a_strength_that_is_fixed_for_a_stated_reason_stays_fixed() -> None:
    fixed = {"regularizer": {"reason": "held"}, "dropout.rate": {"reason": "flat between 0.1 and 0.3 in round r"}}
    now = asked(fixed)
    assert now.roles.fixed["dropout.rate"].value == 0.2
    assert levels(adopted_technique_is_tuned(now)) == ["ok"]


def test_without_an_adopted_technique_nothing_is_asked_of_its_hyperparameters() -> None:
    plain = {n: v for n, v in PROMOTED.items() if n != "dropout.rate"} | {"regularizer": "none"}
    assert levels(adopted_technique_is_tuned(asked(incumbent=incumbent(point=plain)))) == ["na"]


def test_what_cannot_exist_in_the_round_has_no_role() -> None:
    """A strength that the goal fixes while its technique is off would be a caveat about nothing."""
    off = {n: v for n, v in PROMOTED.items() if n != "dropout.rate"} | {"regularizer": "none"}
    now = asked({"regularizer": {"reason": "held"}, "dropout.rate": {"value": 0.3, "reason": "usual"}},
                incumbent=incumbent(point=off))  # fmt: skip
    assert "dropout.rate" not in now.roles.fixed
