"""`tasks.trials.supervised`: the project's own training loop as a workload."""

from typing import Any


def supervised(trial: Any, **arguments: Any) -> None:
    """Model, data and loss from the configuration, trained by the project's own loop (section J).

    A workload names it as `tasks.trials.supervised`; torch is imported only when a trial is really run.
    """
    from tasks.trials.supervised.training import train

    train(trial, **arguments)
