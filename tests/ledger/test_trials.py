"""Trials in a real SQLite ledger: planned once, fenced attempts, one accepted result each, whatever is killed."""

import json
import os
import runpy
import signal
import sqlite3
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import Ledger, LedgerError, open_ledger

CHILDREN = str(Path(__file__).with_name("children.py"))


def planned(index: int, **more: Any) -> dict[str, Any]:
    point = {"learning_rate": 10.0 ** -(index + 1), "width": 64, "on": True}
    said = {"id": f"t{index}", "study": "s-1", "purpose": "search", "index": index, "point": point, "seed": index}
    return said | more


PLAN = [planned(i) for i in range(3)]


def fresh(root: Path) -> Ledger:
    ledger = open_ledger(root)
    ledger.begin("r1", "digits", "dropout", {"seed": 0}, "h", "2026-01-01")
    return ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with fresh(tmp_path) as opened:
        opened.plan("r1", PLAN)
        yield opened


def ends(ledger: Ledger, trial: str, value: float = 0.5) -> bool:
    return ledger.finish("r1", trial, ledger.start("r1", trial), {"status": "complete", "value": value}, b"curve")


@pytest.mark.playbook("D16", case="shows")
def test_the_points_themselves_are_stored_and_planning_again_changes_nothing(ledger: Ledger) -> None:
    ledger.plan("r1", PLAN)
    ledger.plan("r1", [*PLAN, planned(3, purpose="retrain")])
    assert json.dumps(ledger.planned("r1")) == json.dumps([planned(3, purpose="retrain"), *PLAN])


@pytest.mark.playbook("D16", case="fires")
@pytest.mark.parametrize("change", [{"point": {"learning_rate": 0.2}}, {"seed": 9}, {"index": 7}, {"new": 1}])
def test_a_stored_plan_that_differs_is_refused(ledger: Ledger, change: dict[str, Any]) -> None:
    with pytest.raises(LedgerError, match=f"another {next(iter(change))} "):
        ledger.plan("r1", [planned(5), PLAN[0] | change])
    assert ledger.planned("r1") == PLAN  # all of a plan is kept, or none of it


def test_one_and_true_and_one_point_nought_are_three_values(ledger: Ledger) -> None:
    for value in (1, 1.0):
        with pytest.raises(LedgerError):
            ledger.plan("r1", [PLAN[0] | {"point": PLAN[0]["point"] | {"on": value}}])


@pytest.mark.playbook("J14", case="fires")
def test_a_result_of_a_trial_that_was_never_planned_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="never planned"):
        ledger.start("r1", "stranger")
    with pytest.raises(LedgerError, match="never planned"):
        ledger.finish("r1", "stranger", 1, {"value": 0.0}, b"")
    assert ledger.results("r1") == {}


@pytest.mark.playbook("J14", case="silent")
def test_a_result_of_a_planned_trial_is_there_to_be_analysed(ledger: Ledger) -> None:
    assert ends(ledger, "t1", 0.1 + 0.2)
    assert ledger.results("r1") == {"t1": ({"status": "complete", "value": 0.1 + 0.2}, b"curve")}
    assert [p["id"] for p in ledger.pending("r1")] == ["t0", "t2"]


def test_results_come_in_the_order_of_the_plan_whatever_ended_first(ledger: Ledger) -> None:
    for trial in ("t2", "t0", "t1"):
        ends(ledger, trial)
    assert list(ledger.results("r1")) == ["t0", "t1", "t2"]
    assert ledger.pending("r1") == []


def test_a_result_of_an_older_attempt_is_refused(ledger: Ledger) -> None:
    first, second = ledger.start("r1", "t0"), ledger.start("r1", "t0")
    assert (first, second) == (1, 2)
    assert not ledger.finish("r1", "t0", first, {"value": 1.0}, b"old")
    assert ledger.finish("r1", "t0", second, {"value": 2.0}, b"new")
    assert not ledger.finish("r1", "t0", first, {"value": 1.0}, b"old")
    assert ledger.results("r1")["t0"] == ({"value": 2.0}, b"new")
    assert ledger.attempts("r1") == {"t0": 2, "t1": 0, "t2": 0}


def test_a_result_is_accepted_once(ledger: Ledger) -> None:
    attempt = ledger.start("r1", "t0")
    assert ledger.finish("r1", "t0", attempt, {"value": 1.0}, b"a")
    assert not ledger.finish("r1", "t0", attempt, {"value": 2.0}, b"b")
    assert ledger.results("r1")["t0"] == ({"value": 1.0}, b"a")


