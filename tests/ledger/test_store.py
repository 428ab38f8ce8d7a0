"""The store under the ledger: synced, shared by threads and programs, and refused whole where it is another's."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from tasks.ledger import Ledger, LedgerError, open_ledger, store
from tests.ledger.example_rounds import begin, sentence


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


@pytest.mark.prose
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


@pytest.mark.prose
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


@pytest.mark.prose
def test_a_root_that_is_a_file_and_a_url_that_is_none_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for root, url in ((tmp_path / "file", None), (tmp_path, "nonsense"), (tmp_path, "postgresql+nobody://u:pw@h/d")):
        with pytest.raises(LedgerError) as raised:
            open_ledger(root, url)
        assert "cannot be opened" in sentence(raised)
        assert "pw" not in sentence(raised)


def test_a_store_is_ignored_by_the_repository_in_which_it_lies_and_one_that_is_there_is_left_alone(
    tmp_path: Path,
) -> None:
    open_ledger(tmp_path / "mlruns").close()
    assert (tmp_path / "mlruns" / ".gitignore").read_text() == "*\n"
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").touch()
    open_ledger(tmp_path / "theirs").close()
    assert not (tmp_path / "theirs" / ".gitignore").exists()
