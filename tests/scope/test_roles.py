"""Every hyperparameter has exactly one role, and a goal that cannot be meant is refused with one sentence."""

import pytest
from pydantic import ValidationError

from tasks.scope.error import InputError
from tasks.scope.goal import Budget, Goal
from tasks.scope.roles import Scope
from tests.scope.example_scopes import BASELINE, DROPOUT, OPTIMIZERS, OWN_RATES, RATE, REGULARIZERS, SPACE, scope

WIDTH = {"width": {"values": [64, 128, 256]}}
LAYERS = {"layers": {"low": 1, "high": 6, "type": "int"}}
ACTIVATION = {"activation": {"choices": ["relu", "gelu"]}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nuisance": ["learning_rat"]}, "goal.example.nuisance: 'learning_rat' is no hyperparameter"),
        ({"nuisance": ["width"]}, "goal.example.nuisance: 'width' has no range in the space"),
        ({"fixed": {"widht": {"reason": "a slip of the pen"}}}, "goal.example.fixed: 'widht' is no hyperparameter"),
        ({"scientific": {"weight_decay": "range"}}, "goal.example.scientific: 'weight_decay' is no hyperparameter"),
        (
            {"scientific": {"width": "range"}, "space": WIDTH},
            "goal.example.scientific.width: range needs a parameter with",
        ),
        (
            {"scientific": {"width": [64, 65]}, "space": WIDTH},
            "goal.example.scientific.width: 65 lies outside the space",
        ),
        ({"scientific": {"layers": [1, 2.5]}, "space": LAYERS}, "goal.example.scientific.layers: 2.5 lies outside"),
        ({"scientific": {"width": []}}, "goal.scientific.width: no values to compare"),
        ({"scientific": {"width": [64, 64]}}, "goal.scientific.width: a value stands twice"),
        ({"scientific": {"width": [64, 64.0]}}, "goal.scientific.width: a value stands twice"),
        ({"nuisance": ["regularizer"]}, "'regularizer' stands in two roles (C1)"),
        ({"fixed": {"regularizer": {"reason": "stands twice"}}}, "'regularizer' stands in two roles"),
        ({"nuisance": ["learning_rate", "learning_rate"]}, "'learning_rate' stands in two roles"),
        (
            {"nuisance": ["learning_rate"], "fixed": {"learning_rate": {"reason": "stands twice"}}},
            "stands in two roles",
        ),
        (
            {"space": SPACE | DROPOUT, "fixed": {"dropout.rate": {"value": "big", "reason": "a slip"}}},
            "goal.example.fixed.dropout.rate: 'big' will not do",
        ),
        (
            {"space": ACTIVATION, "fixed": {"activation": {"value": "tanh", "reason": "a slip"}}},
            "goal.example.fixed.activation: 'tanh' will not do",
        ),
        ({"scientific": {}, "points": [{"widht": 1}]}, "goal.example.points[0]: 'widht' is no hyperparameter"),
        (
            {"scientific": {}, "space": ACTIVATION, "points": [{"width": 1}, {"activation": "tanh"}]},
            "goal.example.points[1].activation: 'tanh' will not do",
        ),
        (
            {"scientific": {}, "points": [{"learning_rate": "big"}]},
            "goal.example.points[0].learning_rate: 'big' will not do",
        ),
    ],
)
@pytest.mark.prose
def test_a_goal_that_cannot_be_meant_is_refused_with_one_sentence(given: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as refused:
        scope(**given)  # type: ignore[arg-type]
    assert said in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.playbook("C2", case="fires")
@pytest.mark.parametrize("wish", [{"value": 64}, {"value": 64, "reason": ""}])
def test_fixing_without_a_reason_is_refused(wish: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="reason"):
        scope(fixed={"width": wish})


@pytest.mark.playbook("C2", case="silent")
def test_fixing_for_a_reason_is_accepted_and_what_is_not_mentioned_is_nuisance() -> None:
    one = scope(space=SPACE | WIDTH, fixed={"width": {"value": 128, "reason": "insensitive so far"}})
    assert one.roles.fixed["width"].value == 128
    assert one.roles.nuisance == ("learning_rate", "one_minus_momentum")


@pytest.mark.playbook("C1", case="fires")
def test_one_hyperparameter_in_two_roles_is_no_scope() -> None:
    good = scope()
    two = good.roles.model_copy(update={"nuisance": (*good.roles.nuisance, "regularizer")})
    with pytest.raises(InputError, match=r"two roles \(C1\)"):
        Scope.model_validate(dict(good) | {"roles": two})


@pytest.mark.playbook("C1", case="silent")
@pytest.mark.parametrize(
    "one",
    [
        scope(),
        scope(space=SPACE | DROPOUT | WIDTH | ACTIVATION),
        scope(OPTIMIZERS, OWN_RATES),
        scope(nuisance=["learning_rate"]),
        scope({"learning_rate": "range"}, kind="understand"),
    ],
)
def test_every_hyperparameter_that_can_exist_has_exactly_one_role(one: Scope) -> None:
    roles = [*one.roles.scientific, *one.roles.nuisance, *one.roles.fixed]
    assert len(set(roles)) == len(roles)
    assert set(roles) == {*one.declared.names, *one.incumbent.point, *one.goal.scientific}


@pytest.mark.playbook("C3", case="shows")
@pytest.mark.prose
def test_each_fixed_hyperparameter_is_a_caveat_with_its_value_and_reason() -> None:
    one = scope(fixed={"width": {"value": 128, "reason": "insensitive so far"}})
    assert "Holds for width = 128 only (insensitive so far)." in one.caveats
    assert len(one.caveats) == len(one.roles.fixed) == 2


def test_what_neither_space_nor_goal_mentions_is_fixed_at_the_incumbents_value() -> None:
    assert scope().roles.fixed["width"].value == BASELINE["width"]


def test_a_listed_nuisance_leaves_the_others_fixed() -> None:
    one = scope(nuisance=["learning_rate"])
    assert one.roles.nuisance == ("learning_rate",)
    assert one.space.names == ("learning_rate",)
    assert one.roles.fixed["one_minus_momentum"].value == pytest.approx(10**-1.5)


def test_a_range_of_one_value_is_fixed_with_a_note() -> None:
    one = scope(space=SPACE | {"epsilon": {"low": 1e-8, "high": 1e-8}})
    assert one.roles.fixed["epsilon"].value == 1e-8
    assert "one value" in one.roles.fixed["epsilon"].reason


@pytest.mark.playbook("C10", case="shows")
def test_a_child_of_a_value_that_the_round_never_takes_has_no_role() -> None:
    space = SPACE | DROPOUT | {"deeper": {"low": 0.0, "high": 1.0, "when": {"dropout.rate": 0.5}}}
    off = scope(OPTIMIZERS, space, fixed={"regularizer": {"value": "none", "reason": "not in question"}})
    assert off.roles.nuisance == ("learning_rate", "one_minus_momentum")
    assert scope(REGULARIZERS, space).roles.nuisance[-2:] == ("dropout.rate", "deeper")


@pytest.mark.prose
def test_a_parent_that_nobody_knows_is_a_misspelt_name() -> None:
    with pytest.raises(InputError, match=r"space\.dropout\.rate\.when: 'regularizer' is no hyperparameter"):
        scope(OPTIMIZERS, SPACE | DROPOUT, baseline={"optimizer": "nesterov"})


def test_parents_stand_before_their_children_also_where_the_child_is_scientific() -> None:
    space = {"mode": {"choices": ["a", "b"]}, "tilt": {"low": 0.0, "high": 1.0, "when": {"mode": "a"}}}
    assert scope({"tilt": "range"}, space, kind="understand").space.names == ("mode", "tilt")


def test_arms_are_all_combinations_with_the_baseline_first() -> None:
    one = scope({"regularizer": ["none", "dropout"], "width": [64, 128]})
    assert one.arms[0] == {"regularizer": "none", "width": 64}
    assert len(one.arms) == 4
    assert not one.joint


@pytest.mark.playbook("D3", case="shows")
def test_more_values_than_the_policy_allows_share_one_joint_study() -> None:
    assert not scope({"width": [1, 2, 3, 4, 5, 6]}).joint
    many = scope({"width": [1, 2, 3, 4, 5, 6, 7]})
    assert many.joint
    assert many.arms == ({},)
    assert many.space["width"].values == (1, 2, 3, 4, 5, 6, 7)


@pytest.mark.prose
def test_the_baseline_fills_what_it_leaves_out_with_middles_and_says_so() -> None:
    one = scope(space={"learning_rate": RATE} | ACTIVATION, baseline={"width": 64})
    assert one.incumbent.generation == 0
    assert one.incumbent.point == pytest.approx(
        {"width": 64, "learning_rate": 10**-2.5, "activation": "relu", "regularizer": "none"}
    )
    assert one.incumbent.source.endswith("the middle of its range stands in for learning_rate, activation")


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"trials": 0}, "budget.trials: 0 buys nothing"),
        ({"retrains": -1}, "budget.retrains: -1 buys nothing"),
        ({"max_train_steps": 0}, "budget.max_train_steps: 0 buys nothing"),
        ({"eval_every_steps": 200}, "budget.eval_every_steps: 200 is more than budget.max_train_steps = 100"),
    ],
)
@pytest.mark.prose
def test_a_budget_that_buys_nothing_is_refused(budget: dict[str, int], said: str) -> None:
    whole = {"trials": 8, "retrains": 5, "max_train_steps": 100, "eval_every_steps": 10}
    assert Budget(**whole).evaluations == 10
    with pytest.raises(InputError, match=said):
        Budget(**whole | budget)


def test_a_misspelt_key_of_a_goal_is_no_goal() -> None:
    with pytest.raises(ValidationError, match="scientifc"):
        Goal.model_validate({"name": "x", "question": "?", "kind": "improve", "scientifc": REGULARIZERS})
