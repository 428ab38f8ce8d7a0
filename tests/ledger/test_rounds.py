"""Rounds in a real SQLite ledger: frozen, owned by one, concluded once; opened by many at once."""

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import Ledger, LedgerError, open_ledger, store


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as opened:
        yield opened


def begin(ledger: Ledger, round_id: str = "r1", goal: str = "dropout", **more: Any) -> None:
    said: dict[str, Any] = {"workload": "digits", "config": {"seed": 0}, "config_hash": "h", "created": "2026-01-01"}
    ledger.begin(round_id=round_id, goal=goal, **(said | more))


def record_text(outcome: str, generation: int = 0, gain: float | None = None) -> str:
    return json.dumps({"verdict": {"outcome": outcome, "gain": gain, "incumbent": {"generation": generation}}})


def sentence(raised: pytest.ExceptionInfo[LedgerError]) -> str:
    text = str(raised.value)
    assert "\n" not in text
    return text


def test_what_is_committed_is_synced_and_readers_do_not_wait_for_the_writer(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger)
    with ledger._reading() as db:
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    writer = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert ledger.frozen("r1") == {"seed": 0}
    writer.close()


def test_a_writer_waits_for_another_program_and_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_S", 0.05)
    with open_ledger(tmp_path) as ledger:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="another program has held it") as raised:
            begin(ledger)
        assert "\n" not in str(raised.value)
        other.execute("ROLLBACK")
        other.close()
        begin(ledger)
        assert [r.round_id for r in ledger.rounds()] == ["r1"]


def test_a_full_disk_is_one_sentence_and_leaves_the_ledger_whole(ledger: Ledger) -> None:
    def room(pages: int) -> None:
        with ledger._reading() as db:
            db.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    begin(ledger)
    room(1)  # SQLite's own limit: no page more than there are
    with pytest.raises(LedgerError, match="disk is full") as raised:
        begin(ledger, "r2", config={"long": "x" * 100_000})
    assert "\n" not in str(raised.value)
    room(1_000_000)
    assert [r.round_id for r in ledger.rounds()] == ["r1"]
    begin(ledger, "r2", config={"long": "x" * 100_000})
    assert [r.round_id for r in ledger.rounds()] == ["r2", "r1"]


def test_threads_write_through_one_ledger(ledger: Ledger) -> None:
    def many(thread: int) -> None:
        for i in range(10):
            begin(ledger, f"r{thread}-{i}")

    threads = [threading.Thread(target=many, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({r.round_id for r in ledger.rounds()}) == 80


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


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b", "a\0b", "x" * 65, "-rm", "é", "a b", "a\n"])
def test_a_name_that_is_no_name_becomes_no_path(ledger: Ledger, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    for ask in (ledger.own, ledger.folder, ledger.frozen, ledger.record, ledger.running, lambda n: begin(ledger, n)):
        with pytest.raises(LedgerError, match="is no name"):
            ask(name)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_that_is_a_name_becomes_a_folder_of_the_records(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.folder("Ab-1_2.x") == tmp_path / "records" / "Ab-1_2.x"


def test_a_round_is_owned_by_one_process_and_the_refusal_names_it(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger)
    ledger.own("r1")
    ledger.own("r1")  # its owner may say it twice
    with open_ledger(tmp_path) as other, pytest.raises(LedgerError) as raised:
        other.own("r1")
    assert f"process {os.getpid()} on" in sentence(raised)
    assert ledger.running("r1")
    ledger.close()
    with open_ledger(tmp_path) as other:
        assert not other.running("r1")
        other.own("r1")


def test_a_holder_that_is_killed_frees_its_round_at_once(
    ledger: Ledger, tmp_path: Path, processes: ForkServerContext, child: Callable[..., ForkServerProcess]
) -> None:
    begin(ledger)
    heard, told = processes.Pipe()
    holder = child("holds", tmp_path, told)
    assert heard.recv() == holder.pid
    assert ledger.running("r1")
    with pytest.raises(LedgerError, match=f"process {holder.pid} "):
        ledger.own("r1")
    holder.kill()
    holder.join()
    assert not ledger.running("r1")
    ledger.own("r1")


def test_a_forked_child_does_not_keep_its_killed_parents_round(
    ledger: Ledger, tmp_path: Path, processes: ForkServerContext, child: Callable[..., ForkServerProcess]
) -> None:
    begin(ledger)
    heard, told = processes.Pipe()
    holder = child("holds_and_forks", tmp_path, told)
    grandchild = heard.recv()
    try:
        assert ledger.running("r1")
        holder.kill()
        holder.join()
        ledger.own("r1")
    finally:
        os.kill(grandchild, signal.SIGKILL)


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


def test_a_note_is_kept_once_and_under_its_kind(ledger: Ledger) -> None:
    for text in ("b", "a", "b"):
        ledger.note("r1", "mixed", text)
    ledger.note("r1", "moved", "3")
    assert ledger.notes("r1", "mixed") == ["a", "b"]
    assert ledger.notes("r1", "moved") == ["3"]
    assert ledger.notes("r2", "mixed") == []


def planted(root: Path, fault: str) -> None:
    """A store that must not be opened."""
    file = root / "ledger.db"
    if fault == "newer":
        open_ledger(root).close()
        with sqlite3.connect(file) as db:
            db.execute("UPDATE meta SET schema = 99")
        db.close()
    elif fault == "no database":
        file.write_bytes(os.urandom(5000))
    elif fault == "cut":
        with open_ledger(root) as ledger:
            begin(ledger, config={"long": "x" * 50_000})
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif fault == "another program's":
        db = sqlite3.connect(file)
        db.execute("CREATE TABLE rounds (x)")
        db.close()
    elif fault == "folder":
        file.mkdir()


@pytest.mark.parametrize("fault", ["newer", "no database", "cut", "another program's", "folder"])
def test_a_store_that_is_not_this_ledger_is_refused_in_one_sentence(tmp_path: Path, fault: str) -> None:
    planted(tmp_path, fault)
    with pytest.raises(LedgerError) as raised:
        open_ledger(tmp_path)
    assert str(tmp_path) in sentence(raised)


def test_a_store_of_this_version_is_opened_again_with_what_it_has(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        begin(ledger)
    with open_ledger(str(tmp_path)) as ledger:
        assert ledger.frozen("r1") == {"seed": 0}


def test_a_root_that_is_a_file_and_a_url_that_is_none_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for root, url in ((tmp_path / "file", None), (tmp_path, "nonsense"), (tmp_path, "postgresql+nobody://u:pw@h/d")):
        with pytest.raises(LedgerError) as raised:
            open_ledger(root, url)
        assert "cannot be opened" in sentence(raised)
        assert "pw" not in sentence(raised)
