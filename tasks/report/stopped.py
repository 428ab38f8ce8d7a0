"""A round that its first trials stopped, in words: what failed, where in the user's code, and how it is resumed."""

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tasks.text import one_line, plural
from tasks.trials.failures.alike import frames_of, traceback_of
from tasks.trials.failures.first import FirstTrialsFailed
from tasks.trials.failures.tracebacks import Frame, Traceback
from tasks.trials.local.child import LOG
from tasks.trials.outcome import no_result
from tasks.trials.trial import Trial

FRAMES = 6  # of the user's that are shown, the innermost ones
DEEPER = 2  # frames of libraries that are shown, where none is the user's
_PRINTED = 8  # last lines of a log without a traceback
_LIBRARIES = tuple({str(Path(path)) + os.sep for name, path in sysconfig.get_paths().items() if "lib" in name})


def stopped_text(error: FirstTrialsFailed, metric: str, command: str) -> str:
    """What is told of the round: the traceback once, the user's own calls in it, and the command to run next.

    Playbook: E10
    """
    trial, first = error.trial, "trial" if error.count == 1 else f"{error.count} trials"
    left = f"; {plural(error.left, 'other')} did not run" if error.left else ""
    alike = " alike" if error.count > 1 else ""
    lines = [f"stopped: the first {first} failed{alike} before any report of {metric}{left}.", ""]
    found = traceback_of(trial)
    lines += _traceback(found) if found else _words(trial, metric)
    log = Path(trial.folder, LOG) if trial.folder else None
    lines += ["", *([f"log       {_near(str(log))}"] if log else [])]
    lines += [
        "next      mend the code, then run the same command; the trials that failed run again:",
        f"          {command}",
    ]
    return "\n".join(lines)


def _traceback(found: Traceback) -> Iterator[str]:
    """The user's frames, outermost first, and the exception; where there are none, the innermost of a library's."""
    theirs = frames_of(found)
    own = [f for f in theirs if not _library(f)]
    shown = own[-FRAMES:] or theirs[-DEEPER:]
    for frame in shown:
        yield f'  File "{_near(frame.file)}", line {frame.line}' + (f", in {frame.function}" if frame.function else "")
        if frame.source:
            yield f"    {one_line(frame.source)}"
    after = theirs[theirs.index(shown[-1]) + 1 :] if shown else []
    if after:
        last = after[-1]
        yield f"  … and {plural(len(after), 'call')} deeper, the last at {_near(last.file)}:{last.line}"
    yield from map(one_line, found.lines)


def _words(trial: Trial, metric: str) -> Iterator[str]:
    """The reason of a failure without a traceback, with what was printed last."""
    yield one_line(trial.reason)
    if trial.reason == no_result(metric):
        steps, every = trial.planned.max_train_steps, trial.planned.eval_every_steps
        yield f"The trial had {steps} steps, to be evaluated every {every}: does the code report within so many?"
        yield f"A training function calls trial.report(step, {metric}=…); what it returns is not looked at."
        yield "A program appends a line of JSON for each evaluation to the file that TUNEBOOK_METRICS names."
    lines = [one_line(line) for line in trial.log.splitlines() if line.strip()]
    half = len(lines) // 2
    printed = (lines[half:] if lines[:half] == lines[half:] else lines)[-_PRINTED:]  # the same of two attempts: once
    if printed:
        yield "It printed last:"
        yield from (f"  {line}" for line in printed)


def _library(frame: Frame) -> bool:
    file = frame.file
    return file.startswith(("<", *_LIBRARIES)) or "site-packages" in file or "dist-packages" in file


def _near(path: str) -> str:
    """A path below the working folder as it is seen from there."""
    return os.path.relpath(path) if Path(path).is_absolute() and Path(path).is_relative_to(Path.cwd()) else path
