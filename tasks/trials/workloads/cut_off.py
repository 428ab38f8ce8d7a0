"""A workload around another one that can cut it off, for `check=resume`.

The cut is a real one: SIGKILL, right after a checkpoint or a report, so that no program is too fast to be hit.
"""

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tasks.trials.running import RunningTrial, Sink

WORDS = "words.jsonl"  # of the trial's folder: [word, step], a line each; a process begins with ["begin", 0]


def cut_off(trial: RunningTrial, *, program: Callable[[RunningTrial], None], after: str = "", at: int = 0) -> None:
    """Run `program`, and kill its process right after its first word `after` (save, report) of step `at` or later."""
    trial._sink = Noted(trial._sink, Path.cwd().parent / WORDS, after, at)
    program(trial)


class Noted:
    """A sink whose every word is in a file before the program goes on."""

    def __init__(self, sink: Sink, words: Path, after: str, at: int) -> None:
        self._sink, self._words, self._after, self._at = sink, words, after, at
        self._note("begin", 0)

    def reported(self, step: int, metrics: Mapping[str, float]) -> None:
        """Takes one evaluation."""
        self._sink.reported(step, metrics)
        self._note("report", step)

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        """Takes one checkpoint."""
        self._sink.saved(step, state, objective)
        self._note("save", step)

    def last(self) -> tuple[int, Any]:
        """The last checkpoint; that it was asked for is a word too."""
        step, state = self._sink.last()
        self._note("resume", step)
        return step, state

    def _note(self, word: str, step: int) -> None:
        with self._words.open("a") as file:
            file.write(json.dumps([word, step]) + "\n")
        if word == self._after and step >= self._at:
            os.kill(os.getpid(), signal.SIGKILL)
