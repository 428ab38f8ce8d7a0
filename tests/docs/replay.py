"""README's rounds again, without training: every trial ends as it did when the round was stored.

All but the trials is done anew: the design, the checks, the gate, the verdict and the next command. What comes of it is
what README's reader would see today.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flows.compose import compose
from flows.tune import tune
from tasks.design.study import Planned
from tasks.record import Record, TrialRow
from tasks.scope.goal import Objective
from tasks.trials.local.execute import WayBack
from tasks.trials.runner import Attempts, Unit
from tasks.trials.settings import Execution
from tasks.trials.trial import Curve, Trial, ended
from tests.docs.shown import Shown, shown


class NotOnRecord(Exception):
    """The round plans a trial today that it did not have when it was stored."""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A runner that hands back the trials of a stored round, in place of `local`."""

    round: Shown
    objective: Objective | None = None
    slots: int = 1

    def check(self, execution: Execution, /) -> None:
        """Any workload will do."""

    def open(self, stack: ExitStack, execution: Execution, folder: Path, way_back: WayBack | None, /) -> "Replayed":
        """The same, with the objective by which the round judges its trials."""
        return replace(self, objective=execution.workload.objective)

    def units(self, planned: Sequence[Planned], /) -> Iterable[Unit]:
        """Each trial by itself."""
        return ((one,) for one in planned)

    def run(self, unit: Unit, attempts: Attempts, /) -> Iterator[Trial]:
        """The trial as it ended."""
        assert self.objective is not None, "a runner is opened first"
        for planned in unit:
            row, curve = self._stored(planned)
            attempt = attempts.start(planned)
            trial = ended(planned, curve, self.objective, row.status, row.reason, seconds=row.seconds)
            while attempts.again(trial, attempt):
                attempt = attempts.start(planned)
            attempts.accept(trial, attempt)
            yield trial

    def _stored(self, planned: Planned) -> tuple[TrialRow, Curve]:
        """The trial's row and its curve.

        Raises:
            NotOnRecord: the round had no such trial.
        """
        row = next((t for t in self.round.record.trials if t.id == planned.id), None)
        if row is None or (row.point, row.seed) != (planned.point, planned.seed):
            raise NotOnRecord(f"trial {planned.id} was not run, or at another point")
        return row, self.round.curves.get(row.id, Curve(steps=np.empty(0, dtype=np.int64)))

    def interrupt(self, grace: float, /) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing runs."""


def replayed(command: str, ids: Mapping[str, str]) -> Record:
    """The record of a round's command, run in this folder; `ids` are rounds by the names that they had when stored.

    `tasks.trials.runners` must have `Replayed(round=…)` as `local`.
    """
    for stored, now in ids.items():
        command = command.replace(stored, now)
    config = compose.from_overrides(shlex.split(command)[2:])
    return tune(config.model_copy(update={"tracking": config.tracking.model_copy(update={"enabled": False})}))


def renamed(record: Record, round: Shown, ids: Mapping[str, str]) -> Record:
    """A replayed record with the names and the times of the stored one in place of its own."""
    stored, promoted = round.record, record.promoted
    if promoted is not None and stored.promoted is not None:  # a replay saves no checkpoint
        promoted = promoted.model_copy(update={"checkpoint": stored.promoted.checkpoint})
    stamps = {"created": stored.created, "finished": stored.finished, "promoted": promoted}
    stamped = record.model_copy(update=stamps)
    text = stamped.model_dump_json(by_alias=True)
    for before, now in {**ids, stored.round_id: record.round_id}.items():
        text = text.replace(now, before)
    return Record.model_validate_json(text)


def told_today(names: Sequence[str], played: Callable[[Replayed], None]) -> Iterator[tuple[str, Shown]]:
    """Each stored round as it would be today, run in this folder; `played` puts its runner in the place of `local`."""
    ids: dict[str, str] = {}
    for name in names:
        round = shown(name)
        played(Replayed(round=round))
        record = replayed(round.command, ids)
        told = replace(round, record=renamed(record, round, ids))
        ids[round.record.round_id] = record.round_id
        yield name, told
