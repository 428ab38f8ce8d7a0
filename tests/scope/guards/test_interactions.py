"""What moves with the compared hyperparameter is tuned beside it, not fixed."""

import pytest

from tasks.record import Finding
from tasks.scope.guards.budget import few_enough_nuisances
from tasks.scope.guards.interactions import interacting_stay_tuned
from tests.scope.example_scopes import DROPOUT, SPACE, Tree, levels, scope

DECAY: Tree = {"weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
STATED: Tree = {"weight_decay": {"value": 1e-4, "reason": "flat from 1e-6 to 1e-3 at both widths in round width-3"}}
SHORT: Tree = {"weight_decay": {"value": 1e-4, "reason": "because"}}


def asked(scientific: Tree, fixed: Tree) -> list[Finding]:
    """What the guard says of a question with weight decay and dropout in the space."""
    return interacting_stay_tuned(scope(scientific, SPACE | DECAY | DROPOUT, fixed=fixed))


@pytest.mark.playbook("C5", case="fires")
@pytest.mark.parametrize("scientific", [{"width": [32, 64]}, {"width": [16, 32, 64]}])
def test_a_fixed_weight_decay_is_warned_of_where_the_model_size_is_compared(scientific: Tree) -> None:
    found = asked(scientific, SHORT)
    assert [(f.level, f.where.parameter) for f in found] == [("warn", "weight_decay")]
    assert found[0].remedy == ("~goal.fixed.weight_decay",)


@pytest.mark.playbook("C5", case="fires")
def test_a_fixed_strength_of_dropout_is_warned_of_where_the_model_size_is_compared() -> None:
    fixed = {"regularizer": {"value": "dropout", "reason": "on"}, "dropout.rate": {"value": 0.3, "reason": "usual"}}
    assert [f.where.parameter for f in asked({"width": [32, 64]}, fixed)] == ["dropout.rate"]


@pytest.mark.playbook("C5", case="silent")
@pytest.mark.parametrize("fixed", [{}, STATED, {"weight_decay": {"value": 0, "reason": "off"}}])
def test_what_is_tuned_stated_or_off_is_not_warned_of(fixed: Tree) -> None:
    assert levels(asked({"width": [32, 64]}, fixed)) == ["ok"]


def test_a_question_with_no_known_interaction_is_not_checked() -> None:
    assert levels(asked({"optimizer": ["nesterov", "adam"]}, SHORT)) == ["na"]


def test_an_architecture_that_is_no_size_has_no_known_interaction() -> None:
    space = {"activation": {"choices": ["relu", "gelu"]}}
    found = interacting_stay_tuned(scope({"activation": ["relu", "gelu"]}, SPACE | DECAY | space, fixed=SHORT))
    assert levels(found) == ["na"]


def test_few_trials_do_not_ask_to_fix_what_moves_with_the_compared_size() -> None:
    """Else one guard would ask for what another warns of."""
    crowded = scope({"width": [32, 64]}, DECAY | SPACE, trials=10)
    (few,) = few_enough_nuisances(crowded)
    assert (few.level, few.remedy) == ("warn", ("goal.nuisance=[weight_decay,learning_rate]",))
