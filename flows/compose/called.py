"""How commands are written where they are printed: in the form in which this one was called.

The form is kept in the environment: a round that Prefect starts for a schedule prints as `serve` was called.
"""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

MODULES = "python -m flows."  # in the checkout
CONSOLE = "tunebook "  # installed

_FORM = "TUNEBOOK_CALLED"


def called_as(form: str) -> None:
    """From now on this process, and those that it starts, print commands in this form: `MODULES` or `CONSOLE`.

    "": in none that was chosen.
    """
    if form:
        os.environ[_FORM] = form
    else:
        os.environ.pop(_FORM, None)


def chosen_form() -> str:
    """The form that `called_as` chose; "" where none was chosen."""
    return os.environ.get(_FORM, "")


def is_console() -> bool:
    """Whether this is the installed command, and no module of the checkout."""
    return os.environ.get(_FORM) == CONSOLE


def flow_module() -> str:
    """The module by whose name a process that Prefect starts finds the flow: no package of the user's has it."""
    return "tunebook.flow" if is_console() else "flows.prefect.flow"


def program(command: str) -> str:
    """The words with which a command of ours is called: `tunebook round`, or `python -m flows.round`."""
    return f"{CONSOLE if is_console() else MODULES}{command}"


def line(command: str, words: Sequence[str]) -> str:
    """The shell line that calls a command of ours with these words."""
    return " ".join([program(command), *map(shlex.quote, words)])


def round_line(overrides: Sequence[str], config_dir: str | None) -> str:
    """The shell line of a round; the same overrides work in the form of the UI and in a schedule.

    A folder below the working folder is named from there, as it was typed: the line may be committed.
    """
    return line("round", [*(["--config-dir", near(Path(config_dir))] if config_dir else []), *overrides])


def near(path: Path) -> str:
    """A path below the working folder as it is seen from there; any other as it is."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
