"""How long the steps of a short trial took: to begin, a step, an evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tasks.trials.local.child import SECONDS
from tasks.trials.local.clock import clock_rows
from tasks.trials.trial import Trial

_SEEN = 0.1  # of a step's time: less than that between two trials is the machine's own noise


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds of a trial: `begins` until its first step, then a `step`, evaluations included."""

    begins: float
    step: float

    def of(self, steps: int) -> float:
        """The seconds of a trial of so many steps."""
        return self.begins + self.step * steps


def pace_of(trial: Trial) -> Pace:
    """From when the trial reported; where that was once, or is not known, a step's time has the beginning in it."""
    rows = clock_rows(Path(trial.folder) / SECONDS) if trial.folder else []
    if len(rows) > 1 and rows[-1][1] > rows[0][1]:
        step = (rows[-1][1] - rows[0][1]) / (rows[-1][0] - rows[0][0])
        return Pace(begins=max(0.0, trial.seconds - step * rows[-1][0]), step=step)
    return Pace(begins=0.0, step=trial.seconds / max(1, trial.steps_done))


def evaluation_seconds(often: Trial, seldom: Trial) -> float | None:
    """What an evaluation costs, from two trials of one pace that evaluated at other distances.

    None where they did not, or where not every step of the first took clearly longer: that may be the machine's noise.
    """
    distances = [_distance(trial.curve.steps.tolist()) for trial in (often, seldom)]
    if None in distances or distances[0] == distances[1]:
        return None
    a, b = (distance for distance in distances if distance is not None)
    mine, other = pace_of(often).step, pace_of(seldom).step
    if min((mine, *_steps(often))) - other < _SEEN * mine:
        return None
    return (mine - other) / (1 / a - 1 / b)


def _steps(trial: Trial) -> Iterator[float]:
    """Seconds a step between each two reports."""
    rows = clock_rows(Path(trial.folder) / SECONDS) if trial.folder else []
    yield from ((end - begin) / (last - first) for (first, begin), (last, end) in pairwise(rows))


def _distance(steps: Sequence[int]) -> float | None:
    """Steps between two evaluations; None of a single one."""
    return (steps[-1] - steps[0]) / (len(steps) - 1) if len(steps) > 1 else None
