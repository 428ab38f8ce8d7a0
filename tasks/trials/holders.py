"""What a trial forked away from itself keeps the trial's lock, and with it every further attempt from beginning."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOCK = ".lock"  # held by the attempt that writes into the folder, and freed by the kernel with its last process


def kill_holders(lock: Path) -> None:
    """End every process that still has the lock of a trial which has ended; nothing where nobody has it."""
    if _free(lock):
        return
    for pid in _holders(lock):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _free(lock: Path) -> bool:
    """Whether nobody has it, or it cannot be told."""
    try:
        fd = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    finally:
        os.close(fd)
    return True


def _holders(lock: Path) -> Iterator[int]:
    """The processes that have the file open, by /proc, but for this one."""
    wanted = lock.stat()
    for folder in Path("/proc").glob("[0-9]*/fd"):
        pid = int(folder.parent.name)
        with suppress(OSError):  # it has ended, or is another user's
            if pid != os.getpid() and any(_same(fd, wanted) for fd in folder.iterdir()):
                yield pid


def _same(fd: Path, wanted: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(fd.stat(), wanted)
    return False
