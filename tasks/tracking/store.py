"""MLflow's store: opened quietly, created once, and never waited for longer than is said here."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.record import Frozen

if TYPE_CHECKING:
    from mlflow import MlflowClient

# A call to a server that is down blocks for 247 s by MLflow's own defaults: measured, fault-C1.
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class Tracking(Frozen):
    """Where a round is kept: `root` is the folder of ledger, records and MLflow's store.

    `uri` is MLflow's address; None means SQLite under `root`. `enabled` False leaves MLflow out, never the ledger.
    """

    root: str
    uri: str | None = None
    enabled: bool = True

    @property
    def address(self) -> str:
        """The address that is used: an absolute path, or another working folder would get another store."""
        return self.uri if self.uri is not None else f"sqlite:///{Path(self.root).absolute() / 'mlflow.db'}"


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
    """The workload's experiment and this round's runs in it, created where they are missing.

    Whoever projects a round owns it in the ledger: two at once would make its parent run twice.
    """
    with _alone(Path(tracking.root)):
        client = _client(tracking)
        experiment = _experiment(client, tracking, workload)
    runs: dict[str, str] = {}
    done: set[str] = set()
    token = None
    while True:
        found = client.search_runs([experiment], f"tags.`tunebook.round` = '{round_id}'", 1, 1000, page_token=token)
        for run in found:
            key = run.data.tags.get("tunebook.trial", "")
            runs[key] = run.info.run_id
            if run.info.status != "RUNNING":
                done.add(key)
        token = found.token
        if not token:
            break
    if "" not in runs:
        tags = {"tunebook.round": round_id, "tunebook.kind": "round", "name": name or round_id}
        runs[""] = client.create_run(experiment, tags=tags, run_name=round_id).info.run_id
    return Handle(
        client=client, experiment=experiment, round_id=round_id, parent=runs.pop(""), runs=runs, done=done - {""}
    )


def create(tracking: Tracking) -> None:
    """Creates the store where there is none. Two that create it at once spoil it (measured, fault-C6): these wait."""
    with _alone(Path(tracking.root)):
        _client(tracking).search_experiments(max_results=1)


def _client(tracking: Tracking) -> "MlflowClient":
    """A client; making one creates the database where there is none, so that only one may be made at a time."""
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # we say once that it is down
    return MlflowClient(tracking_uri=tracking.address, registry_uri=tracking.address)


def _experiment(client: "MlflowClient", tracking: Tracking, workload: str) -> str:
    known = client.get_experiment_by_name(workload)
    if known is not None:
        if known.lifecycle_stage == "deleted":
            client.restore_experiment(known.experiment_id)
        return str(known.experiment_id)
    local = tracking.address.startswith("sqlite:")
    location = (Path(tracking.root).absolute() / "artifacts").as_uri() if local else None
    return str(client.create_experiment(workload, artifact_location=location))


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True)
    fd = os.open(root / ".mlflow.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
