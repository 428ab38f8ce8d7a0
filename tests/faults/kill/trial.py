"""Stories of one trial: its own process is killed at each of its events, and the next attempt goes on."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tasks.design.study import Planned
from tasks.ledger import Ledger, open_ledger
from tasks.scope.goal import Objective, Workload
from tasks.trials.attempts import BookedAttempts
from tasks.trials.local import child
from tasks.trials.local.runner import LocalRunner
from tasks.trials.reports import ReportLog
from tasks.trials.settings import Execution, RunnerSettings
from tests.faults.kill.events import Events
from tests.faults.kill.invariants import damaged_checkpoints
from tests.faults.kill.reference_round import EVERY, SAVED, STEPS, write_folder
from tests.processes.forked import Forked, put, start_servers_by

KILL, NAMES = "kill_at", "events"  # files of the trial's folder: when its next process dies, and what one did


def trial_killed(root: Path, points: Sequence[int] | None = None, near: str = "") -> tuple[list[str], list[str]]:
    """`(violations, events)` of a trial whose process is killed at these of its events, or at each one.

    `near`: only at events whose names hold this.
    """
    with site(root) as (runner, planned), open_ledger(root / "store") as ledger:
        whole = _attempts(runner, ledger, planned, "whole", None)
        names: list[str] = json.loads((whole / NAMES).read_text())
        said = []
        for point in points or range(1, len(names) + 1):
            if near in names[point - 1]:
                where = f"killed at event {point} ({names[point - 1]}): "
                try:
                    found = _attempts(runner, ledger, planned, f"kill{point}", point)
                    said += [where + what for what in _wrong(ledger, f"kill{point}", found, whole)]
                except Exception as error:
                    said.append(f"{where}{error!r}")
    return said, names


def _attempts(runner: LocalRunner, ledger: Ledger, planned: Planned, round_id: str, point: int | None) -> Path:
    """The trial's folder after all the attempts that it took; the first one is killed at `point`."""
    ledger.begin(round_id, "own", "own", {}, round_id, "2026-01-01")
    ledger.plan(round_id, [planned.model_dump(mode="json")])
    folder = ledger.folder(round_id)
    (folder / "trials" / planned.id).mkdir(parents=True)
    (folder / "trials" / planned.id / KILL).write_text(str(point or 0))
    here = LocalRunner(runner.execution, runner.server, folder)
    list(here.run((planned,), BookedAttempts(book=ledger, round_id=round_id, settings=runner.execution.runner)))
    return folder / "trials" / planned.id


def _wrong(ledger: Ledger, round_id: str, found: Path, whole: Path) -> Iterator[str]:
    """What is not as if nothing had happened, but for the steps between two checkpoints and one attempt."""
    if (found / NAMES).exists():
        yield "it was not killed"
    ((trial, (result, _)),) = ledger.results(round_id).items()
    if result["status"] != "complete":
        yield f"{result['status']}: {result['reason']}"
    attempts = ledger.attempts(round_id)[trial]
    if attempts > 2:
        yield f"{attempts} attempts"
    if (found / "reports.jsonl").read_bytes() != (whole / "reports.jsonl").read_bytes():
        yield "another curve"
    steps = (found / "work" / "done.txt").read_text().split()
    if len(steps) - STEPS > SAVED:
        yield f"{len(steps) - STEPS} steps again"
    yield from damaged_checkpoints(found / "checkpoints")
    if left := [str(p.relative_to(found)) for p in found.rglob("*.tmp")]:
        yield f"left behind: {left}"


@contextmanager
def site(root: Path, target: str = "own.train") -> Iterator[tuple[LocalRunner, Planned]]:
    """A place to run the reference round's trials one by one, and the plan of one; where a trial's folder has a file
    `kill_at`, its next process notes its events, and dies at the one that the file names.

    For a process of its own: what it changes stays changed.
    """
    objective = Objective(metric="loss", direction="minimize")
    execution = Execution(
        workload=Workload(name="own", target=target, objective=objective),
        runner=RunnerSettings(workers=1),
        own=str(write_folder(root / "own")),
    )
    start_servers_by(Forked)
    put(child, run_child=partial(_watched, child.run_child))
    planned = Planned(
        id="t",
        study="s",
        purpose="search",
        index=0,
        point={"x": 0.3, "switch": "a"},
        seed=7,
        max_train_steps=STEPS,
        eval_every_steps=EVERY,
    )
    with ExitStack() as stack:
        yield LocalRunner.open(stack, execution, root), planned


def _watched(real: Callable[[Mapping[str, Any]], int], request: Mapping[str, Any]) -> int:
    folder = Path(request["folder"])
    if not (folder / KILL).exists():
        return real(request)
    events = Events(folder, int((folder / KILL).read_text()))
    (folder / KILL).unlink()
    events.watch()
    put(ReportLog, append=events.before("report", ReportLog.append))
    code = real(request)
    names = list(events.names)
    (folder / NAMES).write_text(json.dumps(names))
    return code
