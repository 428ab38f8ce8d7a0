"""The door of trials: the Prefect tasks around `run_trials` and around each trial."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.futures import as_completed as prefect_as_completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from tasks.design.study import Planned
from tasks.trials.run import Ended, run_trials
from tasks.trials.trial import Trial

run_trials_task = task(name="run trials", cache_policy=NO_CACHE, persist_result=False)(run_trials)


@task(name="run trial", task_run_name="{planned.id}", cache_policy=NO_CACHE, persist_result=False)
def run_trial_task(planned: Planned, run: Callable[[Planned], Trial]) -> Trial:
    """One trial as a task run, named by its id."""
    return run(planned)


@contextmanager
def as_task_runs(run: Callable[[Planned], Trial], waiting: Sequence[Planned], slots: int) -> Iterator[Iterable[Ended]]:
    """A `Pool` of Prefect's: a task run for each trial."""
    with ThreadPoolTaskRunner(max_workers=slots) as runner:  # type: ignore[var-annotated]
        tasks: list[PrefectFuture[Trial]] = [
            runner.submit(run_trial_task, {"planned": quote(p), "run": quote(run)}) for p in waiting
        ]
        yield prefect_as_completed(tasks)
