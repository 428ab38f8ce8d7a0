"""`tasks.trials.command`: any program, in any language, as a workload."""

from typing import Any


def command(trial: Any, **arguments: Any) -> None:
    """A program in any language: its arguments made from the point, its metrics read back while it runs.

    A workload names it as `tasks.trials.command`; see `tasks.trials.command.program.run`.
    """
    from tasks.trials.command.program import run

    run(trial, **arguments)
