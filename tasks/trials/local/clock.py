"""How long a trial has worked, over all its attempts, for its wall timeout."""

import time
from pathlib import Path


class Clock:
    """The seconds of the work that is kept: a line a report. What is done again does not count twice."""

    def __init__(self, path: Path) -> None:
        self._path, self._begun, self._before = path, time.monotonic(), 0.0

    @property
    def seconds(self) -> float:
        """Of this attempt so far, and of what it goes on from."""
        return self._before + time.monotonic() - self._begun

    def begin(self, step: int) -> None:
        """This attempt goes on right before `step`: what an earlier one needed up to there is its own too."""
        rows = clock_rows(self._path)
        kept = [row for row in rows if row[0] < step]
        self._before = max((seconds for _, seconds in kept), default=0.0)
        if len(kept) < len(rows):
            self._path.write_text("".join(map(_line, kept)))

    def note(self, step: int) -> None:
        """So long it took to come to that step."""
        with self._path.open("a") as file:
            file.write(_line((step, self.seconds)))


def worked(path: Path) -> float:
    """The seconds that the trial had worked when it last reported."""
    return max((seconds for _, seconds in clock_rows(path)), default=0.0)


def _line(row: tuple[int, float]) -> str:
    return f"{row[0]} {row[1]:.3f}\n"


def clock_rows(path: Path) -> list[tuple[int, float]]:
    """`(step, seconds)` at each report; the whole lines of the file, up to the first that is none."""
    rows = []
    for line in path.read_text(errors="replace").split("\n")[:-1] if path.is_file() else ():
        try:
            step, seconds = line.split()
            rows.append((int(step), float(seconds)))
        except ValueError:
            break
    return rows
