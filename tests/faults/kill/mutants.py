"""Seeded bugs: each takes one promise out of the program that runs in this process, for good.

They are applied in processes of their own, to the program and not to its tests: a fault test that none of them fails
proves nothing.
"""

import itertools
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from flows.session.generations import RoundIncumbents
from tasks import files
from tasks.ledger import generations, rounds, trials
from tasks.ledger.error import LedgerError
from tasks.promote import race
from tasks.scope.goal import Objective
from tasks.trials import outcome, running
from tasks.trials.checkpoints import checkpoints
from tasks.trials.local import child, execute, reaper
from tasks.trials.local import runner as running_trials
from tests.processes.forked import put


def no_compare_and_swap() -> None:
    """A promotion goes on top of whatever is promoted by now."""
    real = generations.Generations.promote

    def promote(ledger: generations.Generations, workload: str, expected: int, *values: Any) -> bool:
        newest = ledger.incumbent(workload)
        return real(ledger, workload, newest.generation if newest else 0, *values)

    put(generations.Generations, promote=promote)


def no_fsync() -> None:
    """What is saved is in the cache of the system alone."""
    put(files, os=_Without(os, fsync=lambda fd: None))


def no_fencing() -> None:
    """A result is accepted from whichever attempt hands it in."""
    real = trials.Trials.finish

    def finish(ledger: trials.Trials, round_id: str, trial_id: str, attempt: int, *values: Any) -> bool:
        return real(ledger, round_id, trial_id, ledger.attempts(round_id)[trial_id], *values)

    put(trials.Trials, finish=finish)


def result_before_checkpoint() -> None:
    """A checkpoint is written when there is time for it: at the next one, or after the result."""
    waiting: list[Callable[[], None]] = []
    save, write = child.Folder.saved, files.write_atomically

    def flush() -> None:
        while waiting:
            waiting.pop(0)()

    def saved(folder: child.Folder, step: int, state: Any, objective: float | None) -> None:
        flush()
        waiting.append(lambda: save(folder, step, state, objective))

    def written(path: Path, text: str) -> None:
        write(path, text)
        flush()

    put(child.Folder, saved=saved)
    put(child, write_atomically=written)


def non_atomic_save() -> None:
    """A file is written where it stands."""

    @contextmanager
    def whole(path: Path) -> Iterator[BinaryIO]:
        with path.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    put(files, replaced=whole)
    put(checkpoints, replaced=whole)


def no_hash_check() -> None:
    """Whatever a manifest names is loaded."""
    put(checkpoints.Checkpoints, _is_sound=lambda kept, entry: (kept._folder / entry["file"]).is_file())


def nan_in_a_minimum() -> None:
    """A loss that is not a number takes part like any other."""
    put(running, math=_Without(math, isfinite=lambda value: True))
    put(outcome, diverged=lambda reports, metric: "")
    put(execute, diverged=lambda reports, metric: "")


def wrong_direction() -> None:
    """Lower is better, whatever the objective says."""
    put(Objective, sign=1.0)


def lease_by_wall_clock() -> None:
    """Whoever runs a round has it for a minute, dead or alive."""

    class Lease:
        def __init__(self, path: Path) -> None:
            self.path = path

        def release(self) -> None:
            self.path.unlink(missing_ok=True)

    def held(path: Path) -> bool:
        return path.exists() and float(path.read_text() or "0") > time.time()

    def take(path: Path, what: str) -> Lease:
        if held(path):
            raise LedgerError(f"{what} is being run by process unknown")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(time.time() + 60))
        return Lease(path)

    put(rounds, held=held, take=take)


def seed_by_completion_order() -> None:
    """A trial's seed is how many trials began before it."""
    real, count = execute.run_trial, itertools.count()

    def run(planned: Any, *values: Any) -> Any:
        return real(planned.model_copy(update={"seed": next(count)}), *values)

    put(running_trials, run_trial=run)


def promotion_before_approval() -> None:
    """The incumbent is swapped before anybody is asked."""
    decided: list[tuple[Any, Any]] = []
    real = race._raced

    def decide(evidence: Any, scope: Any, arms: Any, *values: Any) -> Any:
        raced = real(evidence, scope, arms, *values)
        decided.append((arms, raced.decision))
        return raced

    def eager(incumbents: RoundIncumbents, scope: Any) -> bool:
        arms, decision = decided[-1]
        promotion = race._promotion(scope, race._by_name(arms), decision)
        if promotion is not None:
            incumbents.swap(scope, promotion)
        return False

    put(race, _raced=decide)
    put(RoundIncumbents, is_ours=eager)


def pool_instead_of_processes() -> None:
    """Trials share a pool: where one process of it dies, it breaks, and ends the others."""
    real = reaper.Reaper._say
    broken: list[int] = []

    def say(server: reaper.Reaper, message: Any) -> None:
        real(server, message)
        if message.get("signal") and not broken:
            broken.extend(server._children)
            for pid in broken:
                reaper.kill(pid)

    put(reaper.Reaper, _say=say)


def orphans() -> None:
    """Trials and their server go on when their coordinator is gone."""
    real = reaper.Reaper._listen

    def listen(server: reaper.Reaper) -> bool:
        if not real(server):
            time.sleep(0.01)
        return True

    put(reaper.Reaper, _listen=listen)
    put(reaper, die_with=lambda parent: None, os=_Without(os, getppid=lambda: 0))


def no_sweep() -> None:
    """What a process that was killed left half-written stays there."""
    put(files, _sweep=lambda path: None)


class _Without:
    """A module in which some names mean something else."""

    def __init__(self, module: Any, **names: Any) -> None:
        self._module, self._names = module, names

    def __getattr__(self, name: str) -> Any:
        return self._names[name] if name in self._names else getattr(self._module, name)


_MUTANTS: tuple[Callable[[], None], ...] = (
    *(no_compare_and_swap, no_fsync, no_fencing, result_before_checkpoint, non_atomic_save, no_hash_check),
    *(nan_in_a_minimum, wrong_direction, lease_by_wall_clock, seed_by_completion_order),
    *(promotion_before_approval, pool_instead_of_processes, orphans, no_sweep),
)
MUTANTS = {mutant.__name__: mutant for mutant in _MUTANTS}
