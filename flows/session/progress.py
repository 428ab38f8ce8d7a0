"""The progress of a round while trials run: done of total, best so far, infeasible, time left.

On a terminal it is a line that changes; in a pipe or a log file a line a minute.
"""

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from flows.compose.messages import tell
from tasks.scope.goal import Objective
from tasks.text import show
from tasks.trials.trial import Trial

EVERY = 60.0  # seconds from one line to the next where nobody watches a terminal
FROM = 3  # ended trials from which on the time left is told: two say little, and the first is the slowest


class Watch:
    """Told of every trial that ends, by several threads.

    `retrains`: how many there can be at most; they join when the gate asks for them. `slots`: trials that run at once.
    """

    def __init__(
        self,
        total: int,
        objective: Objective,
        *,
        retrains: int = 0,
        slots: int = 1,
        live: bool | None = None,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._objective, self._slots, self._every, self._clock = objective, slots, every, clock
        self._lock = threading.Lock()
        self._phase, self._done, self._total, self._retrains = "trials", 0, total, retrains
        self._asked = 0  # retrains so far
        self._best: float | None = None
        self._out = 0
        self._seconds: list[float] = []  # of each trial that ended
        self._since = clock()
        self._live = sys.stderr.isatty() if live is None else live
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Left(self))
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not self._live, transient=True)
        self._task = self._progress.add_task("trials", total=total)
        self._over = threading.Event()
        self._lines = threading.Thread(target=self._a_line_each, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._progress.start()
        if not self._live:
            self._lines.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._progress.stop()

    def expect(self, more: int) -> None:
        """So many retrains begin: the gate asks for them a few at a time, until it knows enough."""
        with self._lock:
            if self._phase == "trials":
                self._phase, self._done = "retrains", 0
            self._asked += more
            self._total = max(self._asked, self._retrains)
            self._progress.update(self._task, completed=self._done, total=self._total)

    def heard(self, trial: Trial) -> None:
        """One trial more."""
        with self._lock:
            self._done += 1
            if trial.seconds > 0:
                self._seconds.append(trial.seconds)
            self._since = self._clock()
            if trial.best_value is None:
                self._out += 1
            elif self._best is None or self._objective.sign * (trial.best_value - self._best) < 0:
                self._best = trial.best_value
            said = f"{self._phase}  {self._best_text()}  {self._out} infeasible"
            self._progress.update(self._task, completed=self._done, description=said)

    def line(self) -> str:
        """How far the round is, in one line."""
        with self._lock:
            of = "of at most" if self._phase == "retrains" else "of"
            said = [f"{self._phase} {self._done} {of} {self._total}", self._best_text(), f"{self._out} infeasible"]
        return ", ".join([*said, *filter(None, [self.left()])])

    def left(self) -> str:
        """The time left, once enough trials have ended: about so long, or at most so long where it may end before.

        What runs is half done on average.
        """
        waiting = self._total - self._done
        if len(self._seconds) < FROM or waiting <= 0:
            return ""
        at_once = min(self._slots, waiting)
        mean = sum(self._seconds) / len(self._seconds)
        seconds = mean * (waiting - at_once / 2) / at_once - (self._clock() - self._since)
        return f"{'at most' if self._phase == 'retrains' else 'about'} {_roughly(max(seconds, 1.0))} left"

    def _best_text(self) -> str:
        return f"best {self._objective.metric} {show(self._best)}" if self._best is not None else "no value yet"

    def _a_line_each(self) -> None:
        while not self._over.wait(self._every):
            tell(self.line())


class _Left(ProgressColumn):
    """The time left, as the watch tells it."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def render(self, task: Task) -> Text:
        """The column's text."""
        return Text(self._watch.left(), style="progress.remaining")


def _roughly(seconds: float) -> str:
    """An estimate in one unit: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
