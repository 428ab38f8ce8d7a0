"""The database under the ledger: opened safely by many, read at any time, written by one transaction at a time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tasks.ledger import witness
from tasks.ledger.error import Damage, LedgerError, damaged
from tasks.ledger.locks import Lock, alone, checked_name, held
from tasks.ledger.migrations import migrate, new_id
from tasks.ledger.place import check_place
from tasks.ledger.tables import SCHEMA, meta, metadata, rounds

BUSY_S = 30  # how long a writer waits for another before it says so
_WRITERS = 7_083_920_551  # any constant: PostgreSQL's advisory lock of the ledger's writers


class Store:
    """An open ledger database. Several threads may use one; several processes may each open the same."""

    def __init__(self, root: Path, engine: Engine, name: str) -> None:
        self.root = root
        self._engine = engine
        self._name = name
        self._witness = witness_of(root) if engine.dialect.name == "sqlite" else None
        self._locks: dict[str, Lock] = {}
        self._guard = threading.Lock()

    def close(self) -> None:
        """Gives up every round owned through this ledger and closes the database."""
        with self._guard:
            for lock in self._locks.values():
                lock.release()
            self._locks.clear()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def id(self) -> str:
        """The ledger's own id, made with it: which of two ledgers a file is of."""
        with self._reading() as db:
            return str(db.execute(select(meta.c.ledger_id)).scalar_one())

    def folder(self, round_id: str) -> Path:
        """The folder of a round's record; its id is checked before it becomes a path."""
        return self.root / "records" / checked_name(round_id)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _sentences(self._name, "read"), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction that sees no other writer from its first read on; all of it is kept, or none."""
        with _sentences(self._name, "written"), self._engine.connect() as connection:
            writer = connection.execution_options(writes=True)
            with writer.begin():
                yield writer
                writer.execute(update(meta).values(writes=meta.c.writes + 1))
                writes = writer.execute(select(meta.c.writes)).scalar_one()
        if self._witness is not None:
            witness.note(self._witness, writes)


def prepared(root: Path, url: str | None) -> tuple[Engine, str]:
    """The engine on a database that has this version's tables, and its name for sentences.

    Raises:
        LedgerError: where the store cannot be opened, is damaged, was written by a newer version, or by an older one
            that is running a round now.
    """
    file = root / "ledger.db"
    name = str(file) if url is None else _without_password(url)
    try:
        if url is None:
            check_place(root)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if {path.name for path in root.iterdir()} <= {"prefect"}:  # ours alone
            ignored = root / ".gitignore"  # a store is no part of the repository in which it lies
            ignored.touch(mode=0o600)
            ignored.write_text("*\n")
        if url is None:
            file.touch(mode=0o600)  # configurations and results are for their owner's eyes
        engine = _engine(f"sqlite:///{file}" if url is None else url)
        with alone(root / ".ledger.lock"), _sentences(name, "opened"):
            if engine.dialect.name == "sqlite":
                _check_file(engine, name)
            _prepare(engine, name, root)
    except (OSError, SQLAlchemyError, sqlite3.Error, ImportError) as error:
        raise LedgerError(f"the ledger {name} cannot be opened: {error}; name another tracking.root") from None
    return engine, name


def _check_file(engine: Engine, name: str) -> None:
    """A SQLite file that is whole, indexes included, and in which readers and the writer do not wait for each other."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if found != "ok":
            raise damaged(name, found)
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode=WAL")  # kept in the file, so once is enough
    finally:
        raw.close()


def _prepare(engine: Engine, name: str, root: Path) -> None:
    """Makes the tables of a fresh database, migrates those of an older version, refuses all others."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        names = set(inspect(connection).get_table_names())
        if "meta" not in names:
            if names & set(metadata.tables):
                raise LedgerError(f"{name} is no ledger of tunebook: name another tracking.root")
            metadata.create_all(connection)
            connection.execute(meta.insert().values(schema=SCHEMA, ledger_id=new_id()))
        found = connection.execute(select(meta.c.schema)).scalar()
        if found is None or not 1 <= found <= SCHEMA:
            raise LedgerError(
                f"the ledger {name} has schema {found} and this tunebook knows 1 to {SCHEMA}: "
                "use the tunebook that wrote it, or name another tracking.root"
            )
        if found < SCHEMA:
            _nobody_runs(connection, root, name)
            migrate(connection, found)
        if engine.dialect.name == "sqlite":
            witness.check(witness_of(root), connection.execute(select(meta.c.writes)).scalar_one(), name)


def _nobody_runs(db: Connection, root: Path, name: str) -> None:
    """An older tunebook that runs a round would go on writing rows as it knows them."""
    for round_id in db.execute(select(rounds.c.round_id).where(rounds.c.state != "finished")).scalars():
        if held(root / "records" / checked_name(round_id) / ".lock"):
            raise LedgerError(f"the ledger {name} is of an older tunebook, which runs round {round_id}: wait for it")


def witness_of(root: Path) -> Path:
    """The file in which the number of acknowledged writes is noted."""
    return root / "ledger.writes"


def _engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_S} if url.startswith("sqlite") else {})
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", _begin)
    return engine


def _durable(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # the driver would begin too late: `_begin` does it
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer takes its place before its first read: what it compares is what it swaps."""
    writes = connection.get_execution_options().get("writes", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif writes and connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS})


@contextmanager
def _sentences(name: str, verb: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0] if error.orig is not None else str(error)
        if "locked" in reason:
            reason = f"another program has held it for more than {BUSY_S} s"
        elif "full" in reason:
            reason += ": free some space, and the same command goes on"
        elif verb == "opened":
            reason += "; name another tracking.root"
        if isinstance(error.orig, sqlite3.DatabaseError) and "malformed" in reason:
            raise damaged(name, reason) from error
        raise LedgerError(f"the ledger {name} cannot be {verb}: {reason}") from error
    except UnicodeDecodeError as error:  # of SQLite's own message, which quotes what is damaged
        raise damaged(name, error.object.decode(errors="replace")) from error
    except Damage as error:
        raise damaged(name, error) from error


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://{tail}" if at else url
