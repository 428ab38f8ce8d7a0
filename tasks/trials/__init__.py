"""Run them: the workload contract, a child process a trial, the training loop, checkpoints, workloads."""

from typing import Any


def supervised(trial: Any, **arguments: Any) -> None:
    """Model, data and loss from the configuration, trained by the project's own loop (section J).

    This is the address that a workload names; torch is imported only when a trial is really run.
    """
    from tasks.trials.training import train

    train(trial, **arguments)


def command(trial: Any, **arguments: Any) -> None:
    """A program in any language: its arguments made from the point, its metrics read back while it runs.

    This is the address that a workload names; see `tasks.trials.command_program.run`.
    """
    from tasks.trials.command_program import run

    run(trial, **arguments)
