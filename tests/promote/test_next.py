"""The next command is the next round: it composes, keeps what the round was, and holds the remedies."""

from typing import Any

import pytest

from tasks.promote.next import keeping_trials, merged, next_round
from tasks.record import Finding, NextRow
from tasks.scope.finding import finding

OWN = ("workload=mine", "space=wide", "goal=dropout", "space.lr.high=0.1", "seed=3")


def blocker(*remedy: str) -> Finding:
    return finding("boundary", "E2", "fail", "The best trial stands at an edge.", reason="best_at_edge", remedy=remedy)


def following(outcome: str, *blockers: Finding, **changes: Any) -> tuple[str, ...]:
    return row_of(outcome, *blockers, **changes).overrides


def row_of(outcome: str, *blockers: Finding, **changes: Any) -> NextRow:
    """The next row of an ordinary round, but for `changes`."""
    ordinary: dict[str, Any] = {
        "goal": "dropout",
        "goals": {name: {} for name in ("depth", "dropout", "width")},
        "promoted": {},
        "answered": frozenset(),
        "retrains": 8,
        "suggested": 13 if outcome == "retrain" else None,
    }
    return next_round(outcome, OWN, " ".join, blockers, **ordinary | changes)  # type: ignore[arg-type]


@pytest.mark.playbook("E4", case="shows")
def test_a_remedy_takes_the_place_of_what_it_mends_and_the_rest_stays() -> None:
    found = following("redesign", blocker("space.lr.high=1.0", "budget.trials=48"))
    assert found == ("workload=mine", "space=wide", "goal=dropout", "space.lr.high=1.0", "seed=3", "budget.trials=48")


@pytest.mark.parametrize(
    ("one", "other", "roomier"),
    [
        ("space.lr.high=1.0", "space.lr.high=9", "space.lr.high=9"),
        ("space.lr.high=10", "space.lr.high=9.0", "space.lr.high=10"),
        ("space.lr.low=1e-5", "space.lr.low=1e-4", "space.lr.low=1e-5"),
        ("budget.trials=24", "budget.trials=48", "budget.trials=48"),
        ("goal.nuisance=[a]", "goal.nuisance=[b]", "goal.nuisance=[a]"),
    ],
)
def test_of_two_remedies_for_one_key_the_roomier_counts_else_the_first(one: str, other: str, roomier: str) -> None:
    assert merged((), (one, other)) == (roomier,)


@pytest.mark.playbook("G9", case="fires")
def test_a_goal_that_fixes_a_promoted_value_elsewhere_is_told_to_hold_it() -> None:
    goals = {"depth": {"regularizer": "none", "width": 64}, "dropout": {}}
    promoted = {"regularizer": "dropout", "dropout.rate": 0.3, "width": 64}
    found = following("promote", goals=goals, promoted=promoted)
    assert found[-2:] == ("goal=depth", "goal.fixed={regularizer:{value:null}}")


@pytest.mark.playbook("G9", case="silent")
def test_a_goal_that_fixes_nothing_elsewhere_is_asked_as_it_stands() -> None:
    goals = {"depth": {"width": 64, "unheard_of": 1}, "dropout": {"regularizer": "none"}}
    assert following("promote", goals=goals, promoted={"regularizer": "dropout", "width": 64})[-1] == "goal=depth"


def test_the_same_goal_again_is_told_to_hold_what_was_promoted_too() -> None:
    changes = {"goals": {"dropout": {"adam.epsilon": 1e-8}}, "promoted": {"adam.epsilon": 1e-6}}
    narrowing = ["space.lr.high=0.05"]
    found = following("promote", answered=frozenset({"depth", "width"}), narrowing=narrowing, **changes)
    assert "space.lr.high=0.05" in found
    assert found[-1] == "goal.fixed={adam.epsilon:{value:null}}"


def test_of_two_overrides_for_one_key_the_last_is_meant_and_is_the_one_that_is_mended() -> None:
    assert merged(("a=1", "b=2", "a=3"), ()) == ("a=3", "b=2")
    assert merged(("a=1", "a=3"), ("a=4",)) == ("a=4",)


def test_a_round_that_is_gone_on_with_is_not_named_again() -> None:
    assert merged(("resume=r-1", "a=1"), ()) == ("a=1",)


@pytest.mark.prose
def test_a_block_without_a_remedy_says_what_to_mend_first() -> None:
    row = row_of("redesign", blocker())
    assert "mend this first" in row.why
    assert "at an edge" in row.why
    both = row_of(
        "redesign",
        blocker("space.lr.high=1.0"),
        finding("a bug", "F10", "fail", "The training loss rises.", reason="best_rises"),
    )
    assert "space.lr.high=1.0" in both.overrides
    assert "no override can: The training loss rises." in both.why


@pytest.mark.prose
def test_a_remedy_that_stands_already_is_none() -> None:
    assert "mend this first" in row_of("redesign", blocker("space.lr.high=0.1")).why


@pytest.mark.playbook("E4", case="shows")
@pytest.mark.parametrize(
    "remedy",
    [
        ("space.lr.high=1.0",),
        ("space.lr.low=1e-5", "budget.trials=48"),
        ("budget.retrains=13",),
        ("~space.lr",),
        ("acknowledge.E5=seen",),
    ],
)
def test_where_the_same_is_asked_of_another_space_or_number_the_trials_are_kept(remedy: tuple[str, ...]) -> None:
    own = (*OWN, "keep=r-0", "resume=r-1")
    row = keeping_trials(row_of("redesign", blocker(*remedy)), own, " ".join, [blocker(*remedy)], "r-1")
    assert row.overrides == (*merged(OWN, remedy), "keep=r-1")
    assert row.command == " ".join(row.overrides)


