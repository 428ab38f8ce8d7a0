"""A momentum of a plain SGD or RMSprop that the user's own program may hide is not passed over."""

import pytest

from tasks.record import Finding
from tasks.scope.guards.question import every_optimizer_hyperparameter
from tests.scope.example_scopes import SPACE, Tree, scope

RMSPROP: Tree = {"optimizer": "RMSprop", "alpha": 0.99, "eps": 1e-8}


def asked(**told: object) -> Finding:
    """What A3 says of a round that tunes a learning rate, of a plain SGD unless told otherwise."""
    whole: Tree = {"space": {"learning_rate": SPACE["learning_rate"]}, "baseline": {"optimizer": "sgd"}, **told}
    (one,) = every_optimizer_hyperparameter(scope(**whole))
    return one


@pytest.mark.playbook("A3", case="fires")
@pytest.mark.parametrize("baseline", [{"optimizer": "sgd"}, {"optimizer": "torch.optim.SGD"}, RMSPROP])
def test_a_momentum_that_an_own_program_may_hide_is_not_checked(baseline: Tree) -> None:
    found = asked(baseline=baseline)
    assert (found.level, found.reason, found.where.parameter) == ("na", "not_declared", "momentum")
    assert len(found.evidence) <= 160


def test_of_trials_that_ran_elsewhere_nobody_is_told_what_to_hand_over() -> None:
    found = asked(target="flows.audit")
    assert found.level == "na"
    assert "workload." not in found.evidence


@pytest.mark.playbook("A3", case="silent")
@pytest.mark.parametrize(
    "told",
    [
        {"target": "tasks.trials.supervised"},  # its sgd has none
        {"arguments": {"momentum": 0.0}},
        {"baseline": {"optimizer": "sgd", "momentum": 0.9}},
        {"space": SPACE},
    ],
)
def test_a_momentum_that_is_named_or_known_to_be_none_has_a_role(told: Tree) -> None:
    assert asked(**told).level == "ok"
