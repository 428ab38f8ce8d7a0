"""Training programs of a user that are cut off in the middle, and what becomes of them the next time."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np


def first_time(mark: str = "here") -> bool:
    """Whether this trial has not come by before; its working folder outlives an attempt."""
    seen = Path(mark).exists()
    Path(mark).touch()
    return not seen


def walks(trial: Any, dies_at: int = 0, forgets: str = "", ask: bool = True, always: bool = False) -> None:
    """A random walk that saves after every report; dies once (or always) before step `dies_at` is reported.

    With `ask` False it never resumes; `forgets` names a part of its state that it does not restore.
    """
    rng, level = np.random.default_rng(trial.seed), 1.0
    step, state = trial.resume() if ask else (0, None)
    if state is not None:
        level = state["level"]
        if forgets != "rng":
            rng.bit_generator.state = state["rng"]
    while step < trial.max_train_steps:
        step += 1
        level += float(rng.standard_normal()) / 10
        if step == dies_at and (always or first_time()):
            os.kill(os.getpid(), signal.SIGKILL)
        trial.report(step, loss=level)
        trial.save(step, {"level": level, "rng": rng.bit_generator.state})


def bug_at_seven(trial: Any) -> None:
    """The same bug at the same step every time."""
    step, _ = trial.resume()
    for at in range(step + 1, trial.max_train_steps + 1):
        if at == 7:
            raise ValueError("shapes do not match")
        trial.report(at, loss=1.0 / at)
        trial.save(at, {})


def unlucky(trial: Any) -> None:
    """Fails in another way each time."""
    count = len(list(Path().glob("try*")))
    Path(f"try{count}").touch()
    trial.report(1, loss=0.5)
    raise ConnectionError(f"lost connection {count}")


def falls_silent(trial: Any) -> None:
    """Reports for a while, longer than it may be silent, then never again."""
    for step in range(1, 9):
        time.sleep(0.25)
        trial.report(step, loss=1.0 / step)
    time.sleep(600)


def allocates(trial: Any, gibibytes: float) -> None:
    """Asks for memory, and uses it."""
    block = np.ones(int(gibibytes * 2**30 / 8))
    trial.report(1, loss=float(block[0]))


def waits_for_the_notice(trial: Any, mark: str) -> None:
    """Trains until it is asked to stop, and saves then; the second time it comes to its end."""
    step, _ = trial.resume()
    trial.report(step + 1, loss=1.0 / (step + 1))
    Path(mark).write_text(str(os.getpid()))
    while not trial.stopping and step == 0:
        time.sleep(0.01)
    trial.save(step + 1, {})
    trial.report(step + 2, loss=1.0 / (step + 2))


def deaf(trial: Any, mark: str) -> None:
    """Ignores the notice."""
    trial.report(1, loss=0.5)
    Path(mark).write_text(str(os.getpid()))
    time.sleep(600)


def numbers_on(trial: Any) -> None:
    """Resumes by itself, from a file of its own; reports steps 1, 2, 3 and then 3, 4, 5."""
    own = Path("own.txt")
    begin = int(own.read_text()) if own.exists() else 0
    for step in range(begin + 1, begin + 4):
        trial.report(step, loss=10.0 * (begin + 1) + step)
        own.write_text("2")
    if begin == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def leaves_a_daemon(trial: Any, pid: str, how: str) -> None:
    """Hides a process in a session of its own and dies; the second time it comes to its end."""
    if first_time():
        if how == "program":
            daemon = subprocess.Popen(["sleep", "600"], start_new_session=True, cwd="/").pid
        elif (daemon := os.fork()) == 0:
            os.chdir("/")
            os.setsid()
            time.sleep(600)
        while os.getsid(daemon) == os.getsid(0):  # who dies first takes along what is still in its session
            time.sleep(0.001)
        Path(pid).write_text(str(daemon))
        os.kill(os.getpid(), signal.SIGKILL)
    trial.report(1, loss=0.5)


def works_slowly(trial: Any, seconds: float, dies_at: int = 0) -> None:
    """So many seconds a step, saved every time; killed once before step `dies_at`."""
    step, _ = trial.resume()
    while step < trial.max_train_steps:
        step += 1
        if step == dies_at and first_time():
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(seconds)
        trial.report(step, loss=1.0 / step)
        trial.save(step, {})


def saves_first_of_all(trial: Any) -> None:
    """Saves once more what it goes on from, before anything else."""
    step, state = trial.resume()
    if state is not None:
        trial.save(step, state)
    for at in range(step + 1, trial.max_train_steps + 1):
        if at == 4 and first_time():
            os.kill(os.getpid(), signal.SIGKILL)
        trial.report(at, loss=abs(at - 3) + 1.0)
        trial.save(at, {})


def speechless(trial: Any) -> None:
    """Fails with an error that cannot say what it is."""

    class Speechless(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    raise Speechless


def names_too_much(trial: Any, count: int) -> None:
    """Reports so many metrics."""
    trial.report(1, loss=0.5, **{f"m{i}": 0.0 for i in range(count - 1)})


def needs_a_module(trial: Any) -> None:
    """Imports what does not fit into its memory."""
    raise ImportError("libbig.so: failed to map segment from shared object: Cannot allocate memory")


def leaves_without_words(trial: Any) -> None:
    """Exits with something that cannot be shown."""

    class Code:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    raise SystemExit(Code())
