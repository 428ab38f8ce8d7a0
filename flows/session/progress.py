"""The progress line while trials run: done of total, best so far, infeasible, time left."""

import sys
import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tasks.scope.goal import Objective
from tasks.text import show
from tasks.trials.trial import Trial


class Watch:
    """A progress line on the terminal; told of every trial that ends."""

    def __init__(self, total: int, objective: Objective, *, live: bool | None = None) -> None:
        self._objective = objective
        self._lock = threading.Lock()
        self._best: float | None = None
        self._out = 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        live = sys.stderr.isatty() if live is None else live
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not live, transient=True)
        self._task = self._progress.add_task("trials", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def expect(self, more: int) -> None:
        """Retrains join the total when the gate asks for them."""
        self._progress.update(self._task, total=(self._progress.tasks[0].total or 0) + more)

    def heard(self, trial: Trial) -> None:
        """One trial more."""
        with self._lock:
            if trial.best_value is None:
                self._out += 1
            elif self._best is None or self._objective.sign * (trial.best_value - self._best) < 0:
                self._best = trial.best_value
            best = f"best {self._objective.metric} {show(self._best)}" if self._best is not None else "no value yet"
            self._progress.update(self._task, advance=1, description=f"trials  {best}  {self._out} infeasible")
