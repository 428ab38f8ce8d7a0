"""A program in any language as a trial: started, read, stopped, and judged by how it ended."""

import json
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tasks.scope.error import InputError
from tasks.trials.command.argv import WORDS, rendered
from tasks.trials.command.metrics import MetricsFile
from tasks.trials.local.reaper import die_with, oom_kills
from tasks.trials.outcome import signal_name
from tasks.trials.running import Infeasible, Interrupted, RunningTrial

METRICS = "tunebook.jsonl"
CHECKPOINTS = "checkpoints"
FOLDER = "TUNEBOOK_FOLDER"  # the user's own folder, as trials see it
SEEDS = 2**31  # a seed that every language takes for a whole number
TAIL = 4096  # bytes of what a program said last on stderr
_LOOK = 0.02  # seconds between looks at the metrics
_LAST_READS = 64  # of what a program left to be read when it ended
_MEMORY = re.compile(r"\w*MemoryError\b|out of memory|std::bad_alloc|Cannot allocate memory", re.IGNORECASE)


class ProgramFailed(RuntimeError):
    """A program ended by a signal, or with an exit code that is not 0."""


def run(trial: RunningTrial, *, argv: Any, metrics: str = "lines", cwd: str | None = None) -> None:
    """Runs a program at the trial's point and reports what it reports; see `command_argv` for `argv`.

    The program runs in the trial's own working folder, or in `cwd` (seen from the user's folder). `metrics`: it
    appends lines to the file that TUNEBOOK_METRICS names (`lines`, see `command_metrics`), or logs to MLflow, where the
    door finds them when the trial has ended (`mlflow`). An interrupted program is started again with
    TUNEBOOK_RESUMED=1, in the same folder, with what it left in TUNEBOOK_CHECKPOINTS.

    Raises:
        InputError: `argv` has a name that the point lacks, or there is no such program.
        ProgramFailed: its exit code is not 0, or a signal killed it.
        Infeasible: it ran out of memory, or the objective is not finite; it is then killed at once.
        Interrupted: it was asked to stop, and did.

    Playbook: J12
    """
    work, own = Path.cwd(), os.environ.get(FOLDER)
    lines = MetricsFile(work / METRICS)
    (work / CHECKPOINTS).mkdir(exist_ok=True)
    if metrics == "mlflow" and "MLFLOW_TRACKING_URI" not in os.environ:
        raise InputError("workload.metrics: there is no private MLflow store here; take metrics: lines.")
    words = _words(trial, work, lines.resumed, own)
    point = dict(trial.point)
    trial.point.read.clear()
    arguments = rendered(argv, trial.point, words, own)
    if not trial.point.read:
        trial.point.read.update(point)  # it names none of them, so it will read TUNEBOOK_POINT
    environment = os.environ | {f"TUNEBOOK_{word.upper()}": text for word, text in words.items()}
    environment["TUNEBOOK_POINT"] = json.dumps(point)
    program = Program(arguments, environment, work if cwd is None else Path(own or work, cwd))
    last = -1
    try:
        going = True
        while going:
            if trial.stopping:
                program.stop()
            going = program.listen()
            for last, row in lines.rows(ended=not going):
                trial.report(last, **row)
    finally:
        program.end()
    if trial.stopping and not (program.code == 0 and last >= trial.max_train_steps):
        raise Interrupted("the program was asked to stop")
    program.judge()


def _words(trial: RunningTrial, work: Path, resumed: bool, own: str | None) -> dict[str, str]:
    texts = (
        *(trial.seed % SEEDS, trial.max_train_steps, trial.eval_every_steps, trial.device, work.parent.name, own or ""),
        *(work / METRICS, work / CHECKPOINTS, int(resumed)),
    )
    return {word: str(text) for word, text in zip(WORDS, texts, strict=True)}


class Program:
    """A process in its trial's own process group, so that whatever kills the trial kills all that the program started.

    It dies with its trial even where nobody is left to kill it.
    """

    def __init__(self, arguments: list[str], environment: Mapping[str, str], cwd: Path) -> None:
        self._oom_kills = oom_kills()
        self._process = subprocess.Popen(
            arguments,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=partial(die_with, os.getpid()),
        )
        assert self._process.stderr is not None
        self._stderr = self._process.stderr.fileno()
        os.set_blocking(self._stderr, False)
        self._silent = self._stopping = False
        self._tail = b""

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    def listen(self) -> bool:
        """Whether it still runs, after passing on what it says on stderr for a moment.

        One that was asked to stop runs as long as anything of it does: a shell may end before what it had started.
        """
        ended = self._process.poll() is not None
        for _ in range(_LAST_READS if ended else 1):  # what outlives it may go on talking for ever
            if not self._pass_on(0 if ended else _LOOK):
                break
        return not ended or (self._stopping and not self._silent)

    def _pass_on(self, wait: float) -> bool:
        """Whether there was anything to pass on, after `wait` seconds at most."""
        if self._silent:
            time.sleep(wait)
        elif select.select([self._stderr], [], [], wait)[0]:
            data = os.read(self._stderr, 1 << 16)
            self._silent = not data
            self._tail = (self._tail + data)[-TAIL:]
            os.write(2, data)
            return bool(data)
        return False

    def stop(self) -> None:
        """Ask it, and all that it started, to save and end; once."""
        if not self._stopping and self.code is None:
            self._stopping = True
            if os.getpgrp() == os.getpid():
                os.killpg(0, signal.SIGTERM)  # ourselves too, who know already
            else:
                self._process.terminate()

    def end(self) -> None:
        """Kill it if it still runs; what it started goes with our process group, which ends right after."""
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def judge(self) -> None:
        """Raise what its end means; nothing where it ended well.

        Raises:
            ProgramFailed, Infeasible: as `run`.
        """
        if self.code == 0:
            return
        code, said = self.code or 0, self._last_line()
        if code == -signal.SIGKILL and oom_kills() > self._oom_kills:
            from tasks.trials.local.execute import OUT_OF_MEMORY  # half a second, which hardly any trial needs

            raise Infeasible(OUT_OF_MEMORY)
        if _MEMORY.search(said):
            raise Infeasible(f"out of memory: {said}")
        how = f"exit code {code}" if code > 0 else f"killed by {signal_name(-code)}"
        raise ProgramFailed(f"{how}: {said}" if said else how)

    def _last_line(self) -> str:
        lines = [line.strip() for line in self._tail.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1][:200] if lines else ""
