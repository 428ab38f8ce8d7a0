"""Ledgers of older versions, brought to this version's tables: in one transaction, all of it or nothing."""

from collections.abc import Callable

from sqlalchemy import Connection, text, true

from tasks.ledger.seals import seal, seal_of
from tasks.ledger.tables import SCHEMA, SEALED


def migrate(db: Connection, found: int) -> None:
    """Brings the tables of schema `found` to this one and seals every row; the caller commits.

    A step is written once and stays: it speaks of tables as they were, not of `tables` as it is now.
    """
    for step in STEPS[found - 1 :]:
        step(db)
    for table in SEALED:
        seal(db, table, true())
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


STEPS: tuple[Callable[[Connection], None], ...] = (_seals,)
"""STEPS[n - 1] brings a ledger of schema n to schema n + 1."""
