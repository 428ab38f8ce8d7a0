"""The next command is the next round: it composes, keeps what the round was, and holds the remedies."""

import shlex

import pytest

from tasks.promote.next import command_of, merged, next_round
from tasks.record import Finding
from tasks.scope.finding import finding

OWN = ("workload=mine", "space=wide", "goal=dropout", "space.lr.high=0.1", "seed=3")


def blocker(*remedy: str) -> Finding:
    return finding("boundary", "E2", "fail", "The best trial stands at an edge.", remedy=remedy)


def following(
    outcome: str,
    *blockers: Finding,
    answered: frozenset[str] = frozenset(),
    trials: int | None = 24,
    narrowing: tuple[str, ...] = (),
) -> tuple[str, ...]:
    return next_round(
        outcome,  # type: ignore[arg-type]
        OWN,
        None,
        blockers,
        goal="dropout",
        goals=("depth", "dropout", "width"),
        answered=answered,
        retrains=8,
        suggested=13 if outcome == "retrain" else None,
        trials=trials,
        narrowing=narrowing,
    ).overrides


@pytest.mark.playbook("E4", case="shows")
def test_a_remedy_takes_the_place_of_what_it_mends_and_the_rest_stays() -> None:
    found = following("redesign", blocker("space.lr.high=1.0", "budget.trials=48"), blocker("space.lr.high=9.0"))
    assert found == ("workload=mine", "space=wide", "goal=dropout", "space.lr.high=1.0", "seed=3", "budget.trials=48")


def test_of_two_overrides_for_one_key_the_last_is_meant_and_is_the_one_that_is_mended() -> None:
    assert merged(("a=1", "b=2", "a=3"), ()) == ("a=3", "b=2")
    assert merged(("a=1", "a=3"), ("a=4",)) == ("a=4",)


def test_a_round_that_is_gone_on_with_is_not_named_again() -> None:
    assert merged(("resume=r-1", "a=1"), ()) == ("a=1",)


def test_a_block_without_a_remedy_says_what_to_mend_first() -> None:
    row = next_round(
        "redesign",
        OWN,
        None,
        [blocker()],
        goal="g",
        goals=(),
        answered=frozenset(),
        retrains=8,
        suggested=None,
        trials=24,
    )
    assert "mend this first" in row.why
    assert "at an edge" in row.why


def test_an_undecided_gate_gets_the_retrains_that_may_decide() -> None:
    assert "budget.retrains=13" in following("retrain")


def test_a_conclusion_leads_to_the_next_open_question_on_the_same_workload_and_space() -> None:
    assert following("promote") == ("workload=mine", "space=wide", "seed=3", "goal=depth")
    assert following("keep", answered=frozenset({"depth"}))[-1] == "goal=width"


def test_when_every_question_was_asked_a_denser_search_is_next() -> None:
    assert following("keep", answered=frozenset({"depth", "width"}))[-1] == "budget.trials=48"


@pytest.mark.playbook("B8", case="shows")
def test_a_narrower_search_is_next_once_every_question_was_asked_and_not_before() -> None:
    narrowing = ("space.lr.low=0.01", "space.lr.high=0.05")
    found = following("keep", answered=frozenset({"depth", "width"}), narrowing=narrowing)
    assert found == ("workload=mine", "space=wide", "goal=dropout", "space.lr.high=0.05", "seed=3", "space.lr.low=0.01")
    assert following("keep", narrowing=narrowing)[-1] == "goal=depth"
    assert following("retrain", narrowing=narrowing)[-1] == "budget.retrains=13"


def test_after_a_list_of_points_a_search_is_next() -> None:
    assert following("keep", answered=frozenset({"depth", "width"}), trials=None)[-1] == "goal.points=[]"


def test_the_command_survives_the_shell() -> None:
    overrides = ('acknowledge.E5="it\'s a wall; no cure"', "goal.nuisance=[a,b]")
    words = shlex.split(command_of(overrides, "/my folder"))
    assert words == ["python", "-m", "flows.round", "--config-dir", "/my folder", *overrides]
