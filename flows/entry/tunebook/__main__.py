"""The command `tunebook`: a word for each command of ours, and what can be done in this folder where none is given."""

import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from tunebook import __version__, bind
from tunebook.here import what_can_be_done

COMMANDS = {
    "init": "a folder of your own that runs as it is; --from train.py reads the arguments of a script that you have",
    "round": "one round of tuning, from a question to a verdict",
    "demo": "one round on an embedded data set, and the round that it names as next",
    "audit": "the playbook's questions, asked of a study that ran elsewhere",
    "history": "rounds and incumbents: listed, shown, ranked, compared",
    "serve": "rounds from the browser's form, the API and a schedule",
    "ui": "Prefect and MLflow in the browser, on this machine alone",
    "sync": "MLflow brought level with the ledger",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command; 2 where there is no such command. A command that ran ends the process itself."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    first = words[0] if words else ""
    if first in ("", "-h", "--help", "help"):
        print(f"tunebook {__version__}: Google's Deep Learning Tuning Playbook, executable.\n")
        print(f"{what_can_be_done()}\n\nCommands:")
        print("\n".join(f"  {name:<8} {text}" for name, text in COMMANDS.items()))
        print("tunebook COMMAND --help says what can be set.")
        return 0
    if first in ("--version", "-V", "version"):
        print(f"tunebook {__version__}")
        return 0
    if first not in COMMANDS:
        near = difflib.get_close_matches(first, COMMANDS, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        print(f"error: {first!r} is no command; commands are {', '.join(COMMANDS)}{meant}", file=sys.stderr)
        return 2
    return _run(first, words[1:])


def _run(command: str, words: Sequence[str]) -> NoReturn:
    """Run the command in this process, and end the process with its exit code."""
    bind()
    from flows.compose.called import CONSOLE, called_as
    from flows.session.exit_code import leave

    called_as(CONSOLE)
    leave(importlib.import_module(f"flows.{command}").main(words))


if __name__ == "__main__":
    sys.exit(main())
