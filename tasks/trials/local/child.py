"""What a trial's child process does: seeds, the user's callable, reports line by line, the result last."""

import faulthandler
import fcntl
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.files import write_atomically
from tasks.scope.error import InputError
from tasks.scope.goal import Objective
from tasks.scope.redaction import Secrets
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.checkpoints.told import note_told
from tasks.trials.local.clock import Clock
from tasks.trials.local.shell import shell_path
from tasks.trials.local.signature import check_signature
from tasks.trials.outcome import ProgramFailed, out_of_space, raised, timed_out
from tasks.trials.reports import ReportLog
from tasks.trials.running import Infeasible, Interrupted, MissingMetric, RunningTrial, storable
from tasks.trials.target import bound, is_ours, own_folders, resolve, step_aside, targets_at

REPORTS = "reports.jsonl"
SECONDS = "seconds.txt"  # which the trial has worked, beside the steps of its reports
RESULT = "result.json"
LOG = "log.txt"
CHECKPOINTS = "checkpoints"
WORK = "work"  # where the trial finds itself: what it writes there cannot meet our own files
LOCK = ".lock"  # held by the attempt that writes into the folder, and freed by the kernel with its last process
MISSING, INTERRUPTED = "missing_metric", "interrupted"
BUSY = 75  # exit code: an earlier attempt would not leave the folder; EX_TEMPFAIL of sysexits.h
FULL = 74  # exit code: no space left for the result; EX_IOERR
REASON = 1000  # characters of one
_PATIENCE = 15.0  # seconds for an earlier attempt's process to be gone: it dies within one of its coordinator's death


