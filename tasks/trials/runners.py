"""The runners by name: what `runner.name` may say."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tasks.scope.error import InputError
from tasks.trials.inline import InlineRunner
from tasks.trials.local.execute import WayBack
from tasks.trials.local.runner import LocalRunner
from tasks.trials.runner import Runner
from tasks.trials.settings import Execution

Open = Callable[[ExitStack, Execution, Path, WayBack | None], Runner]
"""Opens a runner that ends with the stack, for trials in a round's folder."""

RUNNERS: dict[str, Open] = {
    "local": LocalRunner.open,
    "inline": InlineRunner.open,
}


def open_runner(stack: ExitStack, execution: Execution, folder: Path, way_back: WayBack | None = None) -> Runner:
    """The runner that the settings name.

    Raises:
        InputError: there is none of that name, or it cannot run such a workload.
    """
    name = execution.runner.name
    if name not in RUNNERS:
        raise InputError(f"runner.name: {name!r} is unknown; allowed are {', '.join(RUNNERS)}.")
    return RUNNERS[name](stack, execution, folder, way_back)
