"""Training programs of a user, each of which ends in another way. They are run in child processes by the tests."""

import ctypes
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np


class OutOfMemoryError(RuntimeError):
    """What torch calls its own, for tests that need no torch."""


def steady(trial: Any, scale: float = 1.0) -> None:
    """Reports a curve that is no round number, and reads one of its two hyperparameters."""
    rng = np.random.default_rng(trial.seed)
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        trial.report(step, loss=scale * trial.point["learning_rate"] / step + rng.standard_normal() / 7, extra=step / 3)


def raises(trial: Any) -> None:
    """Reports twice, then has a bug."""
    trial.report(1, loss=0.5)
    trial.report(2, loss=0.4)
    raise ValueError("shapes (3,) and (4,) do not match\nsecond line")


def diverges(trial: Any) -> None:
    """Not a number at step 3."""
    for step, loss in enumerate((0.5, 0.4, float("nan"), 0.3), start=1):
        trial.report(step, loss=loss)


def diverges_and_swallows(trial: Any) -> None:
    """Not a number at step 2, in a loop that catches everything."""
    for step, loss in enumerate((0.5, float("inf"), 0.3), start=1):
        try:
            trial.report(step, loss=loss)
        except Exception:
            print("never mind")


def diverges_and_stumbles(trial: Any) -> None:
    """Not a number at step 1, and a bug in what cleans up after it."""
    try:
        trial.report(1, loss=float("nan"))
    finally:
        raise RuntimeError("no file to close")


def faults(trial: Any) -> None:
    """Reads address zero."""
    trial.report(1, loss=0.5)
    ctypes.string_at(0)


def vanishes(trial: Any) -> None:
    """Ends the process behind everyone's back."""
    trial.report(1, loss=0.5)
    os._exit(0)


def exits(trial: Any) -> None:
    """Ends as a script does."""
    trial.report(1, loss=0.5)
    sys.exit(0)


def hangs(trial: Any) -> None:
    """Reports once and never ends, deaf to SIGTERM."""
    trial.report(1, loss=0.5)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


def stops(trial: Any) -> None:
    """Stops itself, as a debugger would."""
    trial.report(1, loss=0.5)
    os.kill(os.getpid(), signal.SIGSTOP)


def says_nothing(trial: Any) -> None:
    """Ends well, without a single report."""


def reports_another_metric(trial: Any) -> None:
    """Knows the objective by another name."""
    trial.report(1, accuracy=0.5)


def eats_memory(trial: Any) -> None:
    """Asks for more than there is."""
    raise MemoryError("cannot allocate 9 TiB")


def eats_device_memory(trial: Any) -> None:
    """Asks for more than the device has, in torch's words."""
    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 9 TiB")


def forks(trial: Any) -> None:
    """Is two for a while; one comes back with a result, and the one that counts does not."""
    other = os.fork()
    if not other:
        raise RuntimeError("the fork's own trouble")
    os.waitpid(other, 0)
    trial.report(1, loss=0.5)
    os._exit(4)


def closes_its_streams(trial: Any) -> None:
    """Leaves nothing to print to, then has a bug."""
    for stream in (sys.stdout, sys.stderr):
        stream.close()
    for fd in (0, 1, 2):
        with suppress(OSError):
            os.close(fd)
    trial.report(1, loss=0.5)
    raise ValueError("unheard")


def wanders(trial: Any) -> None:
    """Goes elsewhere and forgets to come back."""
    os.chdir("/")
    trial.report(1, loss=0.5)


def asks_for_more(trial: Any) -> None:
    """Reads a hyperparameter that the space does not have."""
    trial.point["momentum"]


def leaves_children(trial: Any, pids: str) -> None:
    """Leaves one sleeper in its process group and hides another in a session of its own."""
    sleepers = [subprocess.Popen(["sleep", "600"], start_new_session=apart) for apart in (False, True)]
    Path(pids).write_text(" ".join(str(s.pid) for s in sleepers))
    trial.report(1, loss=0.5)


def sleeps(trial: Any, pids: str) -> None:
    """Writes down who it is and what it started, and sleeps."""
    sleeper = subprocess.Popen(["sleep", "600"])
    Path(f"{pids}.tmp").write_text(f"{os.getpid()}\n{os.getppid()}\n{sleeper.pid}\n")
    os.replace(f"{pids}.tmp", pids)
    time.sleep(600)


def floods(trial: Any, megabytes: int) -> None:
    """Prints far more than anyone will read; the last line is the one that matters."""
    for _ in range(megabytes):
        sys.stdout.write("garbage " * (1 << 17))
    print("the last words")
    trial.report(1, loss=0.5)


def leaves_confusing_files(trial: Any) -> None:
    """Writes files that are called as the house calls its own, then dies."""
    Path("result.json").write_text('{"status": "complete", "score": 1}')
    Path("reports.jsonl").write_text('{"step": 9, "metrics": {"loss": 0.0}}\n')
    trial.report(1, loss=0.5)
    os._exit(3)


def looks_around(trial: Any, secret: str) -> None:
    """Reports what it can see of the world outside."""
    trial.report(
        1,
        loss=0.5,
        secret=float(secret in os.environ),
        allowed=float("TUNEBOOK_TEST_ALLOWED" in os.environ),
        typed=float(len(sys.stdin.read())),
        leader=float(os.getsid(0) == os.getpid()),
        threads=float(os.environ["OMP_NUM_THREADS"]),
        folder=float(Path.cwd().name == "work"),
    )


def never_seeds(trial: Any) -> None:
    """Draws from the global generators as it finds them."""
    trial.report(1, loss=random.random(), numpy=float(np.random.random()))


def kills_the_server(trial: Any, once: str = "") -> None:
    """Kills the process that it was forked from; with `once`, only where that file is not there yet."""
    if not once or not Path(once).exists():
        if once:
            Path(once).touch()
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    trial.report(1, loss=0.5)


def says_what_is_no_text(trial: Any) -> None:
    """Speaks of a path that is no Unicode, and names a metric by it."""
    broken = os.fsdecode(b"bad \xff")
    trial.report(1, loss=0.5, **{broken: 1.0})
    raise ValueError(broken)


def counts_too_far(trial: Any) -> None:
    """Reports a step that no store can hold."""
    trial.report(1, loss=0.5)
    trial.report(10**25, loss=0.4)


def writes_our_files(trial: Any) -> None:
    """Leaves half a result where the result belongs."""
    trial.report(1, loss=0.5)
    Path("../result.json").write_text('{"attempt": ')
    os._exit(3)


def stops_unasked(trial: Any) -> None:
    """Hears the notice that the machine is wanted back, and returns before its last step without a word."""
    trial.report(1, loss=0.5)
    os.kill(os.getpid(), signal.SIGTERM)
    while not trial.stopping:
        time.sleep(0.01)
