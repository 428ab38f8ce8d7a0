"""A trial's curve on disk, a line an evaluation, continued by later attempts."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class ReportLog:
    """The curve so far of one trial, as the attempt that runs now goes on with it.

    An attempt that resumes begins right after its checkpoint; one that does not begins with its first report, and
    what an earlier attempt reported at or after that step is replaced: a step is never there twice.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b")
        self._hash = hashlib.sha256()
        self._length = 0
        self._begun = False
        self._follow(self._sound_length(None))

    def append(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add one evaluation; floats by `repr`, which round-trips. It is in the file when this returns."""
        self.begin(step)
        line = json.dumps({"step": step, "metrics": dict(metrics)}).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        self._hash.update(line)
        self._length += len(line)

    def begin(self, step: int) -> bool:
        """Whether this was the attempt's first word: what an earlier one reported from `step` on is then dropped."""
        if self._begun:
            return False
        self._begun = True
        self._follow(self._sound_length(step))
        return True

    def seal(self) -> dict[str, Any]:
        """How long the curve is now and its sha256, once it is on disk: what a checkpoint remembers of it."""
        os.fsync(self._file.fileno())
        return {"bytes": self._length, "sha256": self._hash.hexdigest()}

    def has(self, seal: Mapping[str, Any] | None) -> bool:
        """Whether the file still begins with the curve that was sealed; a checkpoint without a seal has no curve."""
        if seal is None:
            return False
        self._file.seek(0)
        head = self._file.read(int(seal["bytes"]))
        return bool(len(head) == seal["bytes"] and hashlib.sha256(head).hexdigest() == seal["sha256"])

    def cut(self, seal: Mapping[str, Any] | None) -> None:
        """Go on right after what was sealed, with nothing where nothing was."""
        self._follow(0 if seal is None else int(seal["bytes"]))

    def reported(self, metric: str) -> bool:
        """Whether an earlier attempt has reported the metric."""
        return any(metric in metrics for _, metrics, _ in self._rows())

    def close(self) -> None:
        """Nothing more will be reported."""
        self._file.close()

    def _rows(self) -> Iterator[tuple[int, dict[str, float], int]]:
        self._file.seek(0)
        return _rows(self._file.read())

    def _sound_length(self, before: int | None) -> int:
        """How many bytes hold whole rows, of steps before `before`."""
        length = 0
        for step, _, end in self._rows():
            if before is not None and step >= before:
                break
            length = end
        return length

    def _follow(self, length: int) -> None:
        self._file.truncate(length)
        self._file.seek(0)
        self._hash = hashlib.sha256(self._file.read())
        self._length = length


def read_reports(path: Path) -> dict[int, dict[str, float]]:
    """`{step: {metric: value}}` as a child wrote it; a last line that was cut off is left out."""
    return {step: metrics for step, metrics, _ in _rows(path.read_bytes())} if path.is_file() else {}


def _rows(text: bytes) -> Iterator[tuple[int, dict[str, float], int]]:
    """`(step, metrics, end)` of every whole line up to the first that is none; `end` counts bytes."""
    end = 0
    for line in text.split(b"\n")[:-1]:
        end += len(line) + 1
        try:
            row = json.loads(line)
            yield row["step"], row["metrics"], end
        except (ValueError, KeyError, TypeError):
            return
