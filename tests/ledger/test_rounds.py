"""Rounds in a real SQLite ledger: frozen, gone on with, concluded once, listed."""

import json

import pytest

from tasks.ledger import Ledger, LedgerError
from tests.ledger.example_rounds import begin, record_text, sentence


def test_the_frozen_configuration_comes_back_in_its_order_and_to_the_last_bit(ledger: Ledger) -> None:
    config = {"space": {"z": 0.1 + 0.2, "a": 1e-320}, "goal": "dropout", "on": True, "none": None}
    begin(ledger, config=config)
    assert json.dumps(ledger.frozen("r1")) == json.dumps(config)


def test_a_round_that_exists_is_not_begun_again(ledger: Ledger) -> None:
    begin(ledger)
    with pytest.raises(LedgerError) as raised:
        begin(ledger, config={"seed": 1})
    assert "resume=r1" in sentence(raised)
    assert ledger.frozen("r1") == {"seed": 0}


def test_the_latest_unfinished_round_of_a_configuration_is_gone_on_with(ledger: Ledger) -> None:
    begin(ledger, "old", created="2030-01-01")  # a clock that jumped back since
    begin(ledger, "new", created="2026-01-01")
    begin(ledger, "other", config_hash="another")
    ledger.interrupt("new")
    assert ledger.unfinished("h") == "new"
    ledger.conclude("new", record_text("keep"), "d", "2026-01-02")
    assert ledger.unfinished("h") == "old"
    ledger.conclude("old", record_text("keep"), "d", "2026-01-02")
    assert ledger.unfinished("h") is None
    assert ledger.unfinished("unknown") is None


def test_an_interrupted_round_runs_again_once_it_is_owned(ledger: Ledger) -> None:
    begin(ledger)
    ledger.interrupt("r1")
    assert ledger.rounds()[0].state == "interrupted"
    ledger.own("r1")
    assert ledger.rounds()[0].state == "running"


@pytest.mark.playbook("J13", case="shows")
@pytest.mark.prose
def test_a_concluded_round_keeps_its_record_and_takes_no_other(ledger: Ledger) -> None:
    begin(ledger)
    assert ledger.record("r1") is None
    ledger.conclude("r1", record_text("promote", 2, 0.5), "d1", "2026-01-02")
    ledger.conclude("r1", record_text("promote", 2, 0.5), "d1", "2026-01-03")
    with pytest.raises(LedgerError, match="finished with digest d1"):
        ledger.conclude("r1", record_text("keep"), "d2", "2026-01-04")
    row = ledger.rounds()[0]
    assert (row.outcome, row.gain, row.generation, row.digest) == ("promote", 0.5, 2, "d1")
    assert (row.state, row.finished) == ("finished", "2026-01-02")
    assert ledger.record("r1") == record_text("promote", 2, 0.5)
    ledger.interrupt("r1")
    assert ledger.rounds()[0].state == "finished"


def test_a_text_that_is_no_record_concludes_nothing(ledger: Ledger) -> None:
    begin(ledger)
    for text in ("", "[]", "{}", '{"verdict": {"outcome": "keep"}}'):
        with pytest.raises(LedgerError):
            ledger.conclude("r1", text, "d", "2026-01-02")
    assert ledger.rounds()[0].state == "running"


@pytest.mark.prose
def test_an_unknown_round_is_one_sentence(ledger: Ledger) -> None:
    for ask in (ledger.frozen, ledger.interrupt, ledger.pending, ledger.results):
        with pytest.raises(LedgerError) as raised:
            ask("nobody")
        assert "there is no round nobody" in sentence(raised)
    assert ledger.record("nobody") is None


def test_goals_are_concluded_against_one_generation_by_promote_or_keep(ledger: Ledger) -> None:
    for goal, outcome, generation in (
        ("promoted", "promote", 1),
        ("kept", "keep", 1),
        ("refused", "redesign", 1),
        ("undecided", "retrain", 1),
        ("before", "keep", 0),
    ):
        begin(ledger, goal, goal=goal)
        ledger.conclude(goal, record_text(outcome, generation), "d", "2026-01-02")
    begin(ledger, "running", goal="running")
    begin(ledger, "elsewhere", goal="elsewhere", workload="other")
    ledger.conclude("elsewhere", record_text("keep", 1), "d", "2026-01-02")
    assert ledger.concluded_goals("digits", 1) == {"promoted", "kept"}
    assert ledger.concluded_goals("digits", 2) == set()


def test_rounds_are_listed_newest_first_and_by_workload(ledger: Ledger) -> None:
    begin(ledger, "a")
    begin(ledger, "b", workload="other", parent="a")
    assert [r.round_id for r in ledger.rounds()] == ["b", "a"]
    assert [r.round_id for r in ledger.rounds("digits")] == ["a"]
    assert ledger.rounds("other")[0].parent == "a"


def test_a_projection_is_noted_once_for_each_key(ledger: Ledger) -> None:
    begin(ledger)
    ledger.note_projection("r1", "t1", "m1")
    ledger.note_projection("r1", "t1", "m2")
    ledger.note_projection("r1", "", "parent")
    assert ledger.projections("r1") == {"": "parent", "t1": "m2"}
    assert ledger.projections("r2") == {}
