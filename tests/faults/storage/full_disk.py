"""A disk that is full at many levels, and what becomes of everything that is written to it.

Run by test_full_disk.py in a mount namespace of its own, with a small file system of its own: FOLDER LEVELS.
Prints a JSON object: {scenario: [what went wrong, …], …}, and how many levels really had no room.
"""

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tasks.ledger import LedgerError, open_ledger
from tasks.report import write as reporting
from tasks.scope.goal import Objective
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.log import Log
from tasks.trials.settings import RunnerSettings
from tasks.trials.stored import write_curves
from tasks.trials.trial import ended
from tests.faults.ledger.children import PLAN, begun
from tests.report.example_records import curves_of, example
from tests.trials.example_trials import execution, plan

Found = tuple[bool, list[str]]
OWN = str(Path(__file__).with_name("own"))


@contextmanager
def left(folder: Path, free: int) -> Iterator[None]:
    """The file system of `folder` with about that many bytes free, rounded up to whole pages."""
    ballast = folder / "ballast"
    disk = os.statvfs(folder)
    ballast.write_bytes(b"x" * max(0, disk.f_bavail * disk.f_frsize - free))
    try:
        yield
    finally:
        ballast.unlink()


def state(step: int) -> dict[str, Any]:
    """A training state of about 60 kB."""
    return {"step": step, "weights": torch.full((15_000,), float(step))}


def checkpoint(disk: Path, folder: Path, free: int) -> Found:
    """The previous checkpoint stays loadable; with room again the same save goes well."""
    kept, wrong, saved = Checkpoints(folder, "t"), [], True
    kept.save(1, state(1), 0.5)
    with left(disk, free):
        try:
            kept.save(2, state(2), 0.4)
        except OSError:
            saved = False
        if sum(p.stat().st_size for p in folder.iterdir() if "tmp" in p.name):
            wrong.append("half a file was left")
        step, found = Checkpoints(folder, "t").last()
        if step != 1 + saved or not torch.equal(found["weights"], state(step)["weights"]):
            wrong.append(f"step {step} is the last")
    kept.save(2, state(2), 0.4)
    if Checkpoints(folder, "t").last()[0] != 2:
        wrong.append("it did not go on")
    return not saved, wrong


def ledger(disk: Path, folder: Path, free: int) -> Found:
    """What was acknowledged is there, the file is sound, and the same command goes on."""
    begun(folder).close()
    accepted: list[str] = []
    wrong: list[str] = []
    with left(disk, free):
        try:
            story(folder, accepted.append)
            refused = False
        except LedgerError as error:
            refused = True
            if "\n" in str(error):
                wrong.append(f"no sentence: {error}")
        except Exception as error:
            wrong.append(f"not a sentence: {error!r}")
    with closing(sqlite3.connect(folder / "ledger.db")) as db:
        found = db.execute("PRAGMA integrity_check").fetchone()[0]
        wrong += [] if found == "ok" else [found]
    with open_ledger(folder) as opened:
        lost = set(accepted) - set(opened.results("r1"))
        wrong += [f"lost {sorted(lost)}"] if lost else []
    story(folder, accepted.append)
    with open_ledger(folder) as opened:
        wrong += [] if list(opened.results("r1")) == [p["id"] for p in PLAN] else ["it did not go on"]
        wrong += [] if len(opened.generations("digits")) == 1 else ["the promotion"]
    return refused, wrong


def story(root: Path, accepted: Callable[[str], object]) -> None:
    """What a round writes: its trials with their curves, a promotion, a record."""
    with open_ledger(root) as opened:
        opened.own("r1")
        if opened.rounds()[0].state == "finished":
            return
        for trial in opened.pending("r1"):
            if opened.finish("r1", trial["id"], opened.start("r1", trial["id"]), {"value": 0.1}, b"c" * 30_000):
                accepted(trial["id"])
        opened.promote("digits", 0, {"width": 64}, "r1", "round r1", {"gain": 0.5}, "2026-01-02")
        verdict = {"outcome": "promote", "gain": 0.5, "incumbent": {"generation": 0}}
        opened.conclude("r1", json.dumps({"verdict": verdict, "more": "x" * 30_000}), "digest", "2026-01-02")


