"""One round called from Python, a notebook or a script: `from tunebook import tune`.

Nothing here handles signals or ends the process: both belong to whoever calls. Trials are children of a server that
is a program of its own, so a script needs no `if __name__ == "__main__"`.
"""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from flows.compose import compose
from flows.compose.called import CONSOLE, called_as, chosen_form
from flows.compose.config import RoundConfig
from flows.session.exit_code import RoundStopped
from tasks.ledger import LedgerError
from tasks.record import Record
from tasks.scope.error import InputError


def one_round(overrides: Sequence[str], config_dir: str | os.PathLike[str] | None, *, quiet: bool) -> Record:
    """The record of one round, run to its verdict, or resumed where the same call was interrupted.

    It prints what the shell prints, nothing if `quiet`. Prefect is left out: a notebook has an event loop of its own.

    Raises:
        InputError: with the one sentence to show; nothing has been computed by then.
        RoundStopped: the first trials failed alike; its words are the traceback and the way on.

    Playbook: B1
    """
    with _commands_as_installed(), _silent(quiet):
        try:
            return _one_round(overrides, None if config_dir is None else os.fspath(config_dir))
        except (InputError, LedgerError) as error:
            raise InputError(str(error)) from None  # the way here would bury the sentence in a notebook
        except RoundStopped as error:
            raise RoundStopped(str(error)) from None


def _one_round(overrides: Sequence[str], config_dir: str | None) -> Record:
    from flows.past.files import round_files
    from flows.session.plan import checked
    from flows.tune import tune
    from tasks.report.terminal import text

    config = _config(overrides, config_dir)
    checked(config, set())
    record = tune(config)
    print(text(record, colour=sys.stdout.isatty(), paths=round_files(config, record)), flush=True)
    return record


def _config(overrides: Sequence[str], config_dir: str | None) -> RoundConfig:
    """The composed configuration, of what a round from Python can be asked for.

    Raises:
        InputError: it is asked for what only the shell has.
    """
    for word in overrides:
        if not isinstance(word, str) or word.startswith("-"):
            raise InputError(f"{word!r} is no override: give texts such as 'seed=1', and config_dir= by its name.")
        if word.partition("=")[0] in ("check", "orchestrate"):
            raise InputError(f"{word}: only the command has this; from Python a round runs, and without Prefect.")
    return compose.from_overrides(overrides, config_dir)


@contextmanager
def _commands_as_installed() -> Iterator[None]:
    """In the block, commands are printed as `tunebook round …`, unless this process was called in another form."""
    before = chosen_form()
    called_as(before or CONSOLE)
    try:
        yield
    finally:
        called_as(before)


@contextmanager
def _silent(quiet: bool) -> Iterator[None]:
    if not quiet:
        yield
        return
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield
