"""Whether a failed attempt is tried again: yes if killed or out of memory, no for the same error twice."""

from collections.abc import Sequence

from tasks.trials.local.execute import OUT_OF_MEMORY
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Trial


def account(trial: Trial) -> str:
    """How an attempt ended and how far it came: a trial is deterministic, so two equal accounts are one cause."""
    steps = trial.curve.steps
    return f"{trial.reason} (after step {int(steps[-1]) if len(steps) else 0})"


def try_again(trial: Trial, before: Sequence[str], tried: int, runner: RunnerSettings) -> bool:
    """Whether the trial goes on from its last checkpoint in another attempt.

    Only where it failed, or the kernel killed it for memory that others may have used up; not where it failed in the
    same way as the attempt before (`before`: the accounts of its failed attempts), and no more often than the runner
    allows a trial and a round (`tried`: retries in the round so far).

    Playbook: E10
    """
    unlucky = trial.status == "failed" or trial.reason == OUT_OF_MEMORY
    same = bool(before) and before[-1] == account(trial)
    return unlucky and not same and len(before) < runner.retries and tried < runner.retries_a_round
