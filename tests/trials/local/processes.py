"""Processes as a test sees them: alive or gone, whose children, and when."""

import time
from collections.abc import Callable
from pathlib import Path


def written(path: Path) -> list[int]:
    """The pids in a file that appears as a whole, once it is there."""
    assert gone_in_time(lambda: not path.exists()), f"{path} never appeared"
    return [int(p) for p in path.read_text().split()]


def gone_in_time(left: Callable[[], object], seconds: float = 30.0) -> bool:
    """Whether what is left becomes nothing in time; the limit only bounds a test that has failed."""
    end = time.monotonic() + seconds
    while left():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie: those wait for a parent of which we know nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> set[int]:
    """The processes whose parent is `pid`, zombies included."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.add(int(stat.parent.name))
    return found