def test_a_result_without_an_attempt_is_refused(ledger: Ledger) -> None:
    assert not ledger.finish("r1", "t0", 0, {"value": 1.0}, b"")
    assert not ledger.finish("r1", "t0", 1, {"value": 1.0}, b"")
    assert ledger.results("r1") == {}


def test_every_attempt_is_kept_with_who_made_it_and_whether_it_was_accepted(ledger: Ledger, tmp_path: Path) -> None:
    first, second = ledger.start("r1", "t0"), ledger.start("r1", "t0")
    ledger.finish("r1", "t0", second, {"value": 2.0}, b"")
    ledger.finish("r1", "t0", first, {"value": 1.0}, b"")
    ledger.finish("r1", "t0", second, {"value": 3.0}, b"")
    db = sqlite3.connect(tmp_path / "ledger.db")
    rows = db.execute("SELECT attempt, accepted, owner, ended >= started FROM attempts ORDER BY attempt").fetchall()
    db.close()
    assert [(number, accepted) for number, accepted, _, _ in rows] == [(1, 0), (2, 1)]
    assert all(f"process {os.getpid()} on" in owner and ended for _, _, owner, ended in rows)


@pytest.mark.playbook("E10", case="fires")
def test_a_failed_attempt_is_kept_with_its_reason_and_the_trial_can_be_started_again(ledger: Ledger) -> None:
    for reason in ("killed by SIGKILL", "no progress"):
        ledger.fail("r1", "t0", ledger.start("r1", "t0"), reason)
    ledger.fail("r1", "t1", ledger.start("r1", "t1"), "killed by SIGSEGV")
    assert ledger.failures("r1", "t0") == ["killed by SIGKILL", "no progress"]
    assert ledger.retries("r1") == 3
    assert [p["id"] for p in ledger.pending("r1")] == ["t0", "t1", "t2"]
    assert ends(ledger, "t0")
    assert ledger.attempts("r1")["t0"] == 3
    assert ledger.failures("r1", "t0") == ["killed by SIGKILL", "no progress"]


@pytest.mark.playbook("E10", case="silent")
def test_an_attempt_that_ended_well_or_was_cut_off_is_no_failure(ledger: Ledger) -> None:
    ledger.start("r1", "t0")  # cut off: nobody knows how it ended
    assert ends(ledger, "t0")
    assert not ledger.finish("r1", "t0", 1, {"value": 1.0}, b"")  # late, and refused
    assert ledger.failures("r1", "t0") == []
    assert ledger.retries("r1") == 0
    assert ledger.retries("nobody") == 0


def test_only_the_attempt_that_holds_a_running_trial_can_fail_and_only_once(ledger: Ledger) -> None:
    stale, holder = ledger.start("r1", "t0"), ledger.start("r1", "t0")
    ledger.fail("r1", "t0", stale, "stale")
    ledger.fail("r1", "t1", 0, "never started")
    assert ledger.retries("r1") == 0
    ledger.fail("r1", "t0", holder, "first word")
    ledger.fail("r1", "t0", holder, "second word")
    assert ledger.failures("r1", "t0") == ["first word"]
    assert not ledger.finish("r1", "t0", holder, {"value": 1.0}, b"")  # it has ended
    assert ends(ledger, "t0", 2.0)
    ledger.fail("r1", "t0", 3, "too late")
    assert ledger.results("r1")["t0"][0]["value"] == 2.0
    assert ledger.failures("r1", "t0") == ["first word"]
    with pytest.raises(LedgerError, match="never planned"):
        ledger.fail("r1", "stranger", 1, "who")


@pytest.mark.prose
def test_a_trial_with_a_result_never_runs_again(ledger: Ledger) -> None:
    ends(ledger, "t0")
    with pytest.raises(LedgerError, match="nothing runs twice"):
        ledger.start("r1", "t0")


def test_a_finished_round_takes_no_trial(ledger: Ledger) -> None:
    late = ledger.start("r1", "t0")
    text = json.dumps({"verdict": {"outcome": "keep", "gain": None, "incumbent": {"generation": 0}}})
    ledger.conclude("r1", text, "d", "2026-01-02")
    with pytest.raises(LedgerError, match="finished"):
        ledger.plan("r1", [planned(9)])
    with pytest.raises(LedgerError, match="finished"):
        ledger.start("r1", "t1")
    assert not ledger.finish("r1", "t0", late, {"value": 1.0}, b"")
    assert ledger.results("r1") == {}


