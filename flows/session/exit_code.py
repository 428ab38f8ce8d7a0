"""How a command ends: the exit code and the one sentence for whatever stopped it."""

import errno
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from tasks.scope.error import InputError

if TYPE_CHECKING:  # pydantic comes with it: no command begins by waiting for that
    from tasks.record import Record

HINT = "nothing is lost, the same command goes on with this round"
LAST = 5.0  # seconds for what still wants to be sent when the program ends; Prefect's would try for ten minutes


class RoundStopped(Exception):
    """A round stopped itself, and the words say why and what to run next."""


def explained(error: BaseException) -> tuple[int, str]:
    """The exit code and the one sentence for what ended the program.

    Raises:
        BaseException: the error itself, where it is a mistake of this program: its traceback is wanted.
    """
    if isinstance(error, RoundStopped):
        return 1, str(error)
    if isinstance(error, BrokenPipeError):
        return 1, ""  # whoever read the output has enough: `--help | head`
    from tasks.ledger import LedgerError  # and SQLAlchemy with it: no command begins by waiting for that

    causes = [error, *filter(None, (error.__cause__, error.__context__))]
    if any(getattr(e, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(e) for e in causes):
        return 1, f"error: no space left on the device; free some; {HINT}"
    if isinstance(error, InputError | LedgerError):
        return 2, f"error: {error}"
    if isinstance(error, OSError | RuntimeError):
        return 1, f"error: {error}; {HINT}"
    error.add_note(f"this is a mistake of tunebook; {HINT}")
    raise error


def exit_code(record: "Record") -> int:
    """The exit code of a concluded round: 1 where no trial gave a result, 0 whatever else its verdict is."""
    return 1 if record.verdict.reason == "nothing_feasible" else 0


def leave(code: int) -> NoReturn:
    """End the program, soon: what Prefect still wants to send would be tried for minutes where its server is gone."""
    if code:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # everything is done and said
    logging.disable()  # Prefect counts what it could not send
    last = threading.Timer(LAST, os._exit, [code])
    last.daemon = True
    last.start()
    sys.exit()
