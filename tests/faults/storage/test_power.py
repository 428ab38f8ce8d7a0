"""A power loss at any moment: what was acknowledged is there, and what was being written is whole or not there."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from flows.compose.incumbent_yaml import read_incumbent, write_incumbent
from tasks.ledger import open_ledger, store
from tasks.report import write as reporting
from tasks.scope.goal import Incumbent
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tests.faults.conftest import Tally, Times
from tests.faults.ledger.children import PLAN, begun
from tests.faults.storage.power import Power
from tests.report.example_records import example

Story = Callable[[Path, int], tuple[Callable[[], None], Callable[[Path], None]]]


def saves(folder: Path, times: int) -> tuple[Callable[[], None], Callable[[Path], None]]:
    """A trial that saves again and again; the checkpoint that was acknowledged last is there, or the next one."""
    acknowledged = 0

    def write() -> None:
        nonlocal acknowledged
        kept = Checkpoints(folder, "t")
        for step in range(1, times + 1):
            kept.save(step, {"weights": torch.full((50,), float(step))}, 1 / step)
            acknowledged = step

    def check(after: Path) -> None:
        step, found = Checkpoints(after, "t").last()
        assert step in (acknowledged, acknowledged + 1), f"step {step} after {acknowledged}"
        assert step == 0 or bool(found["weights"].eq(float(step)).all())

    return write, check


def reports(folder: Path, times: int) -> tuple[Callable[[], None], Callable[[Path], None]]:
    """A round whose record and report are written again and again."""
    record, acknowledged = example(), -1

    def write() -> None:
        nonlocal acknowledged
        for i in range(times):
            reporting.write_report(record.model_copy(update={"notes": f"time {i}"}), folder)
            acknowledged = i

    def check(after: Path) -> None:
        for name in ("record.json", "report.html"):
            found = [i for i in range(times) if (after / name).exists() and _says(after / name, f"time {i}")]
            assert found in ([], [0]) if acknowledged < 0 else found[0] in (acknowledged, acknowledged + 1)

    return write, check


def _says(path: Path, notes: str) -> bool:
    if path.suffix == ".json":
        return bool(json.loads(path.read_text())["notes"] == notes)
    return path.read_text() == notes


def incumbents(folder: Path, times: int) -> tuple[Callable[[], None], Callable[[Path], None]]:
    """A workload that is promoted again and again."""
    acknowledged = 0

    def write() -> None:
        nonlocal acknowledged
        for generation in range(1, times + 1):
            promoted = Incumbent(generation=generation, point={"width": generation}, source="round r")
            write_incumbent(folder / "digits.yaml", promoted, "a1b2", {"promoted": "2026-01-01"})
            acknowledged = generation

    def check(after: Path) -> None:
        found = read_incumbent(after / "digits.yaml")
        generation = found.generation if found else 0
        assert generation in (acknowledged, acknowledged + 1), f"generation {generation} after {acknowledged}"
        assert found is None or found.point == {"width": generation}

    return write, check


STORIES: list[tuple[Story, str]] = [
    (saves, "checkpoints"),
    (reports, "record and report"),
    (incumbents, "incumbent files"),
]


def lost(story: Story, folder: Path, times: int, patch: pytest.MonkeyPatch, ignored: str = "") -> Power:
    """The story, with a power loss after every call that touches the disk."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as drawn:  # the page takes a second to draw and is not what is tried
        drawn.setattr(reporting, "page", lambda record, *_, **__: record.notes)
        drawn.setattr(reporting, "read_curves", lambda _: {})
        write, check = story(folder, times)
        power = Power(folder, check, ignored)
        with power.recorded(patch):
            write()
    return power


@pytest.mark.parametrize(("story", "what"), STORIES)
def test_what_was_acknowledged_outlives_a_power_loss(
    tmp_path: Path, story: Story, what: str, times: Times, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = lost(story, tmp_path / "folder", times(4, 20), monkeypatch)
    assert power.wrong == []
    tally("A4", f"power losses while {what} were written, each in 3 ways", power.cuts, len(power.wrong))


@pytest.mark.parametrize("ignored", ["files", "folders"])
@pytest.mark.parametrize("story", [story for story, _ in STORIES])
def test_without_either_fsync_a_power_loss_is_noticed(
    tmp_path: Path, story: Story, ignored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lost(story, tmp_path / "folder", 3, monkeypatch, ignored).wrong != []


def weak(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The settings of every connection that a round's ledger made, where they would lose what was committed."""
    made: list[sqlite3.Connection] = []
    real = sqlite3.dbapi2.connect

    def connect(*values: Any, **named: Any) -> sqlite3.Connection:
        made.append(real(*values, **named))
        return made[-1]

    monkeypatch.setattr(sqlite3.dbapi2, "connect", connect)
    found = []
    with begun(root) as ledger, open_ledger(root) as second:
        assert ledger.finish("r1", "t0", ledger.start("r1", PLAN[0]["id"]), {"value": 1.0}, b"curve")
        assert list(second.results("r1")) == ["t0"]
        assert len(made) >= 2
        for connection in made:
            asked = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode"))
            found.append(tuple(asked))
    return [settings for settings in found if settings not in ((2, "wal"), (3, "wal"))]  # 2: FULL, 3: EXTRA


def test_every_connection_syncs_what_it_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally) -> None:
    tally("A4", "settings of the ledger's connections", 1, len(weak(tmp_path, monkeypatch)))


def test_a_connection_that_does_not_sync_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store._durable

    def careless(connection: Any, record: object) -> None:
        real(connection, record)
        connection.execute("PRAGMA synchronous=NORMAL")

    monkeypatch.setattr(store, "_durable", careless)
    assert (1, "wal") in weak(tmp_path, monkeypatch)
