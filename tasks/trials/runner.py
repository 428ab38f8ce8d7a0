"""What a runner is: it takes units of planned trials, and hands them back as trials when they end."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from tasks.design.study import Planned
from tasks.text import point_text
from tasks.trials.trial import Trial

Unit = tuple[Planned, ...]
"""Trials that run together: one, or several that are trained as one program."""


def unit_name(unit: Unit) -> str:
    """What a person reads of a unit: the trial's id and what it tries; of several that run together, their ids."""
    return f"{unit[0].id}: {point_text(unit[0].tried)}" if len(unit) == 1 else ", ".join(p.id for p in unit)


class Attempts(Protocol):
    """The fence around each trial: only the attempt that holds a trial may end it, wherever it runs."""

    def start(self, planned: Planned, /) -> int:
        """The number of a new attempt, which holds the trial from now on."""

    def again(self, trial: Trial, attempt: int, /) -> bool:
        """Whether another attempt is to be made at a trial that ended so; this one is then written down as failed."""

    def accept(self, trial: Trial, attempt: int, /) -> None:
        """The trial has ended, and is written down.

        Raises:
            TakenOver: a later attempt holds it: this one's result is not taken.
        """


class Runner(Protocol):
    """Runs trials somewhere. It knows no ledger: what it writes down goes through `Attempts`."""

    @property
    def slots(self) -> int:
        """How many units run at once."""

    def units(self, planned: Sequence[Planned], /) -> Iterable[Unit]:
        """The trials in units, each trial once: which of them it runs together. Asked once, before any of them runs."""

    def run(self, unit: Unit, attempts: Attempts, /) -> Iterator[Trial]:
        """The unit's trials as they end, each accepted before it is handed back; called in a thread of its own.

        It goes on from what an interrupted attempt has left. However a trial ends, it ends with a reason: what is
        raised here stops the round.
        """

    def interrupt(self, grace: float, /) -> None:
        """Ask what runs to save and stop, end it after `grace` seconds; every `run` then raises."""

    def close(self) -> None:
        """End what runs at once; every `run` then raises."""
