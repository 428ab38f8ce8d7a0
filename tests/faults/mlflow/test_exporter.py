"""Whoever writes to MLflow killed at each of its calls: the next one adopts what is there, and nothing is twice."""

import dataclasses
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from flows.session.projection import projection_of
from flows.sync import main as sync
from tasks.ledger import open_ledger
from tasks.tracking import Projection, Tracking, connect, entries
from tests.faults.conftest import Tally, Times
from tests.faults.mlflow.rounds import lacks, picture_lacks, reference, snapshot

CALLS = (
    *("create_run", "log_batch", "set_tag", "set_terminated", "log_artifact", "log_text"),
    *("create_registered_model", "create_model_version", "set_registered_model_alias"),
)


class Killed(BaseException):
    """As a kill: nothing that catches errors catches it."""


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Projection:
    """A concluded round with three of its trials, a checkpoint of one, and the promoted model."""
    _, root, _ = reference(tmp_path_factory.getbasetemp())
    with open_ledger(root) as ledger:
        whole = projection_of(ledger, ledger.rounds()[0].round_id)
    checkpoint = tmp_path_factory.mktemp("checkpoint") / "step_60.pt"
    checkpoint.write_bytes(b"weights")
    best = whole.trials[0][0].id
    return dataclasses.replace(
        whole, trials=whole.trials[:3], checkpoints={best: [checkpoint]}, promoted=([checkpoint], 1)
    )


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh database of MLflow, which takes seconds to make."""
    root = tmp_path_factory.mktemp("empty")
    connect(Tracking(root=str(root)), "another", "another")
    return root / "mlflow.db"


def exported(picture: Projection, store: Path, dies_at: int, after: bool, patch: pytest.MonkeyPatch) -> int:
    """How many calls were made to show the round; the one of that number is the last, made or about to be."""
    from mlflow import MlflowClient

    made = 0

    def dying(plain: Any) -> Any:
        def call(*values: Any, **named: Any) -> Any:
            nonlocal made
            mine = made = made + 1  # one call may make another
            if mine == dies_at and not after:
                raise Killed
            answer = plain(*values, **named)
            if mine == dies_at:
                raise Killed
            return answer

        return call

    with patch.context() as hooked:
        for name in CALLS:
            hooked.setattr(MlflowClient, name, dying(getattr(MlflowClient, name)))
        try:
            handle = connect(Tracking(root=str(store)), picture.workload, picture.round_id, picture.question)
            for entry in entries(picture):
                entry(handle)
        except Killed:
            pass
    return made


def test_an_exporter_killed_at_any_call_leaves_nothing_that_the_next_does_not_mend(
    picture: Projection, empty: Path, tmp_path: Path, times: Times, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store(name: str) -> Path:
        (tmp_path / name).mkdir()
        return Path(shutil.copy(empty, tmp_path / name)).parent

    calls = exported(picture, store("whole"), 0, False, monkeypatch)
    assert picture_lacks(tmp_path / "whole", picture) == []
    rows = counts(tmp_path / "whole")
    kills = [(n, after) for n in range(1, calls + 1, times(calls // 3, 1)) for after in (False, True)]
    found: list[str] = []
    for number, after in kills:
        here = store(f"{number}-{after}")
        assert exported(picture, here, number, after, monkeypatch) <= number + 1
        assert picture_lacks(here, picture) or number == calls
        exported(picture, here, 0, False, monkeypatch)
        wrong = picture_lacks(here, picture) + ([] if counts(here) == rows else [f"{counts(here)}, not {rows}"])
        found += [f"killed {'after' if after else 'before'} call {number}: {what}" for what in wrong]
    assert found == []
    tally("C4", "kills of the exporter just before or after one of its calls, then another", len(kills), len(found))


def counts(store: Path) -> dict[str, object]:
    """The rows of MLflow's tables, and how many artifacts there are."""
    there = snapshot(store)
    files = [name for name in there if "/" in name]
    return {name: there[name] for name in there if name not in files} | {"artifacts": len(files)}


def lost(root: Path, what: str) -> None:
    """Take away a part of MLflow's store."""
    artifacts = sorted(path for path in (root / "artifacts").rglob("*") if path.is_file())
    if what in ("everything", "the database"):
        (root / "mlflow.db").unlink()
    if what in ("everything", "the artifacts"):
        shutil.rmtree(root / "artifacts")
    if what == "the ends of the artifacts":
        for path in artifacts:
            path.write_bytes(path.read_bytes()[:-1])
    if what == "two runs":
        connection = sqlite3.connect(root / "mlflow.db")
        with connection:
            connection.execute(
                "UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid IN "
                "(SELECT run_uuid FROM tags WHERE key = 'tunebook.trial' ORDER BY value LIMIT 2)"
            )
        connection.close()


def test_a_store_that_lost_something_gets_it_again(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, times: Times, tally: Tally
) -> None:
    found: list[str] = []
    losses: tuple[str, ...] = ("everything", "the artifacts", "the database", "the ends of the artifacts", "two runs")
    losses = losses[: times(2, len(losses))]
    root = Path(shutil.copytree(reference(tmp_path_factory.getbasetemp())[1], tmp_path / "root"))
    for number, loss in enumerate(losses):
        assert sync([f"tracking.root={root}", "tracking.enabled=true"]) == 0
        lost(root, loss)
        assert lacks(root), f"{loss}: nothing was lost"
        if not (root / "mlflow.db").exists():  # MLflow keeps what it once knew of an address
            root = root.rename(tmp_path / str(number))
        if sync([f"tracking.root={root}", "tracking.enabled=true"]) != 0:
            found.append(f"{loss}: sync fails")
        found += [f"{loss}: {lack}" for lack in lacks(root)]
    assert found == []
    tally("C7", "losses of a part of MLflow's store, or of all of it, then a sync", len(losses), len(found))
