"""A trial in this process and in memory: for surfaces that cost microseconds, and for tests."""

import copy
import traceback
from collections.abc import Mapping
from typing import Any

from tasks.design.study import Planned
from tasks.record import Status
from tasks.scope.error import InputError
from tasks.trials.runner import Execution
from tasks.trials.running import Infeasible, MissingMetric, RunningTrial
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
        """Keep the last checkpoint."""
        self.state = (step, copy.deepcopy(state))

    def last(self) -> tuple[int, Any]:
        """The last checkpoint."""
        return self.state


def run_inline(planned: Planned, execution: Execution) -> Trial:
    """The trial, run right here; a failure is a failed trial with its traceback, as in a child process.

    Raises:
        InputError: the objective is not among the metrics of the first evaluation.
    """
    sink, workload = Memory(), execution.workload
    running = RunningTrial(
        point=planned.point,
        seed=planned.seed,
        max_train_steps=execution.budget.max_train_steps,
        eval_every_steps=execution.budget.eval_every_steps,
        objective=workload.objective,
        sink=sink,
    )
    status: Status = "complete"
    reason = log = ""
    try:
        resolve(workload.target, execution.own)(running, **bound(workload.arguments, execution.own))
        if not any(workload.objective.metric in row for row in sink.reports.values()):
            status, reason = "failed", "no result: nothing was reported"
    except Infeasible as error:
        status, reason = "infeasible", str(error)
    except MissingMetric as error:
        raise InputError(str(error)) from error
    except Exception as error:
        status, reason, log = "failed", f"{type(error).__name__}: {error}", traceback.format_exc()
    curve = Curve.from_reports(sink.reports)
    return ended(planned, curve, workload.objective, status, reason, log=log, unread=running.point.unread)
