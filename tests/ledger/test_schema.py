"""Ledgers of every released version: opened, brought to this one as a whole or not at all, and gone on with."""

import json
import re
import sqlite3
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from tasks.ledger import Ledger, LedgerError, open_ledger, store
from tasks.ledger.migrations import STEPS, migrate
from tasks.ledger.notes import Kind
from tasks.ledger.seals import seal_of
from tasks.ledger.tables import SCHEMA, metadata
from tests.ledger.release import planned

RELEASED = sorted(Path(__file__).with_name("released").glob("schema_*.sql"))


def restored(root: Path, dump: Path) -> Path:
    """A store with what was stored of a release."""
    root.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(root / "ledger.db")
    db.executescript(dump.read_text())
    db.close()
    return root


def columns(root: Path) -> dict[str, Any]:
    """Every table's columns (name, type, whether it may be null, default, key) and every index, as SQLite has them."""
    db = sqlite3.connect(root / "ledger.db")
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found: dict[str, Any] = {t: sorted(row[1:] for row in db.execute(f"PRAGMA table_info({t})")) for t in tables}
    found["indexes"] = sorted(db.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'"))
    db.close()
    return found


def everything(ledger: Ledger) -> dict[str, Any]:
    """All that can be asked of a ledger."""
    said: dict[str, Any] = {"rounds": ledger.rounds(), "promoted": ledger.workloads()}
    for row in ledger.rounds():
        asked = (ledger.frozen, ledger.planned, ledger.pending, ledger.results, ledger.attempts, ledger.retries)
        said[row.round_id] = [ask(row.round_id) for ask in (*asked, ledger.record, ledger.projections)]
        said[row.round_id] += [ledger.notes(row.round_id, kind) for kind in get_args(Kind)]
        said[row.round_id] += [ledger.failures(row.round_id, plan["id"]) for plan in ledger.planned(row.round_id)]
    return said | {name: ledger.generations(name) for name in ledger.workloads()}


def test_whoever_bumps_the_schema_stores_a_database_of_it_and_says_how_older_ones_get_there() -> None:
    assert [p.name for p in RELEASED] == [f"schema_{n}.sql" for n in range(1, SCHEMA + 1)]
    assert len(STEPS) == SCHEMA - 1


def test_tables_that_changed_since_their_release_are_noticed(tmp_path: Path) -> None:
    open_ledger(tmp_path / "fresh").close()
    assert columns(tmp_path / "fresh") == columns(restored(tmp_path / "released", RELEASED[-1]))
    assert columns(tmp_path / "fresh") != columns(restored(tmp_path / "first", RELEASED[0]))


@pytest.mark.parametrize("dump", RELEASED, ids=lambda p: p.stem)
def test_a_ledger_of_every_version_has_all_that_was_written_and_its_round_is_gone_on_with(
    tmp_path: Path, dump: Path
) -> None:
    with open_ledger(restored(tmp_path, dump)) as ledger:
        real = next(r for r in ledger.rounds("synthetic"))
        every = ledger.planned(real.round_id)
        assert ledger.results(real.round_id).keys() == {p["id"] for p in every}
        assert sum(p["purpose"] == "search" for p in every) == 10
        assert json.loads(ledger.record(real.round_id) or "")["digest"] == real.digest
        assert ledger.results("cut-off") == {"t0": ({"status": "complete", "value": 0.1}, bytes(range(256)))}
        assert ledger.planned("cut-off") == [planned(i) for i in range(4)]
        assert ledger.attempts("cut-off") == {"t0": 2, "t1": 1, "t2": 1, "t3": 0}
        assert [(g.generation, g.point) for g in ledger.generations("digits")] == [(1, {"width": 64})]
        assert ledger.projections("promoted") == {"t0": "mlflow-run"}
        assert ledger.frozen("promoted") == {"seed": 0, "notes": "ünïcode"}
        with_settings = {"budget.max_train_steps": 9} if dump.stem >= "schema_4" else {}
        assert [g.settings for g in ledger.generations("digits")] == [with_settings]
        assert len(ledger.id) == 12

        assert ledger.unfinished("key-2") == "cut-off"
        ledger.own("cut-off")
        for trial in ledger.pending("cut-off"):
            attempt = ledger.start("cut-off", trial["id"])
            assert ledger.finish("cut-off", trial["id"], attempt, {"value": 1.0}, b"curve")
        assert ledger.promote("digits", 1, {"width": 32}, "cut-off", "round cut-off", {"gain": 1.0}, "2026-01-04")
        verdict = {"outcome": "promote", "gain": 1, "incumbent": {"generation": 1}}
        ledger.conclude("cut-off", json.dumps({"verdict": verdict}), "digest", "2026-01-04")
        before = everything(ledger)
    with open_ledger(tmp_path) as ledger:
        assert everything(ledger) == before
    assert columns(tmp_path) == columns(restored(tmp_path / "newest", RELEASED[-1]))


NOTES = {"moved to generation 3": "", "mixed states of the code (own.py)": "", "slot:1 2026-01-01T03:00": ""}


def noted(root: Path, damaged: bool = False) -> Path:
    """A store of schema 2 whose round has notes among the ids of its MLflow runs, as that version kept them."""
    db = sqlite3.connect(restored(root, RELEASED[1]) / "ledger.db")
    for key in NOTES:
        row = {"key": key, "mlflow_run_id": "promoted", "round_id": "promoted"}
        seal = seal_of(json.dumps(["projections", *row.items()]).encode())
        db.execute("INSERT INTO projections VALUES (?, ?, ?, ?)", ("promoted", key, "promoted", seal))
    if damaged:
        db.execute("UPDATE projections SET key = 'moved to generation 4' WHERE key = 'moved to generation 3'")
    db.commit()
    db.close()
    return root


def test_notes_of_an_older_ledger_move_to_a_table_of_their_own(tmp_path: Path) -> None:
    with open_ledger(noted(tmp_path)) as ledger:
        assert ledger.notes("promoted", "moved") == ["3"]
        assert ledger.notes("promoted", "mixed") == ["states of the code (own.py)"]
        assert ledger.notes("promoted", "slot") == ["slot:1 2026-01-01T03:00"]
        assert ledger.projections("promoted") == {"t0": "mlflow-run"}


def test_a_note_that_was_damaged_is_not_moved_as_if_it_were_sound(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="damaged"):
        open_ledger(noted(tmp_path, damaged=True))


def test_a_row_that_was_damaged_before_its_ledger_was_migrated_does_not_pass_for_sound_afterwards(
    tmp_path: Path,
) -> None:
    with sqlite3.connect(restored(tmp_path, RELEASED[1]) / "ledger.db") as db:
        db.execute("UPDATE generations SET source = 'another file' WHERE workload = 'other'")
    db.close()
    with open_ledger(tmp_path) as ledger, pytest.raises(LedgerError, match="damaged"):
        ledger.generations("other")


def test_an_old_ledger_whose_result_was_damaged_is_not_sealed_as_if_it_were_sound(tmp_path: Path) -> None:
    with sqlite3.connect(restored(tmp_path, RELEASED[0]) / "ledger.db") as db:
        db.execute("UPDATE trials SET curve = X'00' WHERE trial_id = 't0'")
    db.close()
    with open_ledger(tmp_path) as ledger, pytest.raises(LedgerError, match="damaged"):
        ledger.results("cut-off")


@pytest.mark.prose
def test_a_ledger_on_which_an_older_tunebook_runs_a_round_is_not_migrated_under_it(
    tmp_path: Path, processes: ForkServerContext, child: Callable[..., ForkServerProcess]
) -> None:
    restored(tmp_path, RELEASED[0])
    heard, told = processes.Pipe()
    older = child("locks", tmp_path / "records" / "cut-off" / ".lock", told)
    heard.recv()
    with pytest.raises(LedgerError, match="older tunebook, which runs round cut-off: wait for it"):
        open_ledger(tmp_path)
    assert "seal" not in str(columns(tmp_path)["rounds"])
    older.kill()
    older.join()
    open_ledger(tmp_path).close()


@pytest.mark.parametrize("schema", [0, -1, SCHEMA + 1])
@pytest.mark.prose
def test_a_version_that_is_not_known_is_refused_with_the_versions_that_are(tmp_path: Path, schema: int) -> None:
    open_ledger(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("UPDATE meta SET schema = ?", (schema,))
    db.close()
    with pytest.raises(LedgerError, match=re.escape(f"has schema {schema} and this tunebook knows 1 to {SCHEMA}")):
        open_ledger(tmp_path)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half_way(db: Connection, found: int) -> None:
        migrate(db, found)
        raise RuntimeError("half way")

    before = columns(restored(tmp_path, RELEASED[0]))
    monkeypatch.setattr(store, "migrate", half_way)
    with pytest.raises(RuntimeError):
        open_ledger(tmp_path)
    assert columns(tmp_path) == before


@pytest.mark.prose
def test_the_tables_are_postgresql_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    said = [str(CreateTable(t).compile(dialect=dialect)) for t in metadata.sorted_tables]
    assert any("seq SERIAL NOT NULL" in text for text in said)
    assert any("curve BYTEA" in text for text in said)
    assert not any(name in text for text in said for name in ("BLOB", "AUTOINCREMENT"))
