"""What a trial prints, on disk: the last part of it."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tasks.scope.redaction import Sieve


class Log:
    """The end of what a trial prints, without the `secrets`; the file never grows beyond twice the `size` kept."""

    def __init__(self, path: str, size: int, secrets: Sequence[str] = ()) -> None:
        self._size = size
        self._sieve = Sieve(secrets)
        self._file = Path(path).open("a+b", buffering=0)  # noqa: SIM115 - as long as the trial lives
        self._length = self._file.tell()  # earlier attempts have had their say

    def write(self, data: bytes) -> None:
        """Append; a full disk loses the trial's words and nothing else."""
        self._append(self._sieve.passed(data))

    def _append(self, data: bytes) -> None:
        with suppress(OSError):
            kept = data[-self._size :]
            self._file.write(kept)
            self._length += len(kept)
            if self._length > 2 * self._size:
                self._file.seek(-self._size, os.SEEK_END)
                tail = self._file.read(self._size)
                self._file.seek(0)
                self._file.truncate()
                self._file.write(tail)
                self._length = len(tail)

    def close(self) -> None:
        """Close the file."""
        self._append(self._sieve.rest())
        with suppress(OSError):
            self._file.close()
