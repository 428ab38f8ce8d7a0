"""What a person typed: a direction against the metric's name, a misspelt name of the baseline."""

import pytest

from tasks.scope.goal import Objective
from tasks.scope.guards.given import baseline_names, direction_as_named
from tests.scope.example_scopes import scope


def directed(metric: str, direction: str) -> str:
    """What is said of an objective."""
    objective = Objective.model_validate({"metric": metric, "direction": direction})
    (found,) = direction_as_named(scope().model_copy(update={"objective": objective}))
    return found.reason


@pytest.mark.playbook("B2", case="fires")
@pytest.mark.parametrize(
    ("metric", "direction"),
    [("valid_accuracy", "minimize"), ("val/acc", "minimize"), ("eval.F1", "minimize"), ("loss", "maximize"),
     ("valid-perplexity", "maximize"), ("mean_reward", "minimize"), ("error_rate", "maximize"),
     ("acc@5", "minimize"), ("f1_macro", "minimize")],
)  # fmt: skip
def test_a_direction_against_the_metrics_name_is_refused(metric: str, direction: str) -> None:
    assert directed(metric, direction) == "against_its_name"


@pytest.mark.playbook("B2", case="silent")
@pytest.mark.parametrize(
    ("metric", "direction", "reason"),
    [("valid_error", "minimize", "as_named"), ("top1_acc", "maximize", "as_named"),
     ("score", "minimize", "not_recognised"), ("accuracy_loss", "minimize", "not_recognised"),
     ("accelerate", "minimize", "not_recognised"), ("accuracy_gap", "minimize", "not_recognised"),
     ("acc_drop", "minimize", "not_recognised"), ("error_reduction", "maximize", "not_recognised"),
     ("cross_entropy_loss", "minimize", "as_named"), ("y", "maximize", "not_recognised")],
)  # fmt: skip
def test_a_direction_as_the_name_says_and_a_name_that_says_nothing_are_not(
    metric: str, direction: str, reason: str
) -> None:
    assert directed(metric, direction) == reason


def named(filled: tuple[str, ...], fixed: str) -> list[str]:
    """What is said of a baseline with a name of no space, where these of the space have no value."""
    made = scope()
    role = next(iter(made.roles.fixed.values()))
    roles = made.roles.model_copy(update={"fixed": {fixed: role}})
    incumbent = made.incumbent.model_copy(update={"filled": filled})
    return [f.reason for f in baseline_names(made.model_copy(update={"roles": roles, "incumbent": incumbent}))]


@pytest.mark.playbook("C1", case="fires")
@pytest.mark.parametrize("typed", ["learning_rte", "learnin_rate", "learning-rate"])
def test_a_baseline_name_that_resembles_one_without_a_value_is_warned_of(typed: str) -> None:
    assert named(("learning_rate", "width"), typed) == ["misspelt"]


@pytest.mark.playbook("C1", case="silent")
def test_a_name_that_resembles_one_with_a_value_or_none_is_not() -> None:
    """A program with dropout1 in the space and dropout2 fixed by the baseline is right."""
    assert named((), "learning_rte") == ["names_known"]
    assert named(("learning_rate",), "depth") == ["names_known"]
