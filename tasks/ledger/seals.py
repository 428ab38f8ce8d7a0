"""Seals: every row keeps the sha256 of what it held when it was written, so a flipped bit is found, not believed.

A large value takes part in its row's seal by a seal of its own, which is checked when the value itself is read.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, select

from tasks.ledger.error import Damage

_LARGE = ("record_json", "result_json", "curve")


def seal_of(*parts: bytes) -> str:
    """The seal of a value in one or several parts."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def rows(
    db: Connection, table: Table, where: ColumnElement[bool], *order: ColumnElement[Any], large: bool = False
) -> list[Row[Any]]:
    """The rows as they were written, in that order; their large values only if `large`.

    `where` asks for indexed columns, whose flipped bits are found when the ledger is opened: a row that a flipped bit
    hides from any other question would be missed.

    Raises:
        Damage: where a row is not what was written.
    """
    columns = [c for c in table.columns if large or c.name not in _LARGE]
    try:
        found = list(db.execute(select(*columns).where(where).order_by(*order)))
    except (TypeError, ValueError) as error:  # a column holds another kind of value than it may
        raise Damage(f"{table.name}: {error}") from error
    for row in found:
        if row.seal != _row_seal(table, row):
            raise Damage(f"{table.name}: {', '.join(str(k)[:80] for k in _key_of(table, row))}")
    return found


def add(db: Connection, table: Table, *values: Mapping[str, Any]) -> None:
    """Inserts the rows and seals them."""
    for row in values:
        key = db.execute(table.insert().values(**row, seal="")).inserted_primary_key
        seal(db, table, _key(table, key or ()))


def change(db: Connection, table: Table, where: ColumnElement[bool], **values: Any) -> int:
    """How many rows were found, given these values, and sealed again.

    Raises:
        Damage: where a row was not what was written: it is not sealed anew.
    """
    found = rows(db, table, where)
    for row in found:
        here = _key(table, _key_of(table, row))
        db.execute(table.update().where(here).values(values))
        seal(db, table, here)
    return len(found)


def seal(db: Connection, table: Table, where: ColumnElement[bool]) -> None:
    """Seals the rows as the database gives them back: what it keeps of a number is what is compared later."""
    columns = [c for c in table.columns if c.name not in _LARGE]
    for row in list(db.execute(select(*columns).where(where))):
        db.execute(table.update().where(_key(table, _key_of(table, row))).values(seal=_row_seal(table, row)))


def _row_seal(table: Table, row: Row[Any]) -> str:
    names = sorted(c.name for c in table.columns if c.name not in (*_LARGE, "seal"))
    return seal_of(json.dumps([table.name, *((name, row._mapping[name]) for name in names)], default=repr).encode())


def _key_of(table: Table, row: Row[Any]) -> list[Any]:
    return [row._mapping[c.name] for c in table.primary_key]


def _key(table: Table, key: Sequence[Any]) -> ColumnElement[bool]:
    return and_(*(column == value for column, value in zip(table.primary_key, key, strict=True)))
