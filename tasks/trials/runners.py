"""The runners by name: what `runner.name` may say."""

from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from tasks.scope.error import InputError
from tasks.trials.inline import InlineRunner
from tasks.trials.local.execute import WayBack
from tasks.trials.local.runner import LocalRunner
from tasks.trials.runner import Runner
from tasks.trials.settings import Execution


class Opens(Protocol):
    """A class of runners."""

    @staticmethod
    def check(execution: Execution, /) -> None:
        """Refuse what such a runner cannot run, by an InputError."""

    @staticmethod
    def open(stack: ExitStack, execution: Execution, folder: Path, way_back: WayBack | None, /) -> Runner:
        """A runner that ends with the stack, for trials in a round's folder."""


RUNNERS: dict[str, Opens] = {
    "local": LocalRunner,
    "inline": InlineRunner,
}


def check_runner(execution: Execution) -> None:
    """Refuse a runner that there is not, or that cannot run such a workload, before anything is begun.

    Raises:
        InputError: with the one sentence to show.
    """
    name = execution.runner.name
    if name not in RUNNERS:
        raise InputError(f"runner.name: {name!r} is unknown; allowed are {', '.join(RUNNERS)}.")
    RUNNERS[name].check(execution)


def open_runner(stack: ExitStack, execution: Execution, folder: Path, way_back: WayBack | None = None) -> Runner:
    """The runner that the settings name, for trials in that folder; it ends with `stack`.

    Raises:
        InputError: as `check_runner`.
    """
    check_runner(execution)
    return RUNNERS[execution.runner.name].open(stack, execution, folder, way_back)
