"""An evaluation batch below the training batch is refused before anything runs."""

from typing import Any

import pytest

from tasks.record import Finding
from tasks.scope.guards.pipeline import evaluation_batches
from tests.scope.example_scopes import BASELINE, SPACE, Tree, scope


def found(arguments: dict[str, Any], **asked: Any) -> Finding:
    """What the guard says of a workload with these arguments."""
    (one,) = evaluation_batches(scope(arguments=arguments, **asked))
    return one


@pytest.mark.playbook("J4", case="fires")
@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"batch_size": 128, "eval_batch_size": 64}, "workload.eval_batch_size=128"),
        ({"train_batch_size": 256, "validation_batch_size": 255}, "workload.validation_batch_size=256"),
        ({"data": {"batch_size": 64}, "valid": {"batch_size": 32}}, "workload.valid.batch_size=64"),
        (
            {"per_device_train_batch_size": 16, "per_device_eval_batch_size": 8},
            "workload.per_device_eval_batch_size=16",
        ),
    ],
)
def test_a_smaller_evaluation_batch_is_refused_and_the_remedy_raises_it(arguments: Tree, remedy: str) -> None:
    refused = found(arguments)
    assert (refused.level, refused.reason, refused.row) == ("fail", "below_training_batch", "J4")
    assert refused.remedy == (remedy,)


@pytest.mark.playbook("J4", case="fires")
def test_the_largest_training_batch_that_a_trial_may_have_counts() -> None:
    arguments = {"batch_size": 32, "eval_batch_size": 64}
    assert found(arguments, space=SPACE | {"batch_size": {"values": [32, 64, 128]}}).remedy == (
        "workload.eval_batch_size=128",
    )
    assert found(arguments, baseline=BASELINE | {"batch_size": 100}).numbers["batch_size"] == 100
    assert found(arguments, space=SPACE | {"batch_size": {"values": [32, 64]}}).level == "ok"


@pytest.mark.playbook("J4", case="silent")
@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 128, "eval_batch_size": 128},
        {"batch_size": 128, "eval_batch_size": 1000},
        {"batch_size": 16, "test_batch_size": 16, "eval_batch_size": 32},
    ],
)
def test_an_evaluation_batch_of_that_size_or_more_is_fine(arguments: Tree) -> None:
    assert (found(arguments).level, found(arguments).reason) == ("ok", "large_enough")


@pytest.mark.playbook("J4", case="silent")
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"batch_size": 128},
        {"eval_batch_size": 8},
        {"batch_size": True, "eval_batch_size": "64"},
        {"batch_size": 512, "per_device_eval_batch_size": 8},
    ],
)
def test_what_is_not_recognised_is_not_checked_and_the_names_are_told(arguments: Tree) -> None:
    one = found(arguments)
    assert (one.level, one.reason) == ("na", "not_recognised")
    assert "batch_size" in one.evidence


def test_the_scope_has_the_arguments_of_the_workload_and_writes_none_of_them_down() -> None:
    whole = scope().model_copy(update={"arguments": {"password": "kept to itself"}})
    assert "kept to itself" not in whole.model_dump_json()
    assert "kept to itself" not in repr(whole)
