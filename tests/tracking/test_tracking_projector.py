"""Projection outside the trials' way: a round never waits for MLflow, never fails by it, and catches up."""

import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tasks.record import Record, TrialRow
from tasks.tracking import Projector, Tracking, connect, replay, server_command
from tasks.tracking import projector as projecting

Make = Callable[..., Record]
Row = Callable[..., TrialRow]
CURVE = ([1, 2], {"loss": [1.0, 0.5]})


def open_projector(tracking: Tracking, round_id: str, heard: list[str]) -> Projector:
    return Projector(tracking, workload="digits", round_id=round_id, name="a question", warn=heard.append)


def counted(tracking: Tracking, round_id: str) -> int:
    handle = connect(tracking, "digits", round_id)
    return len(handle.client.search_runs([handle.experiment], f"tags.`tunebook.round` = '{round_id}'"))


def test_importing_the_door_does_not_import_mlflow() -> None:
    said = "import sys, tasks.tracking; sys.exit('mlflow' in sys.modules or 'sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], cwd=Path(projecting.__file__).parents[2]).returncode == 0


def test_a_round_is_projected_by_a_thread(tracking: Tracking, make_record: Make, folder: Path) -> None:
    heard: list[str] = []
    record = make_record("thread")
    with open_projector(tracking, "thread", heard) as projector:
        for row in record.trials:
            projector.add(row, *CURVE)
        runs = projector.drain(60)
        projector.conclude(record, folder)
        projector.register(record, folder / "plots", 1)
        assert projector.drain(60) == runs
        assert projector.parent is not None
    assert sorted(runs) == ["t0000", "t0001", "t0002"]
    handle = connect(tracking, "digits", "thread")
    assert handle.runs == runs
    assert handle.client.get_run(handle.parent).info.status == "FINISHED"
    assert heard == []


def test_replaying_a_round_adds_what_lacks_and_nothing_else(
    tracking: Tracking, make_record: Make, folder: Path
) -> None:
    record = make_record("replayed")
    curves = {row.id: CURVE for row in record.trials}
    with open_projector(tracking, "replayed", []) as projector:
        projector.add(record.trials[1], *CURVE)
        before = projector.drain(60)
    first = replay(tracking, record, folder, curves)
    assert first == replay(tracking, record, folder, curves)
    assert first[0].items() >= before.items()
    assert first[1] is None
    assert counted(tracking, "replayed") == 4


def test_tracking_that_is_off_starts_no_thread_and_touches_nothing(make_row: Row, tmp_path: Path) -> None:
    threads = threading.active_count()
    with open_projector(Tracking(root=str(tmp_path / "off"), enabled=False), "off", []) as projector:
        projector.add(make_row(0), *CURVE)
        assert threading.active_count() == threads
        assert projector.drain() == {}
    assert not (tmp_path / "off").exists()


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of a server that accepts and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://me:secret@127.0.0.1:{unused.getsockname()[1]}"


def test_mlflow_that_is_down_costs_one_sentence(closed: str, make_record: Make, make_row: Row, folder: Path) -> None:
    heard: list[str] = []
    with open_projector(Tracking(root=str(folder), uri=closed), "down", heard) as projector:
        for index in range(20):
            projector.add(make_row(index), *CURVE)
        assert projector.drain(60) == {}
        projector.conclude(make_record("down"), folder)
        projector.register(make_record("down"), folder / "plots", 1)
        assert projector.drain(60) == {}
    assert len(heard) == 1
    assert "the round goes on" in heard[0]
    assert "\n" not in heard[0]
    assert "secret" not in heard[0]
    assert projector.warning == heard[0]


def test_mlflow_that_never_answers_is_waited_for_no_longer_than_said(deaf: str, make_row: Row, folder: Path) -> None:
    heard: list[str] = []
    projector = open_projector(Tracking(root=str(folder), uri=deaf), "deaf", heard)
    projector.add(make_row(0), *CURVE)
    assert projector.drain(0.2) == {}  # a call to it would block for 247 s
    projector.close(0.2)
    assert heard == [projector.warning]
    assert "no answer within 0.2 s" in heard[0]


def test_mlflow_that_comes_back_is_caught_up_with(
    tracking: Tracking, make_row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def down(*_: object) -> None:
        raise ConnectionError("down")

    with monkeypatch.context() as patch:
        patch.setattr(projecting, "project_trial", down)
        projector = open_projector(tracking, "flapping", heard)
        for index in range(5):
            projector.add(make_row(index), *CURVE)
        assert projector.drain(60) == {}
    with projector:
        projector.add(make_row(5), *CURVE)
        assert len(projector.drain(60)) == 6
    assert len(heard) == 1
    assert counted(tracking, "flapping") == 7


def test_one_trial_that_mlflow_refuses_keeps_no_other_out(tracking: Tracking, make_row: Row) -> None:
    heard: list[str] = []
    with open_projector(tracking, "one", heard) as projector:
        for index in range(5):
            steps = [1] if index == 2 else [1, 2]  # one step, two values
            projector.add(make_row(index), steps, CURVE[1])
        assert sorted(projector.drain(60)) == ["t0000", "t0001", "t0003", "t0004"]
    assert len(heard) == 1


def test_two_processes_may_create_the_store_at_once(creation: tuple[Tracking, list[int]]) -> None:
    tracking, codes = creation
    assert codes == [0, 0]
    db = sqlite3.connect(Path(tracking.root) / "mlflow.db")
    assert db.execute("SELECT count(*) FROM experiments WHERE name = 'first'").fetchone() == (1,)
    db.close()


def test_the_server_listens_on_loopback_over_the_same_store(tracking: Tracking) -> None:
    command = server_command(tracking, 5001)
    said = dict(pairwise(command))
    assert (said["--host"], said["--port"]) == ("127.0.0.1", "5001")
    assert said["--backend-store-uri"] == tracking.address
    assert said["--default-artifact-root"] == f"file://{tracking.root}/artifacts"
