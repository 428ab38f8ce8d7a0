"""Evaluation batches below the training batch are refused, too few evaluations warned of, before anything runs."""

from typing import Any

import pytest

from tasks.record import Finding
from tasks.scope.guards.pipeline import evaluation_batches, planned_evaluations
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


@pytest.mark.playbook("J4", case="fires")
@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ({"baseline": BASELINE | {"eval_batch_size": 16}}, ("++workload.baseline.eval_batch_size=64",)),
        (
            {"space": SPACE | {"val_batch_size": {"values": [32, 64, 128]}}},
            ("space.val_batch_size.values=[64,128]",),
        ),
        (
            {"space": SPACE | {"val_batch_size": {"values": [8, 16]}}},
            ("space.val_batch_size.values=[64]",),
        ),
        (
            {"space": SPACE | {"eval_batch_size": {"low": 8, "high": 32, "type": "int"}}},
            ("space.eval_batch_size.high=64", "space.eval_batch_size.low=64"),
        ),
        (
            {
                "baseline": BASELINE | {"eval_batch_size": 99},
                "fixed": {"eval_batch_size": {"value": 8, "reason": "it fits"}},
            },
            ("++goal.fixed.eval_batch_size.value=64",),
        ),
        ({"scientific": {"eval_batch_size": [16, 64]}}, ()),
    ],
)
def test_an_evaluation_batch_among_the_hyperparameters_is_held_against_the_training_batch(
    asked: Tree, remedy: tuple[str, ...]
) -> None:
    refused = found({"batch_size": 64, "eval_batch_size": 512}, **asked)
    assert (refused.level, refused.remedy) == ("fail", remedy)


@pytest.mark.playbook("J4", case="silent")
def test_a_hyperparameter_replaces_the_argument_of_its_name() -> None:
    arguments = {"batch_size": 64, "eval_batch_size": 8}
    assert found(arguments, baseline=BASELINE | {"eval_batch_size": 64}).level == "ok"
    assert found({"batch_size": 64}, space=SPACE | {"eval_batch_size": {"values": [64, 256]}}).level == "ok"


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


def test_the_scope_keeps_the_arguments_that_are_recognised_and_writes_no_other_down() -> None:
    whole = scope(arguments={"password": "kept to itself", "batch_size": 8})
    assert whole.arguments == {"batch_size": 8}
    assert "kept to itself" not in whole.model_dump_json()
    assert "kept to itself" not in repr(whole)


def planned(every: int, steps: int = 100, **asked: Any) -> Finding:
    """What the guard says of a budget."""
    whole = scope(**asked)
    budget = whole.budget.model_copy(update={"eval_every_steps": every, "max_train_steps": steps})
    (one,) = planned_evaluations(whole.model_copy(update={"budget": budget}))
    return one


@pytest.mark.playbook("K2", case="fires")
@pytest.mark.parametrize(("every", "steps", "finer"), [(100, 100, 5), (12, 100, 5), (400, 900, 45), (2, 10, 1)])
def test_a_budget_with_too_few_evaluations_is_warned_of_before_anything_runs(
    every: int, steps: int, finer: int
) -> None:
    one = planned(every, steps)
    assert (one.level, one.reason, one.row) == ("warn", "few_planned", "K2")
    assert one.remedy == (f"budget.eval_every_steps={finer}",)
    assert len(one.evidence) <= 160
    assert planned(finer, steps).level == "ok"


@pytest.mark.playbook("K2", case="silent")
def test_ten_evaluations_or_every_step_are_enough_and_what_ran_elsewhere_had_no_plan() -> None:
    assert [planned(every).level for every in (10, 11, 1)] == ["ok"] * 3
    assert planned(1, 5).level == "ok"
    assert planned(50, target="flows.audit").reason == "ran_elsewhere"
