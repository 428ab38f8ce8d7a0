"""What runs in a forked child: one trial, its reports written line by line, its result as its last act."""

import faulthandler
import json
import os
import random
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.scope.goal import Objective
from tasks.trials.checkpoints import Checkpoints, write_atomically
from tasks.trials.outcome import raised
from tasks.trials.running import MissingMetric, RunningTrial
from tasks.trials.target import bound, resolve

REPORTS = "reports.jsonl"
RESULT = "result.json"
LOG = "log.txt"
CHECKPOINTS = "checkpoints"
WORK = "work"  # where the trial finds itself: what it writes there cannot meet our own files
MISSING = "missing_metric"


class Folder:
    """A sink that writes into the trial's folder; every report is there before the trial goes on."""

    def __init__(self, folder: Path, trial: str, keep_best: int) -> None:
        self._reports = (folder / REPORTS).open("a")
        self._checkpoints = Checkpoints(folder / CHECKPOINTS, trial, keep_best)

    def reported(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append one evaluation; floats by `repr`, which round-trips."""
        self._reports.write(json.dumps({"step": step, "metrics": dict(metrics)}) + "\n")
        self._reports.flush()

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        """Save one checkpoint."""
        self._checkpoints.save(step, state, objective)

    def last(self) -> tuple[int, Any]:
        """The last sound checkpoint."""
        return self._checkpoints.last()

    def close(self) -> None:
        """Nothing more will be reported."""
        self._reports.close()


def main(request: Mapping[str, Any]) -> int:
    """Run the trial that the request describes, in its folder; the exit code says only that the result was written.

    `request`: trial, folder, target, arguments, own, point, seed, max_train_steps, eval_every_steps, objective,
    device, threads, keep_best.

    Playbook: E8
    """
    folder, leader = Path(request["folder"]), os.getpid()
    faulthandler.enable()  # where in the code a segmentation fault was
    os.chdir(folder / WORK)
    result: dict[str, Any] = {"status": "complete", "reason": ""}
    running = _running(request, folder)
    try:
        target = resolve(request["target"], request["own"])
        arguments = bound(request["arguments"], request["own"])
        seed_all(request["seed"], request["threads"])
        target(running, **arguments)
    except MissingMetric as error:
        result = {"status": MISSING, "reason": str(error)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: the trial ended, and this is why
        status, reason = raised(error)
        result = {"status": status, "reason": reason}
        with suppress(Exception):  # the trial may have closed or replaced any stream
            traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    if os.getpid() != leader:
        return 1  # a process that the trial forked came back; the result is not its to write
    write_atomically(folder / RESULT, json.dumps({**result, "unread": list(running.point.unread)}))
    return 0


def seed_all(seed: int, threads: int) -> None:
    """Seed every global generator that is loaded, and set torch's threads.

    All children inherit one state from the server. Left alone, the retrains of a program that never seeds would all
    be the same run, and its trial variance would read as zero.
    """
    random.seed(seed)
    if "numpy" in sys.modules:
        import numpy as np

        np.random.seed(seed % 2**32)
    if "torch" in sys.modules:
        import torch

        torch.manual_seed(seed)
        torch.set_num_threads(threads)


def _running(request: Mapping[str, Any], folder: Path) -> RunningTrial:
    return RunningTrial(
        point=request["point"],
        seed=request["seed"],
        max_train_steps=request["max_train_steps"],
        eval_every_steps=request["eval_every_steps"],
        objective=Objective.model_validate(request["objective"]),
        sink=Folder(folder, request["trial"], request["keep_best"]),
        device=request["device"],
    )
