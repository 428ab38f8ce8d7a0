"""Which failures are alike: those of one exception at one place, whatever is a run's own in the words."""

import os
import re
from functools import lru_cache
from pathlib import PurePath

from tasks.trials.failures.output import why
from tasks.trials.failures.tracebacks import Frame, Traceback
from tasks.trials.local.shell import ROOT
from tasks.trials.outcome import cause
from tasks.trials.trial import Trial

_OWN = (  # what one run has in its words and the next one has not
    (re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE), "URL"),
    (re.compile(r"(?:[A-Za-z]:)?[\w.~+-]*(?:[/\\][\w.~+=@,-]+)+[/\\]?|[\w.~+-]+[/\\](?=[\s'\"]|$)"), "PATH"),
    (re.compile(r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|[0-9a-f]{8,})\b", re.IGNORECASE), "#"),
    (re.compile(r"\b(?=[a-z_]*\d)(?=[\d_]*[a-z])(?:[a-z]*\d+){2,}[a-z0-9]*\b|\btmp\w{6,}\b", re.IGNORECASE), "#"),
    (re.compile(r"\b(?:nan|inf|infinity)\b", re.IGNORECASE), "#"),
    (re.compile(r"[-+]?\d[\d_.:]*(?:e[-+]?\d+)?", re.IGNORECASE), "#"),
    (re.compile(r"#(?:[\s,;x*-]+#)+"), "#"),
)
_TUNEBOOK = tuple(str(ROOT / room) + os.sep for room in ("tasks", "flows"))


def broke(trial: Trial) -> bool:
    """Whether it failed and says of what: without a word it may have diverged, which elsewhere is the same status."""
    return trial.status == "failed" and bool(trial.reason.strip())


def fault(trial: Trial) -> str:
    """What failed trials that are alike have in common: the exception and its place, where a traceback tells.

    Else it is the reason; numbers, paths, ids and addresses are left out of it.

    Playbook: E10
    """
    found = traceback_of(trial)
    frames = frames_of(found) if found else []
    if found is None or not frames:
        return general(fault_text(trial))
    last = frames[-1]
    return f"{found.kind} at {PurePath(last.file).name}:{last.line} {last.function}"


def fault_text(trial: Trial) -> str:
    """A trial's reason in a line, without the step; of a traceback the exception."""
    lines = [line for line in trial.reason.strip().splitlines() if line.strip()] or ["no reason given"]
    several = trial.status == "failed" and len(lines) > 1
    return cause(why(trial.reason).line if several else lines[0])


def traceback_of(trial: Trial) -> Traceback | None:
    """The traceback in the trial's log, where it is that of the reason; else the one that is the reason."""
    if trial.status != "failed":
        return None
    found = [t for text in (trial.log, trial.reason) if text and (t := _why(text)) is not None]
    return next((t for t in found if t.name in trial.reason), None)


def frames_of(found: Traceback) -> list[Frame]:
    """The calls of the user's code and of the libraries, without tunebook's own."""
    return [frame for frame in found.frames if not frame.file.startswith(_TUNEBOOK)]


def general(text: str) -> str:
    """The words without what is a run's own: numbers, paths, ids and addresses."""
    for pattern, name in _OWN:
        text = pattern.sub(name, text)
    return " ".join(text.split())


def short_of_memory(trial: Trial) -> bool:
    """Whether it was infeasible because it ran out of memory."""
    return trial.status == "infeasible" and trial.reason.lower().startswith("out of memory")


@lru_cache(maxsize=512)
def _why(log: str) -> Traceback | None:
    return why(log).traceback
