"""The six steps of a round as one typed value: plain functions, or the Prefect tasks around them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from tasks.analyze.analysis import Analysis, Answering, Learning, analyze
from tasks.analyze.study.evidence import Evidence
from tasks.design.study import Designing, Round, design
from tasks.promote.conclude import Conclusion
from tasks.promote.race import Approve, Incumbents, RunRetrains, promote_config
from tasks.record import Record
from tasks.report.write import write_report
from tasks.scope.goal import Incumbent
from tasks.scope.roles import Scope
from tasks.scope.scope import Asked, scope_goal
from tasks.trials.run import Pool, Site, in_threads, run_round
from tasks.trials.trial import Trial

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Steps:
    """One function a step, in the order of a round, and the pool in which trials run side by side."""

    scope: Callable[[Asked, Incumbent], Scope]
    design: Callable[[Scope, Designing], Round]
    trials: Callable[[Round, Site], tuple[Round, dict[str, Trial]]]
    analyze: Callable[[Evidence, Answering, Learning], Analysis]
    promote: Callable[[Evidence, Analysis, RunRetrains, Incumbents, Approve], Conclusion]
    report: Callable[[Record, Path], Path]
    pool: Pool


PLAIN = Steps(
    scope=scope_goal,
    design=design,
    trials=run_round,
    analyze=analyze,
    promote=promote_config,
    report=write_report,
    pool=in_threads,
)


def orchestrated() -> Steps:
    """The steps as Prefect tasks, each trial a task run."""
    from prefect import Task
    from prefect.utilities.annotations import quote

    from tasks.analyze.task import analyze_task
    from tasks.design.task import design_task
    from tasks.promote.task import promote_config_task
    from tasks.report.task import write_report_task
    from tasks.scope.task import scope_goal_task
    from tasks.trials.task import as_task_runs, run_round_task

    def door(task: Task[P, R]) -> Callable[P, R]:
        call: Callable[..., R] = task

        def enter(*values: P.args, **more: P.kwargs) -> R:
            # quoted: Prefect would walk through every value in search of futures, and there are none
            return call(*map(quote, values), **{name: quote(value) for name, value in more.items()})

        return enter

    return Steps(
        scope=door(scope_goal_task),
        design=door(design_task),
        trials=door(run_round_task),
        analyze=door(analyze_task),
        promote=door(promote_config_task),
        report=door(write_report_task),
        pool=as_task_runs,
    )
