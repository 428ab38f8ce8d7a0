"""The step of trials: those on record are kept, the others run side by side, with retries."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, Self

from tasks.design.study import Planned
from tasks.scope.error import InputError
from tasks.trials.command.check import ADDRESS
from tasks.trials.local.execute import WayBack, run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.server_link import ServerClosed, ServerDied
from tasks.trials.retry import account, try_again
from tasks.trials.runner import Execution
from tasks.trials.stored import curve_bytes, result_of, trial_from
from tasks.trials.target import targets_in
from tasks.trials.trial import Trial

NOTICE = 4.0  # seconds for trials to save when the round is stopped: a machine that is wanted back is gone after 5


class TakenOver(InputError):
    """Another process has the trial by now: the result of this one is not taken."""


class TrialBook(Protocol):
    """Where the trials of rounds are written down, attempt by attempt; the ledger is one."""

    def plan(self, round_id: str, planned: Sequence[Mapping[str, Any]], /) -> None:
        """Write down trials before any of them runs; those that are there stay as they are."""

    def results(self, round_id: str, /) -> Mapping[str, tuple[Mapping[str, Any], bytes]]:
        """`(result, curve)` of each trial that has ended, by id."""

    def start(self, round_id: str, trial_id: str, /) -> int:
        """The number of a new attempt, which holds the trial from now on."""

    def failures(self, round_id: str, trial_id: str, /) -> Sequence[str]:
        """Why each failed attempt at the trial failed, in order."""

    def retries(self, round_id: str, /) -> int:
        """How many attempts of the round were another try."""

    def fail(self, round_id: str, trial_id: str, attempt: int, reason: str, /) -> None:
        """An attempt came to nothing."""

    def finish(self, round_id: str, trial_id: str, attempt: int, result: Mapping[str, Any], curve: bytes, /) -> bool:
        """Whether the result was accepted: only from the attempt that holds the trial."""


class Ended(Protocol):
    """A trial that has ended, or what stopped it."""

    def result(self) -> Trial:
        """The trial; raises what stopped it."""


Pool = Callable[[Callable[[Planned], Trial], Sequence[Planned], int], AbstractContextManager[Iterable[Ended]]]
"""Runs the function on each planned trial, so many at once, and gives the trials as they end."""


@contextmanager
def in_threads(run: Callable[[Planned], Trial], waiting: Sequence[Planned], slots: int) -> Iterator[Iterable[Ended]]:
    """A `Pool` of plain threads: each waits for the processes of one trial."""
    with ThreadPoolExecutor(max_workers=slots) as pool:
        yield as_completed([pool.submit(run, planned) for planned in waiting])


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a round's trials run and are written down; `heard` is told of every trial that ended."""

    round_id: str
    folder: Path
    book: TrialBook
    execution: Execution
    server: ForkServer
    devices: SimpleQueue[str]
    heard: Callable[[Trial], None]
    way_back: WayBack | None = None
    pool: Pool = in_threads

    @classmethod
    def open(
        cls,
        stack: ExitStack,
        round_id: str,
        folder: Path,
        book: TrialBook,
        execution: Execution,
        heard: Callable[[Trial], None],
        *,
        way_back: WayBack | None = None,
        pool: Pool = in_threads,
    ) -> Self:
        """A site whose fork server ends with `stack`, and whose devices are leased to one trial at a time."""
        devices: SimpleQueue[str] = SimpleQueue()
        for device in execution.runner.slots:
            devices.put(device)
        return cls(
            round_id=round_id,
            folder=folder,
            book=book,
            execution=execution,
            server=stack.enter_context(ForkServer(execution.runner, own=execution.own, preload=preload(execution))),
            devices=devices,
            heard=heard,
            way_back=way_back,
            pool=pool,
        )


def preload(execution: Execution) -> tuple[str, ...]:
    """What the fork server imports before it forks, so that no child has to: torch only where it will be used.

    The check of the user's own target has imported their module here; where that brought torch, trials want it.
    """
    workload = execution.workload
    loops = {"tasks.trials.supervised": "tasks.trials.supervised.training", ADDRESS: "tasks.trials.command.program"}
    loop = (loops[workload.target],) if workload.target in loops else ()
    modules = {t.rpartition(".")[0] for t in (workload.target, *targets_in(workload.arguments))}
    ours = sorted(m for m in modules if m.startswith("tasks.trials.workloads"))
    return ("tasks.trials.local.child", *(("torch",) if "torch" in sys.modules else ()), *loop, *ours)


def run_one(planned: Planned, site: Site) -> Trial:
    """The trial, run in child processes and written down by the attempt that holds it.

    Raises:
        TakenOver: a later attempt holds it: this one's result is not taken.
    """
    book, round_id = site.book, site.round_id
    while True:
        device = site.devices.get()
        try:
            if site.server.closed:  # while it waited for a device: it never began
                raise ServerClosed(f"trial {planned.id} was not begun: the round was stopped")
            attempt = book.start(round_id, planned.id)
            folder = site.folder / "trials" / planned.id
            trial = run_trial(planned, site.execution, site.server, folder, device, site.way_back)
        finally:
            site.devices.put(device)
        before = book.failures(round_id, planned.id)
        if not try_again(trial, before, book.retries(round_id), site.execution.runner):
            break
        book.fail(round_id, planned.id, attempt, account(trial))
    if not book.finish(round_id, planned.id, attempt, result_of(trial), curve_bytes(trial.curve)):
        raise TakenOver(f"trial {planned.id} of round {round_id} was taken over by another process, which has it now")
    return trial


def run_trials(planned: Sequence[Planned], site: Site) -> dict[str, Trial]:
    """Every planned trial, by id: those on record as they ended, the others run now.

    Playbook: J12, J14
    """
    site.book.plan(site.round_id, [p.model_dump(mode="json") for p in planned])
    known = site.book.results(site.round_id)
    objective = site.execution.workload.objective
    trials = {p.id: trial_from(p, *known[p.id], objective) for p in planned if p.id in known}
    for trial in trials.values():
        site.heard(trial)
    for trial in _ended([p for p in planned if p.id not in known], site):
        site.heard(trial)
        trials[trial.id] = trial
    return {p.id: trials[p.id] for p in planned}


def _ended(waiting: Sequence[Planned], site: Site) -> Iterator[Trial]:
    """The trials as they end. Where one raises, the round cannot go on: what runs is ended, what waits ends at once."""
    slots = len(site.execution.runner.slots)
    try:
        with site.pool(lambda planned: run_one(planned, site), waiting, slots) as ended:
            yield from _results(ended, site)
    except ServerDied as error:
        raise RuntimeError("the process that forks trials died; the same command goes on with this round") from error


def _results(ended: Iterable[Ended], site: Site) -> Iterator[Trial]:
    """The results; the fork server is closed before an error goes on, while its pool still waits."""
    try:
        for one in ended:
            yield one.result()
    except Exception:
        site.server.close()
        raise
    except BaseException:  # somebody stops the round: its trials may save
        site.server.interrupt(NOTICE)
        raise
