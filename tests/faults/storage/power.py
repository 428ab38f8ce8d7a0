"""What a power loss would leave of a folder: only what was synced, cut around every call that touches the disk."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Names = dict[str, int]
_WAYS = ("old names", "new names", "half of the data")


class Power:
    """Records what is durable in a folder, and shows `check` what is left of it before and after every call.

    A file keeps what it had at its last fsync. Names (of new, renamed and removed files) are surely those of the
    folder's last fsync; but the file system may have written them earlier, and a part of the data too, so each cut is
    tried in three ways. `ignored` ("files" or "folders") makes those fsyncs mean nothing: the code without them.
    """

    def __init__(self, folder: Path, check: Callable[[Path], object], ignored: str = "") -> None:
        self._folder, self._check, self._ignored = folder, check, ignored
        self._after = folder.with_name(f"{folder.name}-after")
        self._data: dict[int, bytes] = {}
        self._names: Names = {}
        self._held: list[int] = []  # a removed file's number must not go to another
        self._cutting = False
        self.cuts = 0
        self.wrong: list[str] = []

    @contextmanager
    def recorded(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """While this lasts every call that touches the disk is followed by a power loss, and by its undoing."""
        for name in ("fsync", "replace", "rename", "unlink"):
            patch.setattr(os, name, self._followed(getattr(os, name)))
        try:
            yield
        finally:
            patch.undo()
            for fd in self._held:
                os.close(fd)

    def _followed(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*values: Any, **named: Any) -> Any:
            if self._cutting:
                return real(*values, **named)
            self._cut(f"what came before {real.__name__}")
            result = real(*values, **named)
            if real.__name__ == "fsync":
                self._synced(values[0])
            self._cut(real.__name__)
            return result

        return call

    def _synced(self, fd: int) -> None:
        folder = stat.S_ISDIR(os.fstat(fd).st_mode)
        if folder and self._ignored != "folders":
            self._names = self._now()
        if not folder and self._ignored != "files":
            self._held.append(os.dup(fd))
            self._data[os.fstat(fd).st_ino] = Path(f"/proc/self/fd/{fd}").read_bytes()

    def _now(self) -> Names:
        return {path.name: path.stat().st_ino for path in self._folder.iterdir()}

    def _cut(self, what: str) -> None:
        self.cuts += 1
        self._cutting = True
        for way in _WAYS:
            self._after.mkdir()
            for name, inode in (self._names if way == "old names" else self._now()).items():
                (self._after / name).write_bytes(self._left(name, inode, way))
            try:
                self._check(self._after)
            except Exception as error:
                self.wrong.append(f"after {what} {self.cuts}, {way}: {error!r}")
            shutil.rmtree(self._after)
        self._cutting = False

    def _left(self, name: str, inode: int, way: str) -> bytes:
        """What a file has after the loss: what was synced, or half of what was written since."""
        synced, path = self._data.get(inode, b""), self._folder / name
        if way != "half of the data" or not path.exists():
            return synced
        written = path.read_bytes()
        return synced if written == synced else written[: len(written) // 2]
