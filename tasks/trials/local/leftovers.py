"""Processes that an earlier attempt at a trial left running: they are ended before the next one."""

import os
from contextlib import suppress
from pathlib import Path

from tasks.trials.local.child import LOCK
from tasks.trials.local.reaper import kill

MARK = "TUNEBOOK_TRIAL_FOLDER"  # in the environment of every attempt, and so of all that it starts


def end_leftovers(folder: Path) -> None:
    """End every process that an earlier attempt in the (resolved) folder left, in whatever session it hides, by /proc.

    Such a process has the folder's lock open, which a fork inherits, or the folder in its environment, which a program
    inherits. For whoever owns the trial and begins a new attempt: nothing else can have either. What shed both, or is
    another user's, stays; where it still has the lock, the new attempt waits for it and fails.

    Playbook: J12
    """
    lock, mark = str(folder / LOCK), f"{MARK}={folder}".encode()
    if not (folder / LOCK).exists():
        return  # nobody was here before
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or is another user's
            if place.name != str(os.getpid()) and (_holds(place, lock) or mark in _environment(place)):
                kill(int(place.name))


def _holds(place: Path, lock: str) -> bool:
    """Whether the process has the file open."""
    for fd in (place / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            if os.readlink(fd) == lock:
                return True
    return False


def _environment(place: Path) -> list[bytes]:
    """What the process was started with."""
    return (place / "environ").read_bytes().split(b"\0")
