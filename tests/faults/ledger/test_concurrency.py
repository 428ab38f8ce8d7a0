"""Many processes and one ledger: fresh stores, writers, promotions and attempts that come back from the dead."""

import os
import signal
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import generations, open_ledger, trials
from tests.faults.conftest import Tally, Times
from tests.faults.ledger.children import PLAN, begun, children, context, opens, stalls, writes
from tests.ledger.children import promotes


def told_by(start: Callable[..., Any], task: Callable[..., None], *arguments: Any) -> Any:
    """What a child will tell, as a connection to it; whoever dies without a word ends the test with EOFError."""
    heard, told = context().Pipe(duplex=False)
    start(task, *arguments, told)
    told.close()
    return heard


def test_eight_processes_open_fresh_stores_at_once(tmp_path: Path, times: Times, tally: Tally) -> None:
    stores, together = [tmp_path / str(i) for i in range(times(4, 20))], context().Barrier(8)
    with children() as start:
        heard = [told_by(start, opens, stores, together, f"r{i}") for i in range(8)]
        said = [one.recv() for one in heard]
    wrong = sum(any(words) for words in zip(*said, strict=True))
    for store in stores:
        with open_ledger(store) as ledger:
            wrong += sorted(r.round_id for r in ledger.rounds()) != [f"r{i}" for i in range(8)]
    tally("C6", "fresh ledgers opened by 8 processes at once", len(stores), wrong)


def test_eight_writers_never_hear_that_the_database_is_locked(tmp_path: Path, times: Times, tally: Tally) -> None:
    each, together = times(25, 500), context().Barrier(8)
    begun(tmp_path).close()
    with children() as start:
        said = [told_by(start, writes, tmp_path, together, f"w{i}", each) for i in range(8)]
        errors = [error for heard in said for error in heard.recv()]
    with open_ledger(tmp_path) as ledger:
        stored = ledger.projections("r1")
    wanted = {f"w{i}-{n}": str(n) for i in range(8) for n in range(each)}
    assert errors == []
    tally("B3", "transactions of 8 writers", 8 * each, len(wanted.items() - stored.items()))


def test_of_two_promotions_at_once_one_wins(tmp_path: Path, times: Times, tally: Tally) -> None:
    pairs, together = times(25, 200), context().Barrier(2)
    open_ledger(tmp_path).close()
    with children() as start:
        said = {name: told_by(start, promotes, tmp_path, together, name, pairs) for name in "ab"}
        winners = sorted((pair, name) for name, heard in said.items() for pair in heard.recv())
    with open_ledger(tmp_path) as ledger:
        stored = [(g.generation, g.round_id) for g in ledger.generations("digits")]
    wanted = [(pair + 1, f"{name}{pair}") for pair, name in winners]
    wrong = sum(pair != i for i, (pair, _) in enumerate(winners)) + abs(len(winners) - pairs)
    tally("D1", "pairs of promotions at once", pairs, wrong + (stored != wanted))


def test_an_attempt_that_was_stopped_and_comes_back_late_is_refused(tmp_path: Path, times: Times, tally: Tally) -> None:
    runs, wrong = times(4, 20), 0
    with begun(tmp_path) as ledger, children() as start:
        for run in range(runs):
            plan = PLAN[0] | {"id": f"late{run}", "index": 10 + run}
            ledger.plan("r1", [plan])
            heard, told = context().Pipe(duplex=False)
            process = start(stalls, tmp_path, plan["id"], told)
            assert heard.recv() == 1
            second = ledger.start("r1", plan["id"])
            early = run % 2 == 0  # it comes back before the second attempt ends, or after
            late = early and _woken(process.pid or 0, heard)
            accepted = ledger.finish("r1", plan["id"], second, {"value": 2.0}, b"second")
            late = late or (not early and _woken(process.pid or 0, heard))
            stored = ledger.results("r1")[plan["id"]]
            wrong += late or not accepted or stored != ({"value": 2.0}, b"second")
            wrong += ledger.failures("r1", plan["id"]) != []
    tally("A6 A7", "results of attempts that came back late", runs, wrong)


def _woken(pid: int, heard: Any) -> bool:
    """Whether the stopped attempt's result was accepted; the signal is sent until it is there."""
    while not heard.poll(0.05):
        os.kill(pid, signal.SIGCONT)
    return bool(heard.recv())


def story(root: Path) -> object:
    """A round and a promotion in which everything has its order; what the ledger says of it, but for the times."""
    with begun(root, "r1") as ledger:
        for name in ("r2", "r3"):
            ledger.begin(name, "digits", "dropout", {}, "key", "2026-01-01")
        for plan in reversed(PLAN):
            first, second = ledger.start("r1", plan["id"]), ledger.start("r1", plan["id"])
            ledger.fail("r1", plan["id"], second, f"no progress {second}")
            third = ledger.start("r1", plan["id"])
            assert not ledger.finish("r1", plan["id"], first, {"value": 1.0}, b"")
            assert ledger.finish("r1", plan["id"], third, {"value": 2.0}, b"")
        ledger.adopt("digits", 2, {"width": 1}, "a file")
        ledger.adopt("digits", 4, {"width": 2}, "a file")
        incumbent = ledger.incumbent("digits")
        assert incumbent is not None
        return (
            [r.round_id for r in ledger.rounds()],
            ledger.unfinished("key"),
            [ledger.failures("r1", plan["id"]) for plan in PLAN],
            ledger.results("r1"),
            [(g.generation, g.point) for g in ledger.generations("digits")],
            incumbent.point,
        )


def test_a_clock_that_jumps_changes_no_order(
    tmp_path: Path, times: Times, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, wrong, runs = story(tmp_path / "steady"), 0, times(4, 20)
    for run in range(runs):
        days = cycle([(-1, 1, 0, -400, 400)[(run + i) % 5] for i in range(5)])

        class Jumping(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=next(days))  # noqa: B023

        for module in (trials, generations):
            monkeypatch.setattr(module, "datetime", Jumping)
        wrong += story(tmp_path / str(run)) != expected
    db = sqlite3.connect(tmp_path / "0" / "ledger.db")
    backwards = db.execute("SELECT count(*) FROM attempts WHERE ended < started").fetchone()[0]
    db.close()
    assert backwards > 0  # the clock did jump
    tally("D7", "rounds under a clock that jumps back and forth", runs, wrong)
