"""The tables of the ledger, alike on SQLite and on PostgreSQL.

Whoever changes a table bumps SCHEMA, says in `migrations` how an older ledger gets there, and stores a database of the
new schema for the tests (tests/ledger/release.py).
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA = 5

metadata = MetaData()


def _seal() -> Column[str]:
    """Of the row: see `seals`. Never empty once it was written."""
    return Column("seal", String(64), nullable=False, server_default="")


meta = Table(
    "meta",
    metadata,
    Column("schema", Integer, primary_key=True, autoincrement=False),
    Column("writes", Integer, nullable=False, server_default="0"),  # so that lost ones are missed: see `witness`
    Column("ledger_id", String(32), nullable=False, server_default=""),  # what a promoted YAML names
)

rounds = Table(
    "rounds",
    metadata,
    Column("seq", Integer, primary_key=True),  # the order in which rounds began: clocks jump, this does not
    Column("round_id", String(64), nullable=False, unique=True),
    Column("workload", Text, nullable=False),
    Column("goal", Text, nullable=False),
    Column("config_json", Text, nullable=False),
    Column("config_hash", String(64), nullable=False, index=True),
    Column("state", String(16), nullable=False),  # running | finished | interrupted
    Column("created", Text, nullable=False),
    Column("finished", Text),
    Column("digest", String(64)),
    Column("record_json", Text),
    Column("parent", String(64)),
    # of the record's verdict, so that a list of rounds need not parse every record
    Column("outcome", String(16)),
    Column("gain", Float),
    Column("generation", Integer),
    Column("record_seal", String(64)),
    _seal(),
)

trials = Table(
    "trials",
    metadata,
    Column("round_id", String(64), ForeignKey("rounds.round_id"), primary_key=True),
    Column("trial_id", String(64), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("study", Text, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("planned_json", Text, nullable=False),
    Column("state", String(16), nullable=False),  # pending | running | done
    Column("attempt", Integer, nullable=False),  # the attempt that holds the trial; 0 before the first
    Column("result_json", Text),
    Column("curve", LargeBinary),
    Column("result_seal", String(64)),  # of the result and the curve
    _seal(),
)

attempts = Table(
    "attempts",
    metadata,
    Column("round_id", String(64), primary_key=True),
    Column("trial_id", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("started", Text, nullable=False),
    Column("ended", Text),
    Column("accepted", Boolean),  # null until it hands in a result
    Column("owner", Text, nullable=False),
    Column("reason", Text),  # why it ended without an accepted result
    _seal(),
    ForeignKeyConstraint(["round_id", "trial_id"], ["trials.round_id", "trials.trial_id"]),
)

generations = Table(
    "generations",
    metadata,
    Column("workload", String(256), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("point_json", Text, nullable=False),
    Column("settings_json", Text, nullable=False, server_default="{}"),
    Column("round_id", String(64)),  # null for a generation that was adopted from a file
    Column("source", Text, nullable=False),
    Column("evidence_json", Text, nullable=False),
    Column("created", Text, nullable=False),
    _seal(),
    UniqueConstraint("workload", "round_id"),  # a round promotes at most once
)

projections = Table(
    "projections",
    metadata,
    Column("round_id", String(64), primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("mlflow_run_id", String(64), nullable=False),
    _seal(),
)

notes = Table(
    "notes",
    metadata,
    Column("round_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("text", String(256), primary_key=True),
    _seal(),
)

SEALED = (rounds, trials, attempts, generations, projections, notes)
