"""Attempts at the trials of a round, written down in its book: started, failed, accepted once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tasks.design.study import Planned
from tasks.scope.error import InputError
from tasks.trials.retry import account, try_again
from tasks.trials.settings import RunnerSettings
from tasks.trials.stored import curve_bytes, result_of
from tasks.trials.trial import Trial


class TakenOver(InputError):
    """Another process has the trial by now: the result of this one is not taken."""


class TrialBook(Protocol):
    """Where the trials of rounds are written down, attempt by attempt; the ledger is one."""

    def plan(self, round_id: str, planned: Sequence[Mapping[str, Any]], /) -> None:
        """Write down trials before any of them runs; those that are there stay as they are."""

    def keep(self, round_id: str, planned: Sequence[Mapping[str, Any]], /) -> None:
        """Write down trials that ran in another round (`kept`), each with its result; those that are there stay."""

    def planned(self, round_id: str, /) -> Sequence[Mapping[str, Any]]:
        """The trials that are written down."""

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


@dataclass(frozen=True, kw_only=True)
class BookedAttempts:
    """The attempts of one round: see `tasks.trials.runner.Attempts`."""

    book: TrialBook
    round_id: str
    settings: RunnerSettings

    def start(self, planned: Planned) -> int:
        """The number of a new attempt."""
        return self.book.start(self.round_id, planned.id)

    def again(self, trial: Trial, attempt: int) -> bool:
        """Whether the runner's settings allow another try; then this attempt is noted as failed.

        Playbook: E10
        """
        before = self.book.failures(self.round_id, trial.id)
        if not try_again(trial, before, self.book.retries(self.round_id), self.settings):
            return False
        self.book.fail(self.round_id, trial.id, attempt, account(trial))
        return True

    def accept(self, trial: Trial, attempt: int) -> None:
        """The result is written down.

        Raises:
            TakenOver: a later attempt holds the trial.
        """
        if not self.book.finish(self.round_id, trial.id, attempt, result_of(trial), curve_bytes(trial.curve)):
            raise TakenOver(
                f"trial {trial.id} of round {self.round_id} was taken over by another process, which has it now"
            )
