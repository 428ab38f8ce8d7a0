"""Why a program failed, from all that it printed: its exception, and not the last words of a launcher or a tracker."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from tasks.trials.failures.tracebacks import HEADER, Traceback, tracebacks_in
from tasks.trials.outcome import LINE

TAIL = 1 << 17  # bytes of what a program printed last
AROUND = 1 << 15  # bytes on either side of the last traceback, should that have come long before
_RECENT = 20  # lines of its own that a program may print after the line that says why it fails

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
MEMORY = re.compile(
    r"\w*MemoryError\b|out of memory|bad_alloc|OOM when allocating|RESOURCE_EXHAUSTED|ResourceExhaustedError"
    r"|(cannot|can't|failed to|could not) allocate|not enough memory|ALLOC_FAILED|ErrorMemoryAllocation|\boom.?kill",
    re.IGNORECASE,
)
_WRAPPERS = (  # exceptions with which one process tells of another one's end
    *("ChildFailedError", "CalledProcessError", "ProcessExitedException", "ProcessRaisedException", "ProgramFailed"),
    *("RayTaskError", "_RemoteTraceback", "RemoteTraceback", "SystemExit", "KeyboardInterrupt"),
)
_CONSEQUENCES = (  # of another process that went away
    *("DistBackendError", "ConnectionResetError", "ConnectionRefusedError", "BrokenPipeError", "EOFError"),
    "BrokenProcessPool",
)
_BARE = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit)\b(?:\([\w.]+\))?(?::(?:\s.*)?)?")
_NATIVE = re.compile(  # how programs without a traceback of Python's say that they are done for
    r"(Fatal Python error:|terminate called |\s*what\(\):|panic: |thread '.*' panicked|Exception in thread \""
    r"|Caused by: |Uncaught |.*\b(Assertion .* failed|Segmentation fault|Illegal instruction|Bus error)\b).*"
)
_SAID = re.compile(
    r"(?:[\w./-]+(?::\d+)*: )*(?:fatal |uncaught |unhandled )?(?:error|exception|fatal|panic)(?:\[\w+\])?: ?"
    r"(?![-+.\d\s]*$)\S.*",
    re.IGNORECASE,
)
_LOGGED = re.compile(r".{0,60}\b(ERROR|CRITICAL|FATAL)\b.*")
_OTHERS = re.compile(  # whole lines of launchers, trackers, progress bars and frameworks
    r"(wandb|comet_ml|neptune|clearml|aim|swanlab):.*|COMET \w+:.*|.{0,3}View (run|experiment) .*"
    r"|Set the environment variable HYDRA_FULL_ERROR.*|Error executing job with overrides.*"
    r"|.*torch[./]distributed[./](elastic|run|launcher).*|.*\bSending process \d+ closing signal.*"
    r"|[\w./-]+ (?-i:FAILED)|Failures:|Root Cause .*|\[\d+\]:|<NO_OTHER_FAILURES>"
    r"|\s*(time|host|rank|exitcode|error_file|traceback) +:.*|.*mpi(run|exec) (detected|noticed).*"
    r"|(srun|slurmstepd|slurmd|salloc|sbatch|mpirun|mpiexec|prterun|orterun|horovodrun)\b.*"
    r"|g?make(\[\d+\])?: .*|ninja: .*|npm (ERR!|error).*|error Command failed.*|error: Recipe .*|ERROR conda\.cli.*"
    r"|Command exited with non-zero status.*|Command terminated by signal.*|exit status \d+|Execution halted"
    r"|note: run with `RUST_BACKTRACE.*|.*\d+%\|.*|.*\b\d+(\.\d+)?(it/s|s/it)\b.*|Epoch \d+:.*%.*"
    r"|.*\b\w*Warning: .*|.*\bleaked \w+ objects? to clean up.*|Exception ignored .*|\W*|Traceback \(.*"
    rf"|During handling of the above.*|The above exception was.*|([\w.]+\.)?({'|'.join(_WRAPPERS)})\b.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Why:
    """The `line` that says why a program failed; "" where nothing does.

    `memory`: the line that says that it ran out of memory, "" where it did not. `traceback`: the exception's own.
    `sure`: whether the line speaks of an error, and is not only the last one.
    """

    line: str = ""
    memory: str = ""
    traceback: Traceback | None = None
    sure: bool = False


class Printed:
    """What a program printed on one stream: the end of it, and where its last traceback was before that."""

    def __init__(self) -> None:
        self._tail = self._before = b""

    def add(self, data: bytes) -> None:
        """Take in what it printed next."""
        whole = self._tail + data
        if len(whole) > 2 * TAIL:
            at = whole.rfind(HEADER.encode(), 0, -TAIL)
            if at >= 0:
                self._before = whole[max(0, at - AROUND) : at + AROUND]
            whole = whole[-TAIL:]
        self._tail = whole

    @property
    def text(self) -> str:
        """All that is kept of it."""
        return (self._before + b"\n" + self._tail).decode(errors="replace")


def why(text: str, *, last: bool = True) -> Why:
    """Why the program failed that printed this: its last exception, else a line that speaks of an error.

    Exceptions of other processes that only tell of its end (of launchers, say) count where there is none of its own.
    Without any, it is its last line (unless `last` is false) that is no launcher's, tracker's or progress bar's.
    """
    lines = list(_lines(text))
    found = list(tracebacks_in(lines))
    best = max(found, key=lambda each: (_rank(each[1]), each[0]), default=None)
    if best is not None and _rank(best[1]) > 1:
        memory = next((t.error for t in (best[1], *best[1].chain[::-1]) if MEMORY.search(t.error)), "")
        own = tuple(takewhile(lambda line: not _OTHERS.fullmatch(line), best[1].lines[1:]))
        whole = replace(best[1], lines=(best[1].lines[0], *own))
        return Why(line=_short(best[1].error), memory=_short(memory), traceback=whole, sure=True)
    ways = ((_NATIVE, len(lines)), (_BARE, len(lines)), (_SAID, _RECENT), (_LOGGED, _RECENT))
    said = next((line for pattern, recent in ways for line in _speaking(lines, pattern, recent)), "")
    if not said and best is not None:
        return Why(line=_short(best[1].error), traceback=best[1], sure=True, memory=_killed(lines))
    line = said or (_last_own(lines) if last else "")
    memory = line if MEMORY.search(line) else _killed(lines)
    return Why(line=_short(line), memory=_short(memory), sure=bool(said))


def _rank(traceback: Traceback) -> int:
    """How much an exception says of why the program failed."""
    if not traceback.fatal:
        return 0
    if traceback.name in _WRAPPERS:
        return 1
    return 2 if traceback.name in _CONSEQUENCES else 3


def _lines(text: str) -> Iterator[str]:
    """The lines without colours; what a progress bar overwrote is a line of its own."""
    for line in re.split(r"\r\n|\n|\r", text):
        yield _CONTROL.sub("", line).rstrip()


def _speaking(lines: Sequence[str], pattern: re.Pattern[str], recent: int) -> Iterator[str]:
    """Those that the pattern matches of the last `recent` lines that are the program's own, the last one first."""
    own = (line for line in reversed(lines) if not _OTHERS.fullmatch(line))
    return (line.strip() for line in islice(own, recent) if pattern.fullmatch(line))


def _last_own(lines: Sequence[str]) -> str:
    """The last line that is the program's own; one that is indented only where there is no other."""
    own = [line for line in lines if line.strip() and not _OTHERS.fullmatch(line)]
    plain = [line for line in own if not line[0].isspace()]
    every = [line for line in lines if line.strip()]
    return next((group[-1].strip() for group in (plain, own, every) if group), "")


def _killed(lines: Sequence[str]) -> str:
    """What a launcher says of a process that was killed for memory."""
    killed = re.compile(r".*(\boom.?kill|: out of memory$)", re.IGNORECASE)
    return next((line.strip() for line in reversed(lines) if killed.match(line)), "")


def _short(line: str) -> str:
    return line[:LINE]
