"""Stories of single parts, for a process of its own each: late results, rival promotions, damaged files, NaN."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasks.ledger import LedgerError, open_ledger
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.local.execute import run_trial
from tests.faults.kill.trial import site, trial_killed
from tests.faults.ledger.children import PLAN, begun
from tests.faults.storage.test_checkpoints import LAST, copied, flip, loaded, state
from tests.faults.storage.test_power import lost, saves

EVENTS = 72  # of a trial of the reference round, at least


def late_results(root: Path) -> list[str]:
    """An attempt that was thought dead hands in its result after another has begun, and after that one's."""
    with begun(root) as ledger, open_ledger(root) as other:
        said = []
        for i, trial in enumerate(plan["id"] for plan in PLAN[:2]):
            first, second = ledger.start("r1", trial), other.start("r1", trial)
            early = i == 0 and ledger.finish("r1", trial, first, {"value": -1.0}, b"late")
            accepted = other.finish("r1", trial, second, {"value": 2.0}, b"second")
            late = early or ledger.finish("r1", trial, first, {"value": -1.0}, b"late")
            if late or not accepted or ledger.results("r1")[trial] != ({"value": 2.0}, b"second"):
                said.append(f"{trial}: {ledger.results('r1').get(trial)} stands, late {late}, second {accepted}")
        return said


def rival_promotions(root: Path) -> list[str]:
    """Two rounds that began with the same incumbent promote one after the other."""
    with open_ledger(root) as one, open_ledger(root) as other:
        said = []
        for generation in range(3):
            won = [
                ledger.promote("w", generation, {"x": 1}, f"{name}{generation}", name, {"gain": 1}, "2026-01-01")
                for name, ledger in (("a", one), ("b", other))
            ]
            if won != [True, False] or len(one.generations("w")) != generation + 1:
                said.append(f"D1: {won} against generation {generation}: {len(one.generations('w'))} generations")
        return said


def flipped_bits(root: Path) -> list[str]:
    """A bit of the last checkpoint flips: the one before is loaded."""
    kept = Checkpoints(root / "sound", "t")
    for step, loss in ((1, 0.1), (2, 0.3), (3, 0.2)):
        kept.save(step, state(step), loss, {"bytes": step, "sha256": "0"})
    size, said = (root / "sound" / LAST).stat().st_size, []
    for run, byte in enumerate(np.linspace(0, size - 1, 24).astype(int).tolist()):
        folder = copied(root / "sound")
        flip(folder / LAST, byte, run % 8)
        try:
            found = loaded(folder, Checkpoints.last)
        except Exception as error:
            found = type(error).__name__
        if found != "2":
            said.append(f"I7: byte {byte} flipped: {found}")
    return said


def power_losses(root: Path) -> list[str]:
    """The power goes at every call that touches the disk while checkpoints are saved."""
    with pytest.MonkeyPatch.context() as patch:
        return [f"A4: {what}" for what in lost(saves, root / "saved", 3, patch).wrong]


def not_a_number(root: Path) -> list[str]:
    """A trial whose loss is once not a number is infeasible and has no best value."""
    with site(root, "own.diverges") as (runner, planned):
        trial = run_trial(planned, runner.execution, runner.server, root / "trial", "cpu")
    if (trial.status, trial.best_value) != ("infeasible", None):
        return [f"I10: {trial.status}, best {trial.best_value} at step {trial.best_step}"]
    return []


def unfinished_saves(root: Path) -> list[str]:
    """A trial's process is killed while it says what it has saved, and while it hands in its result."""
    return trial_killed(root, near="checkpoints/manifest")[0] + trial_killed(root / "result", near="result")[0]


def every_event_of_a_trial(root: Path) -> list[str]:
    """A trial's process is killed at each of its events."""
    said, names = trial_killed(root)
    return said if len(names) >= EVENTS else [*said, f"only {len(names)} events"]


def some_events_of_a_trial(root: Path) -> list[str]:
    """A trial's process is killed at every third of its events."""
    return trial_killed(root, range(2, EVENTS, 3))[0]


def owns(root: str, at: float, refused: str) -> int:
    """Takes a round at a moment; who gets it is killed once somebody was refused; 3 where it is refused."""
    with open_ledger(root) as ledger:
        time.sleep(max(0.0, at - time.time()))
        try:
            ledger.own("r1")
        except LedgerError as error:
            Path(refused).write_text(str(error))
            return 3
        until = time.monotonic() + 5
        while not Path(refused).exists() and time.monotonic() < until:
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0


def asked(name: str, root: str, mutant: str | None = None) -> int:
    """Asks a story of this module in this process, under a mutant; its violations stand in `root`/said."""
    if mutant:
        from tests.faults.kill.mutants import MUTANTS

        MUTANTS[mutant]()
    Path(root).mkdir(parents=True)
    said = STORIES[name](Path(root))
    (Path(root) / "said").write_text(json.dumps(said))
    return 0


_STORIES: tuple[Callable[[Path], list[str]], ...] = (
    *(late_results, rival_promotions, flipped_bits, power_losses, not_a_number, unfinished_saves),
    *(every_event_of_a_trial, some_events_of_a_trial),
)
STORIES = {story.__name__: story for story in _STORIES}
