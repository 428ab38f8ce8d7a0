"""What this process writes, makes or removes, by Python's own audit events."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_writes: list[str] | None = None


_MAKES = {
    "os.mkdir": 2,
    "os.remove": 1,
    "os.rmdir": 1,
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
}  # where dir_fd is


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    """Note what is written, made or removed; a path relative to an open folder as that folder."""
    if _writes is None:
        return
    paths: tuple[object, ...] = ()
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        paths = arguments[:1]
    elif event in _MAKES:
        fd = arguments[_MAKES[event]]
        paths = (f"/proc/self/fd/{fd}",) if isinstance(fd, int) and fd >= 0 else arguments[: _MAKES[event]]
    elif event in ("os.truncate", "sqlite3.connect"):
        paths = arguments[:1]
    _writes.extend(os.path.realpath(os.fsdecode(p)) for p in paths if isinstance(p, str | bytes))


@contextmanager
def written() -> Iterator[list[str]]:
    """Every path that this process writes, makes or removes while the context lasts."""
    global _writes
    if not hasattr(sys, "_tunebook_hears"):
        sys.addaudithook(_heard)
        sys._tunebook_hears = True  # type: ignore[attr-defined]
    _writes = []
    try:
        yield _writes
    finally:
        _writes = None


def outside(paths: list[str], base: Path) -> set[str]:
    """What was written elsewhere than under `base`; caches of libraries and devices are no workspace's business."""
    kept = (f"{base}{os.sep}", "/dev/", "/proc/", *(str(Path.home() / f) for f in (".cache", ".config/matplotlib")))
    return {p for p in paths if p and not p.startswith(kept) and "__pycache__" not in p and p != str(base)}
