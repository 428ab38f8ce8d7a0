"""Ledgers of older versions, brought to this version's tables in one transaction."""

import json
from collections.abc import Callable
from uuid import uuid4

from sqlalchemy import Connection, text

from tasks.ledger.error import Damage
from tasks.ledger.seals import seal, seal_of
from tasks.ledger.tables import SCHEMA, SEALED


def migrate(db: Connection, found: int) -> None:
    """Brings the tables of schema `found` to this one and seals every row that has no seal; the caller commits.

    A row that has one keeps it: a row that was damaged before must not pass for sound afterwards.

    A step is written once and stays: it speaks of tables as they were, not of `tables` as it is now.
    """
    for step in STEPS[found - 1 :]:
        step(db)
    for table in SEALED:
        seal(db, table, table.c.seal == "")
    db.execute(text("UPDATE meta SET schema = :new"), {"new": SCHEMA})


def _seals(db: Connection) -> None:
    """1 to 2: an attempt says why it failed, every row has a seal, writes are counted."""
    for statement in (
        "ALTER TABLE attempts ADD COLUMN reason TEXT",
        "ALTER TABLE trials RENAME COLUMN seal TO result_seal",
        "ALTER TABLE rounds ADD COLUMN record_seal VARCHAR(64)",
        "ALTER TABLE meta ADD COLUMN writes INTEGER DEFAULT '0' NOT NULL",
    ):
        db.execute(text(statement))
    for table in ("rounds", "trials", "attempts", "generations", "projections"):
        db.execute(text(f"ALTER TABLE {table} ADD COLUMN seal VARCHAR(64) DEFAULT '' NOT NULL"))
    for round_id, record in list(db.execute(text("SELECT round_id, record_json FROM rounds"))):
        if record is not None:
            said = {"seal": seal_of(record.encode()), "round_id": round_id}
            db.execute(text("UPDATE rounds SET record_seal = :seal WHERE round_id = :round_id"), said)


def _notes(db: Connection) -> None:
    """2 to 3: notes of a round have a table of their own; they stood among the ids of MLflow's runs."""
    db.execute(
        text(
            "CREATE TABLE notes (round_id VARCHAR(64) NOT NULL, kind VARCHAR(16) NOT NULL, text VARCHAR(256) NOT NULL, "
            "seal VARCHAR(64) DEFAULT '' NOT NULL, PRIMARY KEY (round_id, kind, text))"
        )
    )
    for round_id, key, run, sealed in list(
        db.execute(text("SELECT round_id, key, mlflow_run_id, seal FROM projections"))
    ):
        kind, said = next(((k, key.removeprefix(cut)) for k, start, cut in _NOTES if key.startswith(start)), ("", ""))
        if kind:
            parts = ["projections", ["key", key], ["mlflow_run_id", run], ["round_id", round_id]]
            if sealed and sealed != seal_of(json.dumps(parts).encode()):
                raise Damage(f"projections: {round_id}, {key[:80]}")
            db.execute(
                text("INSERT INTO notes (round_id, kind, text) VALUES (:round_id, :kind, :text)"),
                {"round_id": round_id, "kind": kind, "text": said},
            )
            db.execute(
                text("DELETE FROM projections WHERE round_id = :round_id AND key = :key"),
                {"round_id": round_id, "key": key},
            )


def _settings(db: Connection) -> None:
    """3 to 4: a generation has settings beside its point. A damaged one keeps its seal, which tells on it when read."""
    names = ("created", "evidence_json", "generation", "point_json", "round_id", "source", "workload")
    db.execute(text("ALTER TABLE generations ADD COLUMN settings_json TEXT DEFAULT '{}' NOT NULL"))
    for *values, sealed in list(db.execute(text(f"SELECT {', '.join(names)}, seal FROM generations"))):
        row = dict(zip(names, values, strict=True))
        if sealed == seal_of(json.dumps(["generations", *row.items()]).encode()):
            where = "WHERE workload = :workload AND generation = :generation"
            key = {name: row[name] for name in ("workload", "generation")}
            db.execute(text(f"UPDATE generations SET seal = '' {where}"), key)


def _identity(db: Connection) -> None:
    """4 to 5: a ledger has an id, which the YAML of a promoted configuration names."""
    db.execute(text("ALTER TABLE meta ADD COLUMN ledger_id VARCHAR(32) DEFAULT '' NOT NULL"))
    db.execute(text("UPDATE meta SET ledger_id = :id"), {"id": new_id()})


def new_id() -> str:
    """An id that no other ledger has."""
    return uuid4().hex[:12]


# the kind of a note, how its key began, and what of the key is not the note itself
_NOTES = (
    ("moved", "moved to generation ", "moved to generation "),
    ("mixed", "mixed ", "mixed "),
    ("slot", "slot:", ""),
)

STEPS: tuple[Callable[[Connection], None], ...] = (_seals, _notes, _settings, _identity)
"""STEPS[n - 1] brings a ledger of schema n to schema n + 1."""
