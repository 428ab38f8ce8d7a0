"""What the end of a trial means: complete, infeasible (too large a learning rate, say) or failed (broken code)."""

import errno
import math
import signal
from collections.abc import Callable, Iterator, Mapping

from tasks.record import Status
from tasks.scope.error import InputError
from tasks.trials.running import Infeasible

Reports = Mapping[int, Mapping[str, float]]
LINE = 600  # characters of the line that is a reason
NO_SPACE = "no space left on the disk"
KILLED = "killed by "
NOT_RUN = "its process could not be run"
STILL_RUNNING = "a process of an earlier attempt still has its folder"
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP")  # which a program brings on itself
_MEMORY = ("out of memory", "t allocate memory", "not enough memory", "bad_alloc")  # as torch and the system say it


def returned(reports: Reports, metric: str) -> tuple[Status, str]:
    """`(status, reason)` of a trial whose code came to its end.

    Playbook: E8
    """
    broken = diverged(reports, metric)
    if broken:
        return "infeasible", broken
    if not any(metric in row for row in reports.values()):
        return "failed", no_result(metric)
    return "complete", ""


def no_result(metric: str) -> str:
    """The reason of a trial whose code came to its end and had never reported the objective."""
    return f"no result: it ended without ever reporting {metric}"


def raised(error: BaseException) -> tuple[Status, str]:
    """`(status, reason)` of a trial whose code raised: out of memory is infeasible, any other exception failed.

    Where the exception came of another one, or while that was handled, memory counts there too: what wraps it, or
    breaks on the way out, would not have been without it.

    Playbook: E8
    """
    if isinstance(error, Infeasible):
        return "infeasible", _words(error) or type(error).__name__
    if out_of_space(error):
        return "failed", NO_SPACE
    memory = next((e for e in _chain(error) if _out_of_memory(e)), None)
    if memory is not None:
        said = _first_line(memory)
        return "infeasible", f"out of memory: {said}" if said else "out of memory"
    if isinstance(error, SystemExit):
        return "failed", f"called sys.exit({'' if error.code is None else _words(error.code, repr)})"
    said = _first_line(error)
    if isinstance(error, InputError):
        return "failed", said
    return "failed", f"{type(error).__name__}: {said}" if said else type(error).__name__


class ProgramFailed(RuntimeError):
    """A program ended by a signal, or with an exit code that is not 0; what it printed says more than a traceback."""


def is_machines(reason: str) -> bool:
    """Whether a trial failed for the machine's sake (a full disk, a signal from outside), and not for its code's."""
    if reason.startswith((NO_SPACE, NOT_RUN, STILL_RUNNING)):
        return True
    killed = reason.removeprefix(f"{ProgramFailed.__name__}: ")
    return killed.startswith(KILLED) and not killed.startswith(tuple(f"{KILLED}{name}" for name in _CRASHES))


def timed_out(limit: float) -> str:
    """The reason of a trial that was not done after `limit` seconds of work."""
    return f"wall timeout: not done after {limit:g} s"


def out_of_space(error: BaseException) -> bool:
    """Whether a disk is full, or the user's share of it."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def diverged(reports: Reports, metric: str) -> str:
    """Where the objective was first not a number, in words; empty where it never was.

    Such a trial is infeasible even where its code swallowed the exception that should have ended it: its curve up to
    that step must not compete.

    Playbook: E8
    """
    for step, row in reports.items():
        if metric in row and not math.isfinite(row[metric]):
            return f"{metric} is {row[metric]} at step {step}"
    return ""


def cause(reason: str) -> str:
    """The reason without the step that it names: two trials that ended alike have one cause.

    Here and in `running`, `supervised` and `imported` a reason names its step last.
    """
    return reason.partition(" at step ")[0].strip()


def _out_of_memory(error: BaseException) -> bool:
    """By name, since torch may not be installed; the CPU's allocator says it in a plain RuntimeError.

    A module that does not fit is an ImportError.
    """
    if isinstance(error, MemoryError) or any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError | ImportError | OSError) and any(w in _words(error).lower() for w in _MEMORY)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those before it that `raise … from None` does not hide."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        yield link
        seen.add(id(link))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in _words(error).splitlines() if line.strip()), "")[:LINE]


def _words(what: object, how: Callable[[object], str] = str) -> str:
    """What the user's code says of itself; nothing where even that raises."""
    try:
        return how(what)
    except Exception:
        return ""


def signal_name(number: int) -> str:
    """A signal's name; real-time signals have none."""
    return signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
