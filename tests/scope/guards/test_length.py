"""H2: all trials of a study train equally long, also where a warmup is put in front or a program has its own length."""

import pytest

from tasks.record import Finding
from tasks.scope.guards.length import steps_stay_fixed
from tasks.scope.guards.roles import optimizer_hyperparameters_are_nuisance
from tests.scope.example_scopes import SPACE, Tree, levels, scope

SUPERVISED = "tasks.trials.supervised"
WARMUP: Tree = {"warmup_steps": {"low": 0, "high": 1000, "type": "int"}}


def only(findings: list[Finding], level: str) -> Finding:
    """The one finding, which must have that level."""
    assert levels(findings) == [level], findings
    return findings[0]


def tree(name: str, node: Tree) -> Tree:
    """The parameter under its whole name."""
    for part in reversed(name.split(".")):
        node = {part: node}
    return node


LENGTHS = [
    "max_train_steps",
    "epochs",
    "train.num_steps",
    "num_train_epochs",
    "max_iters",
    "trainer.max_epochs",
    "max_update",
]


@pytest.mark.playbook("H2", case="fires")
@pytest.mark.parametrize("name", LENGTHS)
def test_a_tuned_length_of_training_is_refused(name: str) -> None:
    found = only(steps_stay_fixed(scope(space=SPACE | tree(name, {"low": 1, "high": 9, "type": "int"}))), "fail")
    assert (found.where.parameter, found.reason) == (name, "varies")
    assert found.remedy == ("goal.nuisance=[learning_rate,one_minus_momentum]",)


@pytest.mark.playbook("H2", case="fires")
def test_a_warmup_that_is_put_in_front_is_refused_as_a_nuisance_with_the_lengths_that_it_makes() -> None:
    found = only(steps_stay_fixed(scope(space=SPACE | WARMUP, target=SUPERVISED)), "fail")
    assert (found.reason, found.numbers["shortest"], found.numbers["longest"]) == ("warmup_lengthens", 100, 1100)
    assert found.remedy == ("goal.nuisance=[learning_rate,one_minus_momentum]",)


@pytest.mark.playbook("H2", case="fires")
def test_a_warmup_that_is_the_question_is_warned_of() -> None:
    one = scope({"warmup_steps": [0, 300, 1000]}, target=SUPERVISED, kind="understand", baseline={"warmup_steps": 0})
    found = only(steps_stay_fixed(one), "warn")
    assert (found.numbers["shortest"], found.numbers["longest"]) == (100, 1100)


@pytest.mark.playbook("H2", case="fires")
def test_explicit_points_of_unequal_warmup_are_warned_of() -> None:
    points = [{"warmup_steps": 0}, {"warmup_steps": 50}]
    found = only(steps_stay_fixed(scope({}, points=points, target=SUPERVISED, baseline={"warmup_steps": 0})), "warn")
    assert found.numbers["longest"] == 150


def test_the_remedy_is_not_undone_by_the_guard_of_the_optimizers_hyperparameters() -> None:
    one = scope(space=SPACE | WARMUP, target=SUPERVISED, nuisance=["learning_rate", "one_minus_momentum"])
    assert only(steps_stay_fixed(one), "ok")
    assert only(optimizer_hyperparameters_are_nuisance(one), "ok")


@pytest.mark.playbook("H2", case="silent")
@pytest.mark.prose
def test_a_fixed_warmup_is_said_where_it_is_put_in_front() -> None:
    one = scope(target=SUPERVISED, arguments={"warmup_steps": 20})
    assert only(steps_stay_fixed(one), "ok").evidence == (
        "The budget plans 100 steps for every trial, after a warmup of 20 steps."
    )


@pytest.mark.playbook("H2", case="silent")
def test_steps_of_a_schedule_are_not_the_length_of_training() -> None:
    assert only(steps_stay_fixed(scope(space=SPACE | WARMUP, baseline={"epochs": 3})), "ok")


@pytest.mark.playbook("H2", case="silent")
def test_a_program_of_ones_own_gets_the_budgets_steps_where_all_that_varies_is_known() -> None:
    assert only(steps_stay_fixed(scope()), "ok")


def test_what_varies_and_nobody_knows_may_be_a_length() -> None:
    space = SPACE | {"passes": {"low": 1, "high": 9, "type": "int"}}
    assert only(steps_stay_fixed(scope(space=space)), "na").reason == "not_recognised"
    assert only(steps_stay_fixed(scope(space=space, arguments={"epochs": 3})), "na")
    assert only(steps_stay_fixed(scope(space=SPACE | {"temperature": {"low": 0.0, "high": 1.0}})), "ok")
    assert only(steps_stay_fixed(scope(space=space, names={"other": "passes"})), "ok")
    assert only(steps_stay_fixed(scope(space=space, names={"length": "passes"})), "fail")


def test_trials_that_ran_elsewhere_were_planned_by_nobody_here() -> None:
    assert only(steps_stay_fixed(scope(target="flows.audit")), "na").reason == "not_recognised"
    varied = scope(space=SPACE | {"epochs": {"values": [1, 2]}}, target="flows.audit")
    assert "budget" not in only(steps_stay_fixed(varied), "fail").evidence
    held = only(steps_stay_fixed(scope(target="flows.audit", baseline={"epochs": 3})), "ok")
    assert "budget" not in held.evidence
