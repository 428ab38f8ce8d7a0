"""MLflow's server killed in the midst of a round: the same verdict, no trial lost, and parity after one sync."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.compose.config import CONF
from flows.sync import main as sync
from tests.faults.conftest import Tally, Times
from tests.faults.mlflow.false_server import door
from tests.faults.mlflow.rounds import Server, changed, command, lacks, misread, reference, run, snapshot

# Where the server is killed: before the n-th call of a function.
POINTS: dict[str, tuple[str, int]] = {
    "in mid search": ("tasks.tracking.projector.Projector.add", 5),
    "between conclude and the projection": ("tasks.tracking.projector.Projector.show", 1),
    "before the start": ("flows.tune.tune", 1),
    "as the round connects": ("tasks.tracking.projector.connect", 1),
    "as the first trial ends": ("tasks.tracking.projector.Projector.add", 1),
    "between a run and its curve": ("tasks.tracking.trials._batches", 3),
    "between search and gate": ("tasks.promote.race.gate", 1),
    "between two looks of the gate": ("tasks.promote.race.gate", 2),
    "before the record": ("tasks.tracking.projector.Projector.runs", 1),
    "among the artifacts": ("tasks.tracking.rounds.send", 1),
}


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The user's folder, a root with a round that MLflow never heard of, and its digest."""
    return reference(tmp_path_factory.getbasetemp())


def before(patch: pytest.MonkeyPatch, where: str, number: int, act: Callable[[], None]) -> None:
    """Calls `act` before the n-th call of a function."""
    from importlib import import_module

    path, _, name = where.rpartition(".")
    try:
        owner: Any = import_module(path)
    except ModuleNotFoundError:
        module, _, kind = path.rpartition(".")
        owner = getattr(import_module(module), kind)
    plain, calls = getattr(owner, name), [0]

    def counted(*values: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == number:
            act()
        return plain(*values, **named)

    patch.setattr(owner, name, counted)


def killed_at(point: str, folder: Path, root: Path, digest: str, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """What goes wrong with a round of which MLflow's server is killed at the point."""
    server = Server(root)
    try:
        if point != "before the start":
            server.start()
        with patch.context() as hooked:
            before(hooked, *POINTS[point], server.kill)
            if run(folder, root, f"tracking.uri={server.uri}") != 0:
                yield "it does not end with 0"
        yield from changed(root, digest)
    finally:
        server.kill()


def synced(root: Path, store: Path, *more: str) -> Iterator[str]:
    """What goes wrong with two syncs."""
    if sync([f"tracking.root={root}", *more]) != 0:
        yield "sync fails"
    yield from lacks(root, store)
    whole = snapshot(store)
    if sync([f"tracking.root={root}", *more]) != 0 or snapshot(store) != whole:
        yield "a second sync adds something"


def direct(store: Path) -> str:
    """The same store without its server."""
    return f"tracking.uri=sqlite:///{store}/mlflow.db"


@pytest.mark.prose
def test_a_server_killed_at_any_point_of_a_round_changes_nothing_but_the_picture(
    without: tuple[Path, Path, str],
    tmp_path: Path,
    times: Times,
    tally: Tally,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, _, digest = without
    found: list[str] = []
    points = list(POINTS)[: times(1, len(POINTS))]
    for number, point in enumerate(points):
        root = tmp_path / str(number)
        wrong = list(killed_at(point, folder, root, digest, monkeypatch))
        wrong += misread(capsys.readouterr().err, root)
        assert lacks(root), f"{point}: killed too late, nothing was lost"
        wrong += synced(root, root, direct(root))
        found += [f"{point}: {what}" for what in wrong]
    assert found == []
    tally("C2 C3", "SIGKILL of MLflow's server at a point of a round, then two syncs", len(points), len(found))


def test_a_server_that_is_back_is_brought_up_to_the_ledger_over_http(
    without: tuple[Path, Path, str], tmp_path: Path, times: Times, tally: Tally
) -> None:
    """The next round brings the earlier one along; a sync finds nothing left to do."""
    if not times(0, 1):
        pytest.skip("a fault of `make faults`")
    folder, root, server = without[0], tmp_path / "root", Server(tmp_path / "root")
    with door("refuses", server.port) as flapping:
        assert run(folder, root, f"tracking.uri={flapping.uri}") == 0
        assert len(lacks(root)) == 1
        server.start()
        try:
            flapping.turn("passes")
            assert run(folder, root, f"tracking.uri={flapping.uri}", "seed=1") == 0
            found = lacks(root)
            found += synced(root, root)
        finally:
            server.kill()
    assert found == []
    tally("C3", "a round without MLflow, brought along by the next", 1, len(found))


def test_a_server_that_comes_and_goes_changes_nothing_but_the_picture(
    without: tuple[Path, Path, str], tmp_path: Path, times: Times, tally: Tally
) -> None:
    runs = times(0, 10)
    if not runs:
        pytest.skip("a fault of `make faults`")
    folder, _, digest = without
    store, over, found = tmp_path / "store", threading.Event(), []
    server = Server(store)
    server.start()
    with door("passes", server.port) as flapping:

        def flap() -> None:
            while not over.wait(0.25):
                flapping.turn("passes" if flapping.kind == "refuses" else "refuses")

        thread = threading.Thread(target=flap)
        thread.start()
        try:
            for number in range(runs):
                assert run(folder, tmp_path / str(number), f"tracking.uri={flapping.uri}") == 0
                found += changed(tmp_path / str(number), digest)
        finally:
            over.set()
            thread.join()
            server.kill()
    for number in range(runs):
        found += synced(tmp_path / str(number), store, direct(store))
    assert found == []
    tally("C2", "rounds with a server that goes and comes back four times a second", runs, len(found))


# `kill -9` of the whole program, before the n-th call of a function.
DEATHS = {
    "between a run and its curve": ("tasks.tracking.trials._batches", 3),
    "before the record": ("tasks.tracking.projector.Projector.runs", 1),
    "between conclude and the projection": ("tasks.tracking.projector.Projector.show", 1),
    "among the artifacts": ("tasks.tracking.rounds.send", 1),
    "before its run is closed": ("tasks.tracking.rounds._columns", 1),
}
DYING = """
import os, signal, sys
import pytest
from flows.round import main
from tests.faults.mlflow.test_killed import before

before(pytest.MonkeyPatch(), sys.argv[1], int(sys.argv[2]), lambda: os.kill(os.getpid(), signal.SIGKILL))
main(sys.argv[3:])
"""


def test_a_program_killed_around_its_projection_is_shown_by_the_next_sync_and_the_next_round(
    without: tuple[Path, Path, str], tmp_path: Path, times: Times, tally: Tally
) -> None:
    folder, found = without[0], list[str]()
    points = list(DEATHS)[: times(0, len(DEATHS))]
    if not points:
        pytest.skip("a fault of `make faults`")
    for number, point in enumerate(points):
        root = tmp_path / str(number)
        where, nth = DEATHS[point]
        said = [sys.executable, "-c", DYING, where, str(nth), *command(folder, root)]
        died = subprocess.run(said, cwd=CONF.parent, capture_output=True, timeout=300)
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert lacks(root), f"{point}: killed too late, nothing was lost"
        copy = Path(shutil.copytree(root, tmp_path / f"{number}-synced"))
        wrong = list(synced(copy, copy))
        if run(folder, root) != 0:
            wrong.append("the same command fails")
        wrong += lacks(root)
        found += [f"{point}: {what}" for what in wrong]
    assert found == []
    tally(
        "C4", "kill -9 of the whole program around its projection, then a sync, or a round", 2 * len(points), len(found)
    )
