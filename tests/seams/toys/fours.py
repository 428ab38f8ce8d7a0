"""A third runner for the tests of the seam: units of four trials that run as one, and end in no order of theirs."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tasks.design.study import Planned
from tasks.trials.inline import run_inline
from tasks.trials.local.execute import WayBack
from tasks.trials.runner import Attempts, Unit
from tasks.trials.settings import Execution
from tasks.trials.trial import Curve, Trial, ended

FOUR = 4


class Fours:
    """Four trials at a time, the last one first; the second of each unit dies in its first attempt."""

    slots = 2

    def __init__(self, execution: Execution, deaths: Path) -> None:
        self._execution, self._deaths, self._stopped = execution, deaths, False

    @staticmethod
    def check(execution: Execution) -> None:
        """It runs any workload that this process can."""

    @classmethod
    def open(cls, stack: ExitStack, execution: Execution, folder: Path, way_back: WayBack | None = None) -> "Fours":
        """A runner that writes down who died: nobody dies twice, in a process after this one neither."""
        return cls(execution, folder / "deaths.txt")

    def units(self, planned: Sequence[Planned]) -> Iterable[Unit]:
        """Four and four, and what is left."""
        return (tuple(planned[i : i + FOUR]) for i in range(0, len(planned), FOUR))

    def run(self, unit: Unit, attempts: Attempts) -> Iterator[Trial]:
        """The unit's trials, the last one first."""
        started = {planned.id: attempts.start(planned) for planned in unit}  # they run as one
        for planned in reversed(unit):
            if self._stopped:
                raise RuntimeError("stopped")
            trial = self._one(planned, dies=planned is unit[1 % len(unit)])
            while attempts.again(trial, started[planned.id]):
                started[planned.id] = attempts.start(planned)
                trial = self._one(planned, dies=False)
            attempts.accept(trial, started[planned.id])
            yield trial

    def interrupt(self, grace: float) -> None:
        """Nothing more ends."""
        self._stopped = True

    def close(self) -> None:
        """Nothing more ends."""
        self._stopped = True

    def _one(self, planned: Planned, dies: bool) -> Trial:
        gone = self._deaths.read_text().split() if self._deaths.exists() else []
        if not dies or planned.id in gone:
            return run_inline(planned, self._execution)
        self._deaths.write_text("\n".join([*gone, planned.id]))
        objective = self._execution.workload.objective
        return ended(planned, Curve.from_reports({}), objective, "failed", "killed by SIGKILL")
