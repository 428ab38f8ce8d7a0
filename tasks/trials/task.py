"""The door of trials: the Prefect tasks around `run_round` and around each unit of trials."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from tasks.trials.run import Failed, Submit, run_round
from tasks.trials.runner import Unit, unit_name

run_round_task = task(name="run trials", cache_policy=NO_CACHE, persist_result=False)(run_round)


@task(name="run trial", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def run_unit_task(name: str, run: Callable[[], None]) -> None:
    """One trial, or a unit of trials that run together, as a task run named by what it tries."""
    run()


@contextmanager
def as_task_runs(slots: int) -> Iterator[Submit]:
    """A `Pool` of Prefect's: a task run for each unit."""
    with ThreadPoolTaskRunner(max_workers=slots) as runner:  # type: ignore[var-annotated]

        def submit(unit: Unit, run: Callable[[], None], failed: Failed) -> None:
            def done(future: PrefectFuture[None]) -> None:
                try:
                    future.result()
                except BaseException as error:
                    failed(error)

            runner.submit(run_unit_task, {"name": unit_name(unit), "run": quote(run)}).add_done_callback(done)

        yield submit