def pages(real: Callable[..., str]) -> Callable[..., str]:
    """The report's page, drawn once: it takes a second and is not what is tried here."""
    drawn: list[str] = []

    def page(*values: Any, **_: Any) -> str:
        drawn[:] = drawn or [real(*values)]
        return drawn[0]

    return page


def report(disk: Path, folder: Path, free: int) -> Found:
    """The record, the report and the curves are as they were or as they should be, never a part."""
    record = example()
    better = Objective(metric=record.objective.metric, direction=record.objective.direction)
    trials = [ended(plan(id), curve, better, "complete", "") for id, curve in curves_of(record).items()]

    def write() -> None:
        write_curves(folder / record.curves, trials)
        reporting.write_report(record, folder)

    folder.mkdir()
    write()
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    refused, wrong = False, []
    with left(disk, free):
        try:
            write()
        except OSError:
            refused = True
        if {p.name: p.read_bytes() for p in folder.iterdir()} != before:
            wrong.append("a file is not whole")
    write()
    return refused, wrong + ([] if {p.name: p.read_bytes() for p in folder.iterdir()} == before else ["no way on"])


def log(disk: Path, folder: Path, free: int) -> Found:
    """A trial whose words find no room goes on without them."""
    folder.mkdir()
    written = Log(str(folder / "log.txt"), 40_000)
    with left(disk, free):
        for _ in range(30):
            written.write(b"word " * 1000)
        size = (folder / "log.txt").stat().st_size
    written.write(b"the end")
    written.close()
    last = (folder / "log.txt").read_bytes()[-7:] == b"the end"
    return size < 40_000, [] if last else ["the log did not go on"]


def trial(disk: Path, folder: Path, free: int, server: ForkServer) -> Found:
    """A trial that finds no room has failed with that reason, and goes on from its last checkpoint when there is."""
    wanted, planned = execution("filling.fills", PATIENT, own=OWN), plan(folder.name)
    with left(disk, free):
        first = run_trial(planned, wanted, server, folder, "cpu")
    wrong = []
    if first.status != "complete" and (first.status, first.reason) != ("failed", "no space left on the disk"):
        wrong.append(f"{first.status}: {first.reason}")
    second = first if first.status == "complete" else run_trial(planned, wanted, server, folder, "cpu")
    curve = second.curve.metrics["loss"].tolist()
    if second.status != "complete" or curve != [1 / step for step in range(1, 10)]:
        wrong.append(f"it did not go on: {second.status} {second.reason} {curve}")
    return first.status != "complete", wrong


PATIENT = RunnerSettings(wall_timeout=120)
ROOM = {"checkpoint": 120_000, "ledger": 350_000, "report": 300_000, "log": 80_000, "trial": 280_000}


def main(disk: Path, levels: int) -> None:
    """Every scenario at every level, from no room at all to more than enough."""
    torch.set_num_threads(1)
    said: dict[str, dict[str, Any]] = {}
    reporting.page = pages(reporting.page)  # type: ignore[attr-defined]
    with ForkServer(PATIENT, preload=("tasks.trials.local.child", "torch")) as server:
        for name, room in ROOM.items():
            said[name] = {"full": 0, "wrong": []}
            for i, free in enumerate(np.linspace(0, room, levels).tolist()):
                full, wrong = _scenario(name, disk, disk / f"{name}{i}", int(free), server)
                said[name]["full"] += full
                said[name]["wrong"] += [[int(free), *wrong]] if wrong else []
    print(json.dumps(said))


def _scenario(name: str, disk: Path, folder: Path, free: int, server: ForkServer) -> Found:
    try:
        if name == "trial":
            return trial(disk, folder, free, server)
        return {"checkpoint": checkpoint, "ledger": ledger, "report": report, "log": log}[name](disk, folder, free)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
