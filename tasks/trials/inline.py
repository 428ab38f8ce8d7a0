"""The runner `inline`: trials in this process and in memory, one at a time, for surfaces that cost microseconds."""

import copy
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tasks.design.study import Planned
from tasks.record import Status
from tasks.scope.error import InputError
from tasks.trials.local.execute import WayBack
from tasks.trials.outcome import diverged, raised, returned
from tasks.trials.runner import Attempts, Unit
from tasks.trials.running import MissingMetric, RunningTrial
from tasks.trials.settings import Execution
from tasks.trials.target import bound, resolve
from tasks.trials.trial import Curve, Trial, ended


class Memory:
    """A sink that keeps everything in memory."""

    def __init__(self) -> None:
        self.reports: dict[int, Mapping[str, float]] = {}
        self.state: tuple[int, Any] = (0, None)

    def reported(self, step: int, metrics: Mapping[str, float]) -> None:
        """Keep one evaluation."""
        self.reports[step] = metrics

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        """Keep the last checkpoint, as it is now: the workload goes on changing its tensors."""
        self.state = (step, copy.deepcopy(state))

    def last(self) -> tuple[int, Any]:
        """The last checkpoint."""
        return self.state


OURS = "tasks.trials.workloads."  # a user's own code is imported in child processes alone


class InlineRunner:
    """Trials one after the other, in the process of the round: see `tasks.trials.runner.Runner`.

    An interrupted one begins anew: nothing of it was kept.
    """

    slots = 1

    def __init__(self, execution: Execution) -> None:
        self._execution, self._closed = execution, False

    @staticmethod
    def check(execution: Execution) -> None:
        """Refuse a program of the user's.

        Raises:
            InputError: with the one sentence to show.
        """
        if not execution.workload.target.startswith(OURS):
            raise InputError(
                f"runner.name: inline runs shipped workloads alone, and {execution.workload.target} is none; say "
                "runner=local."
            )

    @classmethod
    def open(
        cls, stack: ExitStack, execution: Execution, folder: Path, way_back: WayBack | None = None
    ) -> "InlineRunner":
        """A runner that keeps nothing in the folder."""
        return cls(execution)

    def units(self, planned: Sequence[Planned]) -> Iterable[Unit]:
        """Each trial by itself."""
        return ((one,) for one in planned)

    def run(self, unit: Unit, attempts: Attempts) -> Iterator[Trial]:
        """The unit's trials, one after the other.

        Raises:
            RuntimeError: the round was stopped.
        """
        for planned in unit:
            if self._closed:
                raise RuntimeError(f"trial {planned.id} was not begun: the round was stopped")
            attempt = attempts.start(planned)
            while attempts.again(trial := run_inline(planned, self._execution), attempt):
                attempt = attempts.start(planned)
            attempts.accept(trial, attempt)
            yield trial

    def interrupt(self, grace: float) -> None:
        """Nothing more is begun."""
        self._closed = True

    def close(self) -> None:
        """Nothing more is begun."""
        self._closed = True


def run_inline(planned: Planned, execution: Execution) -> Trial:
    """The trial, run right here; a failure is a failed trial with its traceback, as in a child process.

    For code that draws from its seed alone: a child process seeds the global generators too, and this one must not.

    Raises:
        InputError: the target is not allowed, or the objective is not among the metrics of the first evaluation.

    Playbook: E8
    """
    sink, workload = Memory(), execution.workload
    target = resolve(workload.target, execution.own)
    arguments = bound(execution.arguments(planned), execution.own)
    running = RunningTrial(
        point=planned.point,
        seed=planned.seed,
        max_train_steps=planned.max_train_steps,
        eval_every_steps=planned.eval_every_steps,
        objective=workload.objective,
        sink=sink,
    )
    status: Status
    log, metric = "", workload.objective.metric
    try:
        target(running, **arguments)
        status, reason = returned(sink.reports, metric)
    except MissingMetric as error:
        raise InputError(str(error)) from error
    except (Exception, SystemExit) as error:
        status, reason = raised(error)
        broken = diverged(sink.reports, metric)
        if broken:
            status, reason = "infeasible", reason if status == "infeasible" else broken
        log = traceback.format_exc() if status == "failed" else ""
    curve = Curve.from_reports(sink.reports)
    return ended(planned, curve, workload.objective, status, reason, log=log, unread=running.point.unread)
