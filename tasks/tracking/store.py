"""MLflow's store: opened quietly, created once, and never waited for longer than is said here."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import field_validator

from tasks.record import Frozen
from tasks.tracking.loading import creating, load_mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_ADDRESS = re.compile(r"(https?|(sqlite|postgresql|mysql|mssql)(\+\w+)?)://\S|databricks(://|$)")


class Tracking(Frozen):
    """Where a round is kept: `root` is the folder of ledger, records and MLflow's store.

    `uri` is MLflow's address; None means SQLite under `root`. `enabled` False leaves MLflow out, never the ledger.
    """

    root: str
    uri: str | None = None
    enabled: bool = True

    @field_validator("uri")
    @classmethod
    def _is_address(cls, uri: str | None) -> str | None:
        if uri is not None and not _ADDRESS.match(uri):
            raise ValueError(
                "MLflow's address begins with http://, https://, databricks or the name of a database (sqlite:///); "
                "leave it out for SQLite under tracking.root"
            )
        return uri

    @property
    def address(self) -> str:
        """The address that is used: an absolute path, or another working folder would get another store."""
        return self.uri if self.uri is not None else f"sqlite:///{Path(self.root).absolute() / 'mlflow.db'}"

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None where MLflow is elsewhere."""
        found = re.fullmatch(r"sqlite:///([^?:]+)", self.address)
        return Path(found[1]).absolute() if found else None


@dataclass(frozen=True, kw_only=True)
class Handle:
    """An open experiment, and the runs of one round in it by their tags: `parent`, and the trials' by trial id.

    `done` holds the trials of which everything is there already.
    """

    client: "MlflowClient"
    experiment: str
    round_id: str
    parent: str
    runs: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)


def connect(tracking: Tracking, workload: str, round_id: str, name: str = "") -> Handle:
    """The workload's experiment and this round's runs in it: found by their tags, the round's own created if missing.

    A call that failed here may have been carried out there, so that a run may have a twin: one of them stays. Whoever
    projects a round owns it in the ledger, or two at once would make each other's twins.
    """
    with _alone(tracking):
        client = _client(tracking)
        experiment = _experiment(client, tracking, workload)
    kept: dict[str, Run] = {}
    for run in sorted(_runs(client, experiment, round_id), key=_rank):
        trial = run.data.tags.get("tunebook.trial", "")
        if kept.setdefault(trial, run) is not run:
            client.delete_run(run.info.run_id)
    if "" in kept:
        parent = kept.pop("").info.run_id
    else:
        tags = {"tunebook.round": round_id, "tunebook.kind": "round", "name": name or round_id}
        parent = client.create_run(experiment, tags=tags, run_name=round_id).info.run_id
    for run in kept.values():
        if run.data.tags.get("mlflow.parentRunId") != parent:
            client.set_tag(run.info.run_id, "mlflow.parentRunId", parent)
    return Handle(
        client=client,
        experiment=experiment,
        round_id=round_id,
        parent=parent,
        runs={trial: run.info.run_id for trial, run in kept.items()},
        done={trial for trial, run in kept.items() if run.info.status != "RUNNING"},
    )


def _runs(client: "MlflowClient", experiment: str, round_id: str) -> "Iterator[Run]":
    """Every run of the round; what a person has deleted is not there."""
    token = None
    while True:
        found = client.search_runs([experiment], f"tags.`tunebook.round` = '{round_id}'", 1, 1000, page_token=token)
        yield from found
        token = found.token
        if not token:
            return


def _rank(run: "Run") -> tuple[bool, int, str]:
    """Of twins the first in this order stays: a whole one before a half, then the elder."""
    return run.info.status == "RUNNING", run.info.start_time, run.info.run_id


def create(tracking: Tracking) -> None:
    """Creates the store where there is none. Two that create it at once spoil it (measured, fault-C6): these wait."""
    with _alone(tracking):
        _client(tracking).search_experiments(max_results=1)


def _client(tracking: Tracking) -> "MlflowClient":
    """A client; a SQLite database is created where there is none, so that only one may be made at a time.

    It is made elsewhere and then moved: one whose making was killed half-way can never be opened again.
    """
    load_mlflow()
    from mlflow import MlflowClient

    file = tracking.file
    if file is not None and not file.exists():
        for left in file.parent.glob(".new-*.db*"):
            left.unlink()
        new = file.with_name(f".new-{uuid4().hex}.db")
        with creating:
            MlflowClient(tracking_uri=f"sqlite:///{new}").search_experiments(max_results=1)
        os.replace(new, file)
    return MlflowClient(tracking_uri=tracking.address, registry_uri=tracking.address)


def _experiment(client: "MlflowClient", tracking: Tracking, workload: str) -> str:
    known = client.get_experiment_by_name(workload)
    if known is not None:
        if known.lifecycle_stage == "deleted":
            client.restore_experiment(known.experiment_id)
        return str(known.experiment_id)
    local = tracking.address.startswith("sqlite:")
    location = (Path(tracking.root).absolute() / "artifacts").as_uri() if local else None
    try:
        return str(client.create_experiment(workload, artifact_location=location))
    except Exception:  # rounds of another root may share the server, and one of them have been quicker
        known = client.get_experiment_by_name(workload)
        if known is None:
            raise
        return str(known.experiment_id)


@contextmanager
def _alone(tracking: Tracking) -> Iterator[None]:
    """Keeps out whoever else would open the same database at once."""
    folder = Path(tracking.root) if tracking.file is None else tracking.file.parent
    folder.mkdir(parents=True, exist_ok=True)
    fd = os.open(folder / ".mlflow.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
