"""How commands are written where they are printed: in the form in which this one was called."""

import shlex
from collections.abc import Sequence

MODULES = "python -m flows."  # in the checkout
CONSOLE = "tunebook "  # installed

_form = MODULES


def called_as(form: str) -> None:
    """From now on this process prints its commands in this form: `MODULES` or `CONSOLE`."""
    global _form
    _form = form


def flow_module() -> str:
    """The module by whose name a process that Prefect starts finds the flow: no package of the user's has it."""
    return "tunebook.flow" if _form == CONSOLE else "flows.prefect.flow"


def program(command: str) -> str:
    """The words with which a command of ours is called: `tunebook round`, or `python -m flows.round`."""
    return f"{_form}{command}"


def line(command: str, words: Sequence[str]) -> str:
    """The shell line that calls a command of ours with these words."""
    return " ".join([program(command), *map(shlex.quote, words)])


def round_line(overrides: Sequence[str], config_dir: str | None) -> str:
    """The shell line of a round; the same overrides work in the form of the UI and in a schedule."""
    return line("round", [*(["--config-dir", config_dir] if config_dir else []), *overrides])
