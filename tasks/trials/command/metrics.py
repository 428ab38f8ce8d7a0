"""The file of JSON lines to which a program appends its metrics, read while it runs.

    {"step": 20, "valid_error": 0.31, "train_loss": 0.9}

One line an evaluation, steps increasing. `NaN`, `Infinity`, `-nan` as C and awk print them, their names as texts, and
null (as many writers say NaN) are not finite, and end the trial where they are the objective's; other values that are
no numbers are left out.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.files import write_atomically

Row = tuple[int, dict[str, float]]
LONGEST = 1 << 20  # bytes of a line; who writes a longer one writes something else
_BARE = re.compile(rb"(:\s*)([+-]?(?:nan|inf(?:inity)?))(?=\s*[,}])", re.IGNORECASE)


class MetricsFile:
    """What this attempt's program writes, after what earlier attempts' wrote: a step is never there twice.

    The program gets a fresh file. What earlier ones wrote is kept beside it: a coordinator and its trial may have been
    killed between a program's line and our look at it, and a program that resumes says nothing twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.resumed = path.exists()
        self._earlier = _earlier(path)
        self._read = 0
        self._count = 0
        self._rest = b""
        self._begun = False

    def rows(self, ended: bool = False) -> Iterator[Row]:
        """The evaluations since the last look. `ended`: nobody writes any more, so a last line may lack its end.

        Raises:
            ValueError: a whole line is no evaluation.
        """
        for step, metrics in self._new(ended):
            yield from self._before(step)
            yield step, metrics
        if ended:
            yield from self._before(math.inf)

    def _before(self, step: float) -> Iterator[Row]:
        """What earlier attempts wrote before the first step of this one."""
        if not self._begun:
            self._begun = True
            yield from (row for row in self._earlier if row[0] < step)

    def _new(self, ended: bool) -> Iterator[Row]:
        data = self._rest + self._more()
        *lines, self._rest = data.split(b"\n")
        for line in lines:
            self._count += 1
            if line.strip():
                yield _row(line, self._count)
        if len(self._rest) > LONGEST:
            raise _broken(self._rest, self._count + 1)
        if ended and (last := _whole(self._rest)) is not None:
            self._rest = b""
            yield last

    def _more(self) -> bytes:
        """What was appended since the last look; the file may have been opened anew for writing, or be gone."""
        if not self.path.is_file():
            return b""
        with self.path.open("rb") as file:
            if self.path.stat().st_size < self._read:
                self._read, self._rest = 0, b""
            file.seek(self._read)
            data = file.read()
        self._read += len(data)
        return data


def _earlier(path: Path) -> list[Row]:
    """The evaluations of all earlier attempts, put by; `path` is a fresh and empty file when this returns."""
    kept = path.with_suffix(".earlier.jsonl")
    rows = rows_in(kept)
    last = rows_in(path)
    if last:
        rows = [row for row in rows if row[0] < last[0][0]] + last
        write_atomically(kept, "".join(json.dumps({"step": step, **metrics}) + "\n" for step, metrics in rows))
    path.unlink(missing_ok=True)  # not emptied: a process that still has it open writes to nobody
    path.touch()
    return rows


def rows_in(path: Path) -> list[Row]:
    """The evaluations of a file that nobody writes any more, up to the first line that is none."""
    rows: list[Row] = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else ():
        row = _whole(line)
        if row is None and line.strip():
            break
        rows += [row] if row else []
    return rows


def _whole(line: bytes) -> Row | None:
    try:
        return _row(line, 0)
    except ValueError:
        return None


def _row(line: bytes, count: int) -> Row:
    try:
        tree = json.loads(_BARE.sub(rb'\1"\2"', line))
    except (ValueError, RecursionError):
        tree = None
    step = tree.get("step") if isinstance(tree, dict) else None
    if isinstance(step, bool) or not isinstance(step, int | float) or step % 1 or not abs(step) < 2**63:
        raise _broken(line, count)
    metrics = {name: _number(value) for name, value in tree.items() if name != "step"}
    return int(step), {name: value for name, value in metrics.items() if value is not None}


def _broken(line: bytes, count: int) -> ValueError:
    said = line[:80].decode(errors="replace")
    return ValueError(f'line {count} of the metrics is no JSON object with a whole number as "step": {said!r}')


def _number(value: Any) -> float | None:
    """The value as a number, not a number where it says so, and None where it is something else."""
    if value is None:
        return math.nan
    if isinstance(value, str) and value.strip().lower().lstrip("+-") not in ("nan", "inf", "infinity"):
        return None
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except OverflowError:
        return math.inf if value > 0 else -math.inf
