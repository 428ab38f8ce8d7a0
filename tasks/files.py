"""Atomic writes: a file is there as a whole or not at all, also after a kill or on a full disk."""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, content: str | bytes) -> None:
    """The file as a whole or not at all, on disk when this returns."""
    with replaced(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` once all of it is on disk; where it cannot be, nothing is left of it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")  # two may write, and the last one wins
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sweep(path)


def _sweep(path: Path) -> None:
    """Remove what processes that were killed left of their attempts at the file; another's may still be alive."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
        if not Path("/proc", left.name.split(".")[-2]).exists():
            left.unlink(missing_ok=True)
