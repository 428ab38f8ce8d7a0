"""Run them: the workload contract, a child process a trial, the training loop, checkpoints, workloads."""

from typing import Any


def supervised(trial: Any, **arguments: Any) -> None:
    """Model, data and loss from the configuration, trained by the project's own loop (section J).

    This is the address that a workload names; torch is imported only when a trial is really run.
    """
    from tasks.trials.training import train

    train(trial, **arguments)
