"""C2 and C6: a hyperparameter is fixed on evidence that can be looked up, or on what the trials suffice for."""

import pytest

from tasks.record import Finding
from tasks.scope.finding import headline
from tasks.scope.guards.evidence import kinds_of_evidence, reasons_are_evidence
from tasks.scope.guards.roles import optimizer_hyperparameters_are_nuisance
from tests.scope.example_scopes import DROPOUT, REGULARIZERS, SPACE, Tree, levels, scope

DECAY: Tree = {"weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
OPINIONS = [
    "because I say",
    "because I say so",
    "no time left",
    "as I like it",
    "the default value",
    "the default value 0.1",
    "0.1",
    "it has always been like this",
    "usual value at this budget",
    "I read it in a paper",
    "known to be good",
    "no earlier round looked at it",
    "there is no previous study of it",
    "without an earlier sweep",
    "only 12 trials a study",  # the budget has 24
]
EVIDENCE = [
    "insensitive in the last two rounds",
    "round optimizer-20260101-101112-ab12 had its optimum there",
    "a question of its own: goal=weight_decay",
    "within 0.002 of the best error from 0.05 to 0.2",
    "He et al. use it",
    "https://example.org/notes",
    "arXiv:1412.6980",
    "Table 3 of the report",
    "see sweeps/momentum.csv",
    "each further value costs 12 GPU hours",
    "up to 25 trials a study tune the rate alone",
    "3 seeds each showed no difference",
    "no difference in the last two rounds",
]


def only(findings: list[Finding], level: str) -> Finding:
    """The one finding, which must have that level."""
    assert levels(findings) == [level], findings
    return findings[0]


def fixed(name: str, reason: str) -> Tree:
    """The goal's word on one hyperparameter."""
    return {name: {"value": 0.1, "reason": reason}}


@pytest.mark.playbook("C2", "C6", case="fires")
@pytest.mark.parametrize("reason", OPINIONS)
def test_an_opinion_is_no_evidence(reason: str) -> None:
    one = scope(fixed=fixed("one_minus_momentum", reason))
    assert [*kinds_of_evidence(one, "one_minus_momentum", reason)] == []
    found = only(reasons_are_evidence(one), "warn")
    assert (found.reason, found.where.parameter) == ("no_evidence", "one_minus_momentum")
    assert only(optimizer_hyperparameters_are_nuisance(one), "warn").reason == "fixed_without_evidence"


@pytest.mark.playbook("C2", "C6", case="silent")
@pytest.mark.parametrize("reason", EVIDENCE)
def test_a_reason_that_can_be_looked_up_is_evidence(reason: str) -> None:
    one = scope(fixed=fixed("one_minus_momentum", reason))
    assert only(reasons_are_evidence(one), "ok").reason == "stated"
    assert only(optimizer_hyperparameters_are_nuisance(one), "ok")


@pytest.mark.playbook("C2", case="fires")
@pytest.mark.parametrize("name", ["weight_decay", "gizmo"])
def test_a_strength_and_a_hyperparameter_that_nobody_knows_need_a_reason_too(name: str) -> None:
    space = SPACE | {name: DECAY["weight_decay"]}
    assert only(reasons_are_evidence(scope(space=space, fixed=fixed(name, "as I like it"))), "warn")


@pytest.mark.playbook("C2", case="fires")
def test_what_the_goal_leaves_out_of_its_nuisances_has_no_reason_at_all() -> None:
    assert only(reasons_are_evidence(scope(nuisance=["learning_rate"])), "warn")


@pytest.mark.playbook("C2", case="silent")
def test_what_is_usually_scientific_or_fixed_needs_no_evidence() -> None:
    space = SPACE | {
        "width": {"values": [8, 16]},
        "batch_size": {"values": [8, 16]},
        "regularizer": {"choices": ["none", "x"]},
    }
    reasons = {name: {"reason": "because I say"} for name in ("width", "batch_size")}
    one = scope({"layers": [1, 2]}, space, fixed=reasons | {"regularizer": {"value": "none", "reason": "as I like it"}})
    assert only(reasons_are_evidence(one), "ok").reason == "none_fixed"


@pytest.mark.playbook("C2", "C6", case="silent")
def test_too_few_trials_for_one_nuisance_more_are_reason_enough() -> None:
    one = scope(space=SPACE | DECAY, fixed=fixed("weight_decay", "no time left"), trials=14)
    assert only(reasons_are_evidence(one), "ok").reason == "stated"
    assert only(
        reasons_are_evidence(scope(space=SPACE | DECAY, fixed=fixed("weight_decay", "no time left"), trials=15)), "warn"
    )


@pytest.mark.playbook("C6", case="fires")
@pytest.mark.parametrize("name", ["warmup_steps", "min_lr", "lr_scheduler.gamma", "warmup_ratio", "lr_decay_iters"])
def test_a_number_of_the_schedule_is_usually_a_nuisance(name: str) -> None:
    held = scope(baseline={"optimizer": "nesterov", name: 0.1})
    found = only(optimizer_hyperparameters_are_nuisance(held), "warn")
    assert (found.where.parameter, found.reason) == (name, "fixed_without_evidence")


@pytest.mark.playbook("C6", case="silent")
def test_the_kind_of_schedule_and_the_arguments_of_the_workload_are_left_to_their_reader() -> None:
    one = scope(arguments={"warmup_steps": 0, "schedule": "cosine"}, baseline={"lr_scheduler": "cosine"})
    assert only(optimizer_hyperparameters_are_nuisance(one), "ok")


def test_a_finding_quotes_a_short_reason_and_stays_short() -> None:
    found = only(reasons_are_evidence(scope(fixed=fixed("one_minus_momentum", "because I say"))), "warn")
    assert "because I say" in found.evidence
    assert len(headline(found.evidence)) <= 130
    assert only(reasons_are_evidence(scope(REGULARIZERS, SPACE | DROPOUT)), "ok")
    points = scope({}, points=[{"one_minus_momentum": 0.1}, {"one_minus_momentum": 0.2}])
    assert only(reasons_are_evidence(points), "na").reason == "listed_points"


@pytest.mark.playbook("C2", case="silent")
@pytest.mark.prose
def test_what_is_held_without_a_word_is_named_and_not_said_to_be_free() -> None:
    found = only(reasons_are_evidence(scope(baseline={"optimizer": "nesterov", "weight_decay": 0.1})), "ok")
    assert "Not asked for a reason: weight_decay." in found.evidence
    found = only(reasons_are_evidence(scope(space=SPACE | {"weight_decay": {"low": 0.1, "high": 0.1}})), "ok")
    assert "Not asked for a reason: weight_decay." in found.evidence
    assert "Not asked" not in only(reasons_are_evidence(scope()), "ok").evidence
