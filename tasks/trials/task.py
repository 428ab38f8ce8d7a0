"""The door of trials: what the ledger has is kept, the rest is run, each trial a task run and a child process."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture
from prefect.futures import as_completed as prefect_as_completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from tasks.design.study import Planned
from tasks.ledger import Ledger, LedgerError
from tasks.tracking.private import PrivateStores
from tasks.trials.attempts import account, try_again
from tasks.trials.command_check import ADDRESS, wants_mlflow
from tasks.trials.execute import WayBack, run_trial
from tasks.trials.forkserver import ForkServer
from tasks.trials.link import ServerClosed, ServerDied
from tasks.trials.runner import Execution
from tasks.trials.stored import curve_bytes, result_of, trial_from
from tasks.trials.target import targets_in
from tasks.trials.trial import Trial

NOTICE = 4.0  # seconds for trials to save when the round is stopped: a machine that is wanted back is gone after 5


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a round's trials run and are written down; `heard` is told of every trial that ended."""

    round_id: str
    folder: Path
    ledger: Ledger
    execution: Execution
    server: ForkServer
    devices: SimpleQueue[str]
    heard: Callable[[Trial], None]
    way_back: WayBack | None

    @classmethod
    def open(
        cls,
        stack: ExitStack,
        round_id: str,
        folder: Path,
        ledger: Ledger,
        execution: Execution,
        heard: Callable[[Trial], None],
    ) -> Self:
        """A site whose fork server ends with `stack`, and whose devices are leased to one trial at a time."""
        devices: SimpleQueue[str] = SimpleQueue()
        for device in execution.runner.slots:
            devices.put(device)
        return cls(
            round_id=round_id,
            folder=folder,
            ledger=ledger,
            execution=execution,
            server=stack.enter_context(ForkServer(execution.runner, own=execution.own, preload=preload(execution))),
            devices=devices,
            heard=heard,
            way_back=PrivateStores(folder) if wants_mlflow(execution.workload) else None,
        )

    @property
    def slots(self) -> int:
        """Trials at once."""
        return len(self.execution.runner.slots)


def preload(execution: Execution) -> tuple[str, ...]:
    """What the fork server imports before it forks, so that no child has to: torch only where it will be used.

    The check of the user's own target has imported their module here; where that brought torch, trials want it.
    """
    workload = execution.workload
    loops = {"tasks.trials.supervised": "tasks.trials.training", ADDRESS: "tasks.trials.command_program"}
    loop = (loops[workload.target],) if workload.target in loops else ()
    modules = {t.rpartition(".")[0] for t in (workload.target, *targets_in(workload.arguments))}
    ours = sorted(m for m in modules if m.startswith("tasks.trials.workloads"))
    return ("tasks.trials.child", *(("torch",) if "torch" in sys.modules else ()), *loop, *ours)


@task(name="run trial", task_run_name="{planned.id}", cache_policy=NO_CACHE, persist_result=False)
def run_one(planned: Planned, site: Site) -> Trial:
    """The trial, run in child processes and written to the ledger by the attempt that holds it.

    Raises:
        LedgerError: a later attempt holds it: this one's result is not taken.
    """
    ledger, round_id = site.ledger, site.round_id
    while True:
        device = site.devices.get()
        try:
            if site.server.closed:  # while it waited for a device: it never began
                raise ServerClosed(f"trial {planned.id} was not begun: the round was stopped")
            attempt = ledger.start(round_id, planned.id)
            folder = site.folder / "trials" / planned.id
            trial = run_trial(planned, site.execution, site.server, folder, device, site.way_back)
        finally:
            site.devices.put(device)
        before = ledger.failures(round_id, planned.id)
        if not try_again(trial, before, ledger.retries(round_id), site.execution.runner):
            break
        ledger.fail(round_id, planned.id, attempt, account(trial))
    if not ledger.finish(round_id, planned.id, attempt, result_of(trial), curve_bytes(trial.curve)):
        raise LedgerError(f"trial {planned.id} of round {round_id} was taken over by another process, which has it now")
    return trial


@task(name="run trials", cache_policy=NO_CACHE, persist_result=False)
def run_trials(planned: Sequence[Planned], site: Site) -> dict[str, Trial]:
    """Every planned trial, by id: those that the ledger has as they ended, the others run now.

    Playbook: J12, J14
    """
    site.ledger.plan(site.round_id, [p.model_dump(mode="json") for p in planned])
    known = site.ledger.results(site.round_id)
    objective = site.execution.workload.objective
    trials = {p.id: trial_from(p, *known[p.id], objective) for p in planned if p.id in known}
    for trial in trials.values():
        site.heard(trial)
    waiting = [p for p in planned if p.id not in known]
    for trial in _ended(waiting, site):
        site.heard(trial)
        trials[trial.id] = trial
    return {p.id: trials[p.id] for p in planned}


def _ended(waiting: Sequence[Planned], site: Site) -> Iterator[Trial]:
    """The trials as they end, as many at once as there are slots; by Prefect's own runner inside a flow.

    Where one raises, the round cannot go on: what runs is ended, and what waits then ends at once.
    """
    try:
        if FlowRunContext.get() is None:
            with ThreadPoolExecutor(max_workers=site.slots) as pool:
                plain = [pool.submit(run_one.fn, p, site) for p in waiting]
                yield from _results(as_completed(plain), site)
            return
        with ThreadPoolTaskRunner(max_workers=site.slots) as runner:  # type: ignore[var-annotated]
            tasks: list[PrefectFuture[Trial]] = [
                runner.submit(run_one, {"planned": quote(p), "site": quote(site)}) for p in waiting
            ]
            yield from _results(prefect_as_completed(tasks), site)
    except ServerDied as error:
        raise RuntimeError("the process that forks trials died; the same command goes on with this round") from error


def _results(ended: Iterable[Any], site: Site) -> Iterator[Trial]:
    """The results of futures; the fork server is closed before an error goes on, while its pool still waits."""
    try:
        for future in ended:
            yield future.result()
    except Exception:
        site.server.close()
        raise
    except BaseException:  # somebody stops the round: its trials may save
        site.server.interrupt(NOTICE)
        raise