class Folder:
    """A sink that writes into the trial's folder; every report is there before the trial goes on.

    What earlier attempts left there is gone on with: see `ReportLog`.
    """

    def __init__(
        self, folder: Path, trial: str, keep_best: int, wall_timeout: float, objective: Objective | None = None
    ) -> None:
        self._folder, self._objective = folder, objective
        self.reports = ReportLog(folder / REPORTS)
        self._clock, self._wall_timeout = Clock(folder / SECONDS), wall_timeout
        self._checkpoints = Checkpoints(folder / CHECKPOINTS, trial, keep_best)
        self._resumed: int | None = None  # the step that this attempt goes on from

    def reported(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append one evaluation.

        Raises:
            Infeasible: the wall timeout is over, also where an earlier attempt has used most of it.
        """
        self._begin(step)
        self.reports.append(step, metrics)
        if self._objective and self._objective.metric in metrics:  # of a program that saves before it reports
            self._checkpoints.judge(step, self._objective.sign * metrics[self._objective.metric])
        self._clock.note(step)
        if self._clock.seconds > self._wall_timeout:
            raise Infeasible(timed_out(self._wall_timeout))

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        """Save one checkpoint, with the curve that led to it."""
        if step == self._resumed:  # once more what it goes on from: its report stays, and its loss
            objective = self._checkpoints.loss(step) if objective is None else objective
        else:
            self._begin(step)
        self._checkpoints.save(step, state, objective, self.reports.seal())
        note_told(self._folder, step, state)

    def last(self) -> tuple[int, Any]:
        """The last sound checkpoint of which the curve is there too; the attempt goes on from it."""
        step, state, curve = self._checkpoints.latest(self.reports.has)
        self._checkpoints.drop(step + 1)
        self.reports.cut(curve)
        self._resumed = None if curve is None else step
        return step, state

    def _begin(self, step: int) -> None:
        if self.reports.begin(step):
            self._checkpoints.drop(step)
            self._clock.begin(step)


def run_child(request: Mapping[str, Any]) -> int:
    """Run the trial that the request describes, in its folder; the exit code says only that the result was written.

    `request`: trial, attempt, folder, target, arguments, own, point, seed, max_train_steps, eval_every_steps,
    objective, device, threads, memory, wall_timeout, keep_best, secrets, variables (of the environment).

    Playbook: E8
    """
    folder, leader = Path(request["folder"]), os.getpid()
    faulthandler.enable()  # where in the code a segmentation fault was
    os.environ.update(request["variables"])
    _users_environment(request["own"])
    os.chdir(folder / WORK)
    if not _alone(folder / LOCK):
        print("an earlier attempt of this trial is still running", file=sys.stderr)
        return BUSY
    result: dict[str, Any] = {"status": "complete", "reason": ""}
    running = _running(request, folder)
    signal.signal(signal.SIGTERM, lambda *_: setattr(running, "stopping", True))
    try:
        _limit(request["memory"])
        recipe = {"_target_": request["target"], **request["arguments"]}
        import_all(targets_at(recipe, "workload"), request["own"])
        target = resolve(request["target"], request["own"])
        arguments = bound(request["arguments"], request["own"])
        seed_all(request["seed"], request["threads"])
        target(running, **arguments)
        if running.cut_short:  # by its own code, which heard the notice: that is no result
            result = {"status": INTERRUPTED, "reason": "it was asked to stop, and did"}
    except MissingMetric as error:
        result = {"status": MISSING, "reason": str(error)}
    except Interrupted as error:
        result = {"status": INTERRUPTED, "reason": str(error)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: the trial ended, and this is why
        status, reason = raised(error)
        result = {"status": status, "reason": reason}
        if not isinstance(error, ProgramFailed):  # the program has said so itself, and the frames are all our own
            with suppress(Exception):  # the trial may have closed or replaced any stream
                traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    if os.getpid() != leader:
        return 1  # a process that the trial forked came back; the result is not its to write
    result["reason"] = storable(Secrets(frozenset(request["secrets"])).redacted(result["reason"])[:REASON])
    result |= {"attempt": request["attempt"], "unread": list(running.point.unread), "memory": _peak_memory()}
    try:
        write_atomically(folder / RESULT, json.dumps(result))
    except OSError as error:
        if not out_of_space(error):
            raise
        return FULL
    return 0


def import_all(targets: Iterable[tuple[str, str]], own: str | None) -> None:
    """Import what the addresses lead to, ours first: a user's packages may have the names of ours, and then get them.

    `targets`: `(place in the configuration, address)` of each.

    Raises:
        InputError: as `resolve`, with the place.
    """
    aside = False
    for place, target in sorted(targets, key=lambda each: not is_ours(each[1])):
        if not aside and not is_ours(target):
            step_aside(own)
            aside = True
        try:
            resolve(target, own)
        except InputError as error:
            raise InputError(f"{place}.{error}") from error


def run_import(request: Mapping[str, Any]) -> int:
    """Import what the request names, in a child that ends with it; what came of it stands in its folder.

    `request`: folder, own, imports (`(place, address)` of each recipe), calls (`(place, address, arguments)` of each
    function that is called with a trial).
    """
    folder, said = Path(request["folder"]), ""
    _users_environment(request["own"])
    os.chdir(folder)
    try:
        import_all(request["imports"], request["own"])
        for place, target, arguments in request["calls"]:
            try:
                check_signature(resolve(target, request["own"]), target, arguments)
            except InputError as error:
                raise InputError(f"{place}.{error}") from error
    except InputError as error:
        said = str(error)
    write_atomically(folder / RESULT, json.dumps({"error": storable(said), "torch": "torch" in sys.modules}))
    return 0


def _users_environment(own: str | None) -> None:
    """What the user's programs find in the environment besides what their shell has."""
    folders = [str(folder) for folder in own_folders(own)]
    if folders:
        os.environ["TUNEBOOK_FOLDER"] = folders[0]
    os.environ["PYTHONPATH"] = os.pathsep.join([*folders, *shell_path()])


def _alone(path: Path) -> bool:
    """Whether this process has the folder for itself now, and for as long as it lives."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        else:
            return True


def _limit(memory: float | None) -> None:
    """Let the kernel refuse more than `memory` GiB; the refusal is an exception, and an infeasible trial."""
    if memory is not None:
        limit = int(memory * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _peak_memory() -> int:
    """The resident bytes of this process at their peak, and of the largest that it has started and waited for."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


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
    objective = Objective.model_validate(request["objective"])
    sink = Folder(folder, request["trial"], request["keep_best"], request["wall_timeout"], objective)
    return RunningTrial(
        point=request["point"],
        seed=request["seed"],
        max_train_steps=request["max_train_steps"],
        eval_every_steps=request["eval_every_steps"],
        objective=objective,
        sink=sink,
        device=request["device"],
        objective_seen=sink.reports.reported(objective.metric),
    )
