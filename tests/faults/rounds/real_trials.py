"""Trials that really train, killed by SIGKILL whenever one likes, and held against one that nobody touched."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.record import Value
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.checkpoints.likeness import unlike
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.reports import read_reports
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Trial
from tests.trials.example_trials import execution, plan

OWN = str(Path(__file__).parent / "own")
STEPS, EVERY, WARMUP = 240, 20, 30  # the steps of a trial are 270: its warmup is put in front
TOTAL = STEPS + WARMUP
PRELOAD = ("tasks.trials.local.child", "torch", "tasks.trials.supervised.training", "sklearn.datasets")
GIVEN: dict[str, Any] = {"schedule": "cosine", "warmup_steps": WARMUP, "batch_size": 64, "label_smoothing": 0.1}
DIGITS = {"_target_": "tasks.trials.workloads.digits.load"}
MNIST1D = {"_target_": "tasks.trials.workloads.mnist1d.load"}
NESTEROV: dict[str, Value] = {"optimizer": "nesterov", "learning_rate": 0.05, "one_minus_momentum": 0.1}
ADAM: dict[str, Value] = {"optimizer": "adam", "learning_rate": 0.003, "weight_decay": 1e-4}
# Data, model, point: with dropout, batch norm, shuffled data and a schedule each.
TRIALS: dict[str, tuple[dict[str, str], str, dict[str, Value]]] = {
    "digits by nesterov": (DIGITS, "forgetful.network", {"width": 48, **NESTEROV}),
    "digits by adam": (DIGITS, "forgetful.network", {"width": 48, **ADAM}),
    "mnist1d by adam": (MNIST1D, "forgetful.convolution", {"width": 8, **ADAM}),
}
Moment = Callable[[Path], None]


class Range:
    """Where trials are run and killed; each in a folder of its own below `folder`."""

    def __init__(self, server: ForkServer, folder: Path) -> None:
        self._server, self._folder = server, folder

    def run(self, name: str, trial: str, kill: Moment | None = None, drop: str | None = None) -> tuple[Path, Trial]:
        """The folder and the trial, after one more attempt, which is killed when `kill` returns, unless it is over.

        `drop`: what the loop forgets; None is the house's own loop, untouched.
        """
        data, model, point = TRIALS[trial]
        arguments = GIVEN | {"data": data, "model": {"_target_": model}} | ({} if drop is None else {"drop": drop})
        target = "tasks.trials.supervised" if drop is None else "forgetful.train"
        wanted = execution(target, RunnerSettings(wall_timeout=120), own=OWN, metric="valid_error", **arguments)
        planned = plan(point=point).model_copy(update={"max_train_steps": STEPS, "eval_every_steps": EVERY})
        folder = self._folder / name
        over = threading.Event()
        killer = threading.Thread(target=self._kill, args=(kill, folder, over)) if kill else None
        if killer:
            killer.start()
        try:
            return folder, run_trial(planned, wanted, self._server, folder, "cpu")
        finally:
            over.set()
            if killer:
                killer.join()

    def _kill(self, kill: Moment, folder: Path, over: threading.Event) -> None:
        while not (pids := self._pids()) and not over.is_set():
            time.sleep(0.001)
        kill(folder)
        for pid in pids:
            if not over.is_set():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _pids(self) -> list[int]:
        link = self._server._link
        return list(link._pids.values()) if link else []


def after(seconds: float) -> Moment:
    """So long after the trial's process was there."""
    return lambda _: time.sleep(seconds)


def saved(step: int) -> Moment:
    """The moment at which the checkpoint of a step is there."""

    def wait(folder: Path) -> None:
        until = time.monotonic() + 60
        while not (folder / "checkpoints" / f"step_{step}.pt").exists() and time.monotonic() < until:
            time.sleep(0.001)

    return wait


def wrong(found: Path, whole: Path, kills: int) -> Iterator[str]:
    """What of a trial is not as if nobody had touched it: curve, kept checkpoints, and the work that it took."""
    if (found / "reports.jsonl").read_bytes() != (whole / "reports.jsonl").read_bytes():
        ours, theirs = (read_reports(folder / "reports.jsonl") for folder in (found, whole))
        first = next((step for step in theirs if ours.get(step) != theirs[step]), None)
        yield f"another curve, from step {first} on"
    ours_kept, theirs_kept = (Checkpoints(folder / "checkpoints", "t") for folder in (found, whole))
    if ours_kept.steps != theirs_kept.steps or ours_kept.best()[0] != theirs_kept.best()[0]:
        yield f"other checkpoints are kept: {ours_kept.steps}, not {theirs_kept.steps}"
    else:
        for step in theirs_kept.steps:
            places = list(unlike(theirs_kept.load(step), ours_kept.load(step)))
            if places:
                yield f"the checkpoint of step {step} differs in {', '.join(places[:5])}"
    again = (found / "work" / "updates").stat().st_size - TOTAL
    if not 0 <= again <= EVERY * kills:
        yield f"{again} steps were done again after {kills} kills"
