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
from tasks.tracking import ROUND, Earlier, Projection, Projector, Tracking, connect, server_command
from tasks.tracking import projection as picturing
from tasks.tracking import projector as projecting

Make = Callable[..., Record]
Row = Callable[..., TrialRow]
CURVE = ([1, 2], {"loss": [1.0, 0.5]})


def open_projector(tracking: Tracking, round_id: str, heard: list[str]) -> Projector:
    return Projector(tracking, workload="digits", round_id=round_id, name="a question", warn=heard.append)


def picture_of(record: Record, folder: Path, **more: object) -> Projection:
    """The record's round, every trial with the same curve."""
    said: dict[str, object] = {
        "workload": "digits",
        "round_id": record.round_id,
        "question": "a question",
        "trials": [(row, *CURVE) for row in record.trials],
        "record": record,
        "folder": folder,
        "config": {},
    }
    return Projection(**(said | more))  # type: ignore[arg-type]


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
        runs = projector.runs(60)
        projector.show(lambda: picture_of(record, folder, promoted=([folder / "report.html"], 1)))
        assert projector.drain(60).items() >= runs.items()
    assert sorted(runs) == ["t0000", "t0001", "t0002"]
    handle = connect(tracking, "digits", "thread")
    assert handle.runs == runs
    assert handle.client.get_run(handle.parent).info.status == "FINISHED"
    assert heard == []


def test_showing_a_round_again_adds_what_lacks_and_nothing_else(
    tracking: Tracking, make_record: Make, folder: Path
) -> None:
    record = make_record("replayed")
    with open_projector(tracking, "replayed", []) as projector:
        projector.add(record.trials[1], *CURVE)
        before = projector.drain(60)
    shown = []
    for _ in range(2):
        notes: dict[str, str] = {}
        with Projector(tracking, workload="digits", round_id="replayed", noted=notes.__setitem__) as projector:
            projector.show(lambda: picture_of(record, folder))
            assert projector.drain(60) == notes
            assert projector.warning is None
        shown.append(notes)
    assert shown[0] == shown[1]
    assert shown[0].items() >= before.items()
    assert list(shown[0]) == ["t0000", "t0001", "t0002", "parent", ROUND]
    assert counted(tracking, "replayed") == 4


def test_tracking_that_is_off_starts_no_thread_and_touches_nothing(make_row: Row, tmp_path: Path) -> None:
    threads = threading.active_count()
    with open_projector(Tracking(root=str(tmp_path / "off"), enabled=False), "off", []) as projector:
        projector.add(make_row(0), *CURVE)
        assert threading.active_count() == threads
        projector.show(lambda: picture_of(None, tmp_path))  # type: ignore[arg-type]
        projector.bring_along(60)
        assert projector.drain() == projector.runs(60) == {}
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


@pytest.mark.prose
def test_mlflow_that_is_down_costs_one_sentence(closed: str, make_record: Make, make_row: Row, folder: Path) -> None:
    heard: list[str] = []
    with open_projector(Tracking(root=str(folder), uri=closed), "down", heard) as projector:
        for index in range(20):
            projector.add(make_row(index), *CURVE)
        assert projector.runs(60) == {}
        projector.show(lambda: picture_of(make_record("down"), folder))
        assert projector.drain(60) == {}
        assert projector.down
    assert len(heard) == 1
    assert "nobody listens there" in heard[0]
    assert "\n" not in heard[0]
    assert "secret" not in heard[0]
    assert projector.warning == heard[0]


@pytest.mark.prose
def test_mlflow_that_never_answers_is_waited_for_no_longer_than_said(deaf: str, make_row: Row, folder: Path) -> None:
    heard: list[str] = []
    projector = open_projector(Tracking(root=str(folder), uri=deaf), "deaf", heard)
    projector.add(make_row(0), *CURVE)
    assert projector.runs(0.2) == {}  # a call to it would block for 247 s
    assert heard == []
    assert projector.drain(0.2) == {}
    projector.close(60)
    assert heard == [projector.warning]
    assert "too slow to wait for" in heard[0]


def test_mlflow_that_comes_back_is_caught_up_with(
    tracking: Tracking, make_row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def down(*_: object) -> None:
        raise ConnectionError("down")

    monkeypatch.setattr(projecting, "REST", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(picturing, "project_trial", down)
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


def test_one_part_that_mlflow_refuses_keeps_the_round_from_counting_as_shown(
    tracking: Tracking, make_record: Make, folder: Path
) -> None:
    record, notes = make_record("parts"), dict[str, str]()
    broken = [(row, [1], {"loss": [1.0] * (2 if row.id == "t0001" else 1)}) for row in record.trials]
    with Projector(tracking, workload="digits", round_id="parts", noted=notes.__setitem__) as projector:
        projector.show(lambda: picture_of(record, folder, trials=broken))
        projector.drain(60)
        assert not projector.down
    assert list(notes) == ["t0000", "t0002", "parent"]
    handle = connect(tracking, "digits", "parts")
    assert handle.client.get_run(handle.parent).info.status == "FINISHED"


def test_a_picture_that_cannot_be_read_is_a_warning_and_no_more(tracking: Tracking) -> None:
    heard: list[str] = []

    def unreadable() -> Projection:
        raise ValueError("the ledger is damaged")

    with open_projector(tracking, "unreadable", heard) as projector:
        projector.show(unreadable)
        projector.drain(60)
    assert len(heard) == 1
    assert "the ledger is damaged" in heard[0]


def test_earlier_rounds_have_their_turn_where_nothing_waits_and_give_up_in_silence(
    tracking: Tracking, make_row: Row, closed: str, tmp_path: Path
) -> None:
    turns: list[int] = []

    def pieces() -> Earlier:
        for number in range(3):
            turns.append(number)
            yield
        raise ConnectionError("down")

    for number, its in enumerate((tracking, Tracking(root=str(tmp_path), uri=closed))):
        heard: list[str] = []
        name = f"with-earlier-{number}"
        with Projector(its, workload="digits", round_id=name, warn=heard.append, earlier=pieces()) as projector:
            projector.add(make_row(0), *CURVE)
            projector.bring_along(60)
        assert turns == [0, 1, 2]  # none of them by an MLflow that is down
        assert len(heard) == number


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


def test_a_store_whose_making_was_killed_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    tracking = Tracking(root=str(tmp_path), uri=f"sqlite:///{tmp_path}/elsewhere/mlflow.db")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "search_experiments", killed)
        with pytest.raises(KeyboardInterrupt):
            connect(tracking, "digits", "killed")
    (tmp_path / "elsewhere" / ".new-half.db").write_text("half a database")
    handle = connect(tracking, "digits", "killed")
    assert handle.client.get_run(handle.parent).info.run_name == "killed"
    assert sorted(p.name for p in (tmp_path / "elsewhere").iterdir()) == [".mlflow.lock", "mlflow.db"]