@pytest.mark.playbook("E4", case="silent")
@pytest.mark.parametrize(
    "remedy",
    [
        ("budget.max_train_steps=800",),
        ("space.lr.high=1.0", "budget.eval_every_steps=10"),
        ("seed=4",),
        ("goal.nuisance=[lr]",),
        ("goal=width",),
        ("sampler=grid",),
        ("++workload.baseline.lr=0.1",),
        (),  # nothing changes: a person mends the code first
    ],
)
def test_where_a_trial_would_be_another_none_is_kept(remedy: tuple[str, ...]) -> None:
    following = row_of("redesign", blocker(*remedy))
    assert keeping_trials(following, OWN, " ".join, [blocker(*remedy)], "r-1") == following
    assert not any(o.startswith("keep=") for o in following.overrides)


def test_what_no_override_mends_beside_what_one_does_keeps_nothing() -> None:
    both = [blocker("space.lr.high=1.0"), blocker()]
    following = row_of("redesign", *both)
    assert keeping_trials(following, OWN, " ".join, both, "r-1") == following


def test_the_trials_of_one_question_are_not_kept_for_another() -> None:
    row = next_round("promote", (*OWN, "keep=r-0"), " ".join, (), goal="dropout", goals={"width": {}}, promoted={},
                     answered=frozenset(), retrains=8, suggested=None)  # fmt: skip
    assert row.overrides == ("workload=mine", "space=wide", "seed=3", "goal=width")
    assert keeping_trials(row, OWN, " ".join, (), "r-1") == row


def test_an_undecided_gate_gets_the_retrains_that_may_decide() -> None:
    assert "budget.retrains=13" in following("retrain")


def test_a_conclusion_leads_to_the_next_open_question_on_the_same_workload_and_space() -> None:
    assert following("promote") == ("workload=mine", "space=wide", "seed=3", "goal=depth")
    assert following("keep", answered=frozenset({"depth"}))[-1] == "goal=width"


@pytest.mark.playbook("D13", case="fires")
def test_when_every_question_was_asked_a_denser_search_is_next_while_the_search_still_finds_better() -> None:
    falling = finding("best of n", "D13", "warn", "Falls.", reason="still_falling", remedy=["budget.trials=48"])
    asked = {"answered": frozenset({"depth", "width"})}
    assert following("keep", **asked, advice=[falling])[-1] == "budget.trials=48"


@pytest.mark.playbook("D13", case="silent")
@pytest.mark.prose
@pytest.mark.parametrize("outcome", ["keep", "promote"])
def test_when_nothing_is_left_to_ask_no_command_is_printed_and_the_way_on_is_said(outcome: str) -> None:
    """Not the same command again, and no search twice as dense for ever."""
    stands = finding("boundary", "E2", "warn", "At an edge.", reason="best_at_edge", remedy=["space.lr.high=0.1"])
    row = row_of(outcome, answered=frozenset({"depth", "width"}), advice=[stands], narrowing=["space.lr.high=0.1"])
    assert (row.command, row.overrides) == ("", ())
    assert "add a goal" in row.why
    assert keeping_trials(row, OWN, " ".join, [], "r-1") == row


def test_the_only_goal_of_a_folder_is_not_asked_again() -> None:
    assert row_of("promote", goals={"dropout": {}}).command == ""


@pytest.mark.playbook("B8", case="shows")
def test_a_narrower_search_is_next_once_every_question_was_asked_and_not_before() -> None:
    narrowing = ("space.lr.low=0.01", "space.lr.high=0.05")
    found = following("keep", answered=frozenset({"depth", "width"}), narrowing=narrowing)
    assert found == ("workload=mine", "space=wide", "goal=dropout", "space.lr.high=0.05", "seed=3", "space.lr.low=0.01")
    assert following("keep", narrowing=narrowing)[-1] == "goal=depth"
    assert following("retrain", narrowing=narrowing)[-1] == "budget.retrains=13"


def test_when_every_question_was_asked_what_was_warned_of_is_heeded_but_for_what_saves() -> None:
    asked = {"answered": frozenset({"depth", "width"})}
    longer = finding(
        "still improving", "F8", "warn", "Longer.", reason="improving", remedy=["budget.max_train_steps=800"]
    )
    shorter = finding("saturated", "F9", "warn", "Shorter.", reason="saturated", remedy=["budget.max_train_steps=200"])
    assert following("keep", **asked, advice=[shorter, longer])[-1] == "budget.max_train_steps=800"
    assert following("keep", **asked, advice=[shorter]) == ()
    assert following("keep", advice=[longer])[-1] == "goal=depth"


@pytest.mark.prose
def test_retrains_that_gave_no_result_are_not_asked_for_again() -> None:
    assert following("retrain", suggested=None, otherwise=["seed=4"]) == (*OWN[:-1], "seed=4")
    narrower = finding("infeasible", "E9", "warn", "Too many.", reason="too_many", remedy=["space.lr.high=0.01"])
    assert "space.lr.high=0.01" in following("retrain", suggested=None, advice=[narrower])
    assert "mend this first" in row_of("retrain", suggested=None).why
    assert "budget.retrains=2" in following("retrain", suggested=None, retrains=1)


def test_after_a_list_of_points_a_search_is_next() -> None:
    assert following("keep", answered=frozenset({"depth", "width"}), listed=True)[-1] == "goal.points=[]"
