"""Locks that the kernel frees when their holder dies, however it dies."""

import fcntl
import os
import re
import socket
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tasks.ledger.error import LedgerError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PROBE_S = 0.5  # `held` looks by taking the lock for a moment; an owner waits that out before it gives up
_taken: "weakref.WeakSet[Lock]" = weakref.WeakSet()


class Lock:
    """An exclusive flock on a file, held until `release` or the death of this process."""

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd
        _taken.add(self)

    def release(self) -> None:
        """Frees the lock; a second call does nothing."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _forget() -> None:
    """A forked child shares its parent's flock: unless it lets go, the lock outlives a parent that was killed."""
    for lock in list(_taken):
        lock.release()


os.register_at_fork(after_in_child=_forget)


def checked_name(round_id: str) -> str:
    """The round's id, if it may become a path.

    Raises:
        LedgerError: where it is anything but letters, digits, `_`, `.` and `-`, at most 64, beginning with one of
            the first two.
    """
    if not isinstance(round_id, str) or not NAME.fullmatch(round_id):
        raise LedgerError(
            f"round id {str(round_id)[:80]!r} is no name: letters, digits, '_', '.' and '-', at most 64, "
            "beginning with a letter or a digit"
        )
    return round_id


def me() -> str:
    """Who holds or writes, as `process 123 on host`."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def take(path: Path, what: str) -> Lock:
    """The lock on `path`, taken without waiting for an owner; the file says who holds it.

    Raises:
        LedgerError: where somebody else holds it, with the holder; or where there can be no lock.
    """
    fd = _opened(path, os.O_RDWR | os.O_CREAT)
    until = time.monotonic() + _PROBE_S
    while not _try(fd):
        if time.monotonic() > until:
            holder = os.pread(fd, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(fd)
            raise LedgerError(f"{what} is being run by {holder}: wait for it, or stop it and say the command again")
        time.sleep(0.01)
    with suppress(OSError):  # on a full disk the lock holds without the name of its holder
        os.ftruncate(fd, 0)
        os.pwrite(fd, me().encode(), 0)
    return Lock(fd)


def held(path: Path) -> bool:
    """Whether somebody, this process included, holds the lock on `path` now."""
    if not path.exists():
        return False
    fd = _opened(path, os.O_RDWR)
    try:
        return not _try(fd, fcntl.LOCK_SH)  # two that look at once do not see each other
    finally:
        os.close(fd)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits until no other process is inside a block on the same `path`, and keeps them out."""
    fd = _opened(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _opened(path: Path, flags: int) -> int:
    try:
        if flags & os.O_CREAT:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LedgerError(f"the lock {path} cannot be opened: {error.strerror}; name another tracking.root") from error


def _try(fd: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
