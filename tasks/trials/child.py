"""What runs in a forked child: one trial, its reports written line by line, its result as its last act."""

import json
import os
import resource
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.scope.goal import Objective
from tasks.trials.checkpoints import Checkpoints, write_atomically
from tasks.trials.running import Infeasible, MissingMetric, RunningTrial
from tasks.trials.target import bound, resolve

REPORTS = "reports.jsonl"
RESULT = "result.json"
LOG = "log.txt"
CHECKPOINTS = "checkpoints"


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


def main(request: Mapping[str, Any]) -> int:
    """Run the trial that the request describes, in its folder; the exit code says only that the result was written.

    `request`: trial, folder, target, arguments, own, point, seed, max_train_steps, eval_every_steps, objective,
    device, threads, keep_best.
    """
    folder = Path(request["folder"])
    _settle(folder, request["threads"])
    result: dict[str, Any] = {"status": "complete", "reason": "", "unread": []}
    running: RunningTrial | None = None
    try:
        running = _running(request, folder)
        arguments = bound(request["arguments"], request["own"])
        resolve(request["target"], request["own"])(running, **arguments)
    except Infeasible as error:
        result |= {"status": "infeasible", "reason": str(error)}
    except MissingMetric as error:
        result |= {"status": "missing metric", "reason": str(error)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: the trial ended, and this is why
        result |= _classified(error)
        traceback.print_exc()
    result["unread"] = list(running.point.unread) if running else []
    sys.stdout.flush()
    write_atomically(folder / RESULT, json.dumps(result))
    return 0


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


def _settle(folder: Path, threads: int) -> None:
    """The child's surroundings: its folder, its log, no input, no core dumps, its number of threads."""
    os.chdir(folder)
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)


def _classified(error: BaseException) -> dict[str, str]:
    """Out of memory is the configuration's; any other exception is the code's."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return {"status": "infeasible", "reason": f"out of memory: {str(error).splitlines()[0] if str(error) else ''}"}
    if isinstance(error, SystemExit):
        return {"status": "failed", "reason": f"called sys.exit({error.code!r})"}
    return {"status": "failed", "reason": f"{type(error).__name__}: {error}"[:500]}