@pytest.mark.prose
def test_a_number_that_json_has_not_is_refused_and_leaves_the_trial_as_it_was(ledger: Ledger) -> None:
    attempt = ledger.start("r1", "t0")
    with pytest.raises(ValueError, match="not JSON compliant"):
        ledger.finish("r1", "t0", attempt, {"value": float("nan")}, b"")
    assert ledger.finish("r1", "t0", attempt, {"value": None}, b"")


@pytest.mark.parametrize("column", ["result_json", "curve"])
@pytest.mark.prose
def test_a_flipped_bit_in_a_result_is_found_before_it_is_analysed(ledger: Ledger, tmp_path: Path, column: str) -> None:
    ends(ledger, "t0")
    ends(ledger, "t1")
    assert len(ledger.results("r1")) == 2
    db = sqlite3.connect(tmp_path / "ledger.db")
    new = '{"status": "complete", "value": 0.4}' if column == "result_json" else b"kurve"
    db.execute(f"UPDATE trials SET {column} = ? WHERE trial_id = 't1'", (new,))
    db.commit()
    db.close()
    with pytest.raises(LedgerError, match=r"is damaged \(the result of trial t1 of round r1"):
        ledger.results("r1")


def test_retrains_and_searches_with_one_index_do_not_collide(ledger: Ledger) -> None:
    ledger.plan("r1", [planned(0, id="x0", purpose="retrain")])
    ends(ledger, "x0")
    assert list(ledger.results("r1")) == ["x0"]


def what_is_stored(root: Path) -> object:
    with open_ledger(root) as ledger:
        generations = ledger.generations("digits")
        return ledger.results("r1"), ledger.planned("r1"), ledger.record("r1"), generations, ledger.rounds()


def test_a_round_killed_at_any_statement_ends_as_if_it_had_not_been(
    tmp_path: Path, child: Callable[..., ForkServerProcess]
) -> None:
    story = runpy.run_path(CHILDREN)["story"]
    with fresh(tmp_path / "whole") as ledger:
        story(ledger, PLAN)
    expected = what_is_stored(tmp_path / "whole")
    number, kills = 0, 0
    while True:
        number += 5  # every fifth: a transaction here has five statements or more
        root = tmp_path / str(number)
        fresh(root).close()
        process = child("killed_at", root, PLAN, number)
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        with open_ledger(root) as ledger:
            if ledger.unfinished("h") is not None:
                story(ledger, PLAN)
        assert what_is_stored(root) == expected
    assert kills >= 15


@pytest.mark.playbook("E4", case="shows")
@pytest.mark.prose
def test_trials_are_kept_of_another_round_with_their_results_all_or_none(ledger: Ledger) -> None:
    assert ends(ledger, "t0")
    assert ends(ledger, "t1", 0.25)
    ledger.conclude("r1", json.dumps({"verdict": {"outcome": "na", "incumbent": {"generation": 0}}}), "d", "2026-01-02")
    ledger.begin("r2", "digits", "dropout", {"seed": 0}, "g", "2026-01-03")
    taken = [planned(0, id="k0", kept="r1/t0"), planned(1, id="k1", kept="r1/t1")]
    with pytest.raises(LedgerError, match="trial r1/t2 has no result that could be kept"):
        ledger.keep("r2", [*taken, planned(2, id="k2", kept="r1/t2")])
    assert ledger.planned("r2") == []
    ledger.keep("r2", taken)
    ledger.keep("r2", taken)
    ledger.plan("r2", [*taken, planned(3)])
    assert ledger.planned("r2") == [*taken, planned(3)]
    before, after = ledger.results("r1"), ledger.results("r2")
    assert after == {"k0": before["t0"], "k1": before["t1"]}
    assert ledger.attempts("r2") == {"k0": 0, "k1": 0, "t3": 0}
    assert [plan["id"] for plan in ledger.pending("r2")] == ["t3"]
    with pytest.raises(LedgerError, match="nothing runs twice"):
        ledger.start("r2", "k0")


@pytest.mark.prose
def test_a_damaged_result_is_not_kept(ledger: Ledger, tmp_path: Path) -> None:
    assert ends(ledger, "t0")
    ledger.begin("r2", "digits", "dropout", {"seed": 0}, "g", "2026-01-03")
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("UPDATE trials SET curve = x'00' WHERE trial_id = 't0'")
    with pytest.raises(LedgerError, match="the result of trial r1/t0"):
        ledger.keep("r2", [planned(0, id="k0", kept="r1/t0")])
