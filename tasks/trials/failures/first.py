"""The first trials of a round, watched: where they all fail alike before their first report, the round stops."""

from collections import Counter
from collections.abc import Sequence
from threading import Lock

from tasks.design.study import Planned
from tasks.trials.failures.alike import fault
from tasks.trials.outcome import is_machines
from tasks.trials.runner import Attempts
from tasks.trials.trial import Trial

FEWEST = 3  # trials that must fail alike, and all that run at once at first: two may be an unlucky corner of the space


class FirstTrialsFailed(Exception):
    """The first trials of a round failed alike and none has reported: the code is broken, whatever the point.

    `trial`: the first of them. `count`: how many they are. `left`: how many others the round has.
    """

    def __init__(self, trial: Trial, count: int, left: int) -> None:
        super().__init__(f"the first {count} trials failed alike before their first report: {trial.reason}")
        self.trial, self.count, self.left = trial, count, left


class FirstTrials:
    """The attempts of a round, of which the first failures are held back until some trial has reported.

    A result that is accepted stands. Those of the first trials are not: where the round stops, the trials that failed
    run again when it is resumed. What is held back is accepted as soon as any trial reports, or all have ended.
    Not watched any more from then on. See `tasks.trials.runner.Attempts`.
    """

    def __init__(self, attempts: Attempts, slots: int, reported: bool) -> None:
        self._attempts = attempts
        self._enough = max(FEWEST, slots)
        self._lock = Lock()
        self._begun: list[str] = []
        self._held: dict[str, tuple[Trial, int]] = {}
        self._excused: set[str] = set()  # infeasible, or failed for the machine's sake: neither for nor against
        self._over = reported

    @property
    def held(self) -> bool:
        """Whether any failure is held back."""
        return bool(self._held)

    def start(self, planned: Planned) -> int:
        """As `Attempts.start`."""
        with self._lock:
            if not self._over and planned.id not in self._begun:
                self._begun.append(planned.id)
        return self._attempts.start(planned)

    def again(self, trial: Trial, attempt: int) -> bool:
        """As `Attempts.again`."""
        return self._attempts.again(trial, attempt)

    def accept(self, trial: Trial, attempt: int) -> None:
        """As `Attempts.accept`; a failure among the first may be held back."""
        with self._lock:
            if not self._over and not len(trial.curve) and trial.status == "failed" and not is_machines(trial.reason):
                self._held[trial.id] = trial, attempt
                return
            self._excused.add(trial.id)
            reported = bool(len(trial.curve)) or trial.status == "complete"
        if reported:
            self.release()
        self._attempts.accept(trial, attempt)

    def release(self) -> None:
        """Accept what is held back; nothing is watched from now on."""
        with self._lock:
            self._over = True
            held, self._held = [*self._held.values()], {}
        for trial, attempt in held:
            self._attempts.accept(trial, attempt)

    def judge(self, total: int) -> None:
        """Stop the round if its first trials failed alike; `total`: how many trials there are to run.

        The first ones are as many as run at once, and no fewer than three unless the round has fewer. Each of them
        must have ended: one that runs on where others failed may be about to report.

        Raises:
            FirstTrialsFailed: they did.
        """
        with self._lock:
            failed = self._first_failures()
            kinds = Counter(fault(t) for t in failed)
            alike = max(kinds.values(), default=0)
            every = not self._excused and len(failed) == alike == total
            if alike and (alike >= self._enough or every):
                kind = max(kinds, key=lambda k: kinds[k])
                raise FirstTrialsFailed(next(t for t in failed if fault(t) == kind), alike, total - alike)

    def _counting(self) -> Sequence[str]:
        return [id for id in self._begun if id not in self._excused]

    def _first_failures(self) -> list[Trial]:
        """The trials that failed before any of those that were begun earlier is still running."""
        found: list[Trial] = []
        for id in [] if self._over else self._counting():
            if id not in self._held:
                break
            found.append(self._held[id][0])
        return found
