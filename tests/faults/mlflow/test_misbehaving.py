"""An MLflow that is not there, never answers, answers with errors, or is slow: the same verdict in bounded time."""

import time
from pathlib import Path

import pytest

from flows.sync import main as sync
from tasks.tracking import Projector, Tracking
from tests.faults.conftest import Tally, Times
from tests.faults.mlflow.false_server import Kind, door
from tests.faults.mlflow.rounds import Server, changed, lacks, misread, reference, run

KINDS: tuple[Kind, ...] = ("silent", "429", "500", "trickles", "refuses")
Without = tuple[Path, Path, str]
ENDS = 60.0  # seconds in which whatever waits for MLflow must be over, on the slowest of machines


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The user's folder, a root with a round that MLflow never heard of, and its digest."""
    return reference(tmp_path_factory.getbasetemp())


@pytest.mark.prose
def test_an_mlflow_that_misbehaves_changes_no_round(
    without: Without, tmp_path: Path, times: Times, tally: Tally, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _, digest = without
    kinds = KINDS[: times(1, len(KINDS))]
    found: list[str] = []
    for kind in kinds:
        root = tmp_path / kind
        with door(kind) as bad:
            code = run(folder, root, f"tracking.uri={bad.uri}")
        wrong = [] if code == 0 else [f"exit {code}"]
        wrong += changed(root, digest) + misread(capsys.readouterr().err, root)
        found += [f"{kind}: {what}" for what in wrong]
    assert found == []
    tally(
        "C1 C5", "rounds with an MLflow that is silent, answers 429 or 500, trickles, refuses", len(kinds), len(found)
    )


def test_a_slow_mlflow_is_waited_for_no_longer_than_is_promised_and_synced_later(
    without: Without, tmp_path: Path, times: Times, tally: Tally, capsys: pytest.CaptureFixture[str]
) -> None:
    if not times(0, 1):
        pytest.skip("a fault of `make faults`")
    folder, _, digest = without
    root, server = tmp_path / "root", Server(tmp_path / "root")
    server.start()
    try:
        with door("slow", server.port) as slow:
            assert run(folder, root, f"tracking.uri={slow.uri}") == 0
        found = changed(root, digest)
        assert sync([f"tracking.root={root}", f"tracking.uri={server.uri}"]) == 0
        found += lacks(root)
    finally:
        server.kill()
    assert found == []
    tally("C5", "a round with an MLflow that takes 0.8 s for each call", 1, len(found))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.prose
def test_a_sync_with_an_mlflow_that_misbehaves_ends_with_one_sentence(
    kind: Kind, without: Without, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.sync._UNANSWERED", 1.0)  # only `trickles` needs it: bytes come, and never an answer
    root, begun = without[1], time.monotonic()
    with door(kind) as bad:
        capsys.readouterr()
        assert sync([f"tracking.root={root}", f"tracking.uri={bad.uri}", "tracking.enabled=true"]) == 1
        said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "1 of the rounds wait" in said
    assert time.monotonic() - begun < ENDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_round_waits_for_an_mlflow_that_misbehaves_no_longer_than_it_says(kind: Kind, tmp_path: Path) -> None:
    heard: list[str] = []
    with door(kind) as bad:
        tracking = Tracking(root=str(tmp_path), uri=bad.uri)
        projector = Projector(tracking, workload="own", round_id="r", warn=heard.append)
        begun = time.monotonic()
        assert projector.runs(0.5) == {}
        projector.drain(60.0, patience=0.5)
        projector.bring_along(10.0)
        projector.close()
        assert time.monotonic() - begun < ENDS / 2
    assert len(heard) == 1
