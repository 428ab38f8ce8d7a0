"""A program in any language as a trial: started, read, stopped, and judged by how it ended."""

import json
import os
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
from tasks.trials.failures.output import Printed, Why, why
from tasks.trials.local.reaper import die_with, oom_kills
from tasks.trials.outcome import KILLED, ProgramFailed, signal_name
from tasks.trials.running import Infeasible, Interrupted, RunningTrial

METRICS = "tunebook.jsonl"
CHECKPOINTS = "checkpoints"
FOLDER = "TUNEBOOK_FOLDER"  # the user's own folder, as trials see it
SEEDS = 2**31  # a seed that every language takes for a whole number
_LOOK = 0.02  # seconds between looks at the metrics
_LAST_READS = 64  # of what a program left to be read when it ended
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)  # itself, or what it had started, as shells tell of it


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
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=partial(die_with, os.getpid()),
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._streams = {self._process.stdout.fileno(): 1, self._process.stderr.fileno(): 2}
        self._printed = {1: Printed(), 2: Printed()}
        for pipe in self._streams:
            os.set_blocking(pipe, False)
        self._stopping = False

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    def listen(self) -> bool:
        """Whether it still runs, after passing on what it prints for a moment.

        One that was asked to stop runs as long as anything of it does: a shell may end before what it had started.
        """
        ended = self._process.poll() is not None
        for _ in range(_LAST_READS if ended else 1):  # what outlives it may go on talking for ever
            if not self._pass_on(0 if ended else _LOOK):
                break
        return not ended or (self._stopping and bool(self._streams))

    def _pass_on(self, wait: float) -> bool:
        """Whether there was anything to pass on, after `wait` seconds at most."""
        if not self._streams:
            time.sleep(wait)
            return False
        passed = False
        for pipe in select.select([*self._streams], [], [], wait)[0]:
            data, ours = os.read(pipe, 1 << 16), self._streams[pipe]
            if data:
                self._printed[ours].add(data)
                os.write(ours, data)
                passed = True
            else:
                del self._streams[pipe]
        return passed

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
        self._streams.clear()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def judge(self) -> None:
        """Raise what its end means; nothing where it ended well.

        Raises:
            ProgramFailed, Infeasible: as `run`.
        """
        if self.code == 0:
            return
        code, said = self.code or 0, self._why()
        if code in _KILLED and oom_kills() > self._oom_kills:
            from tasks.trials.local.execute import OUT_OF_MEMORY  # half a second, which hardly any trial needs

            raise Infeasible(OUT_OF_MEMORY)
        if said.memory:
            raise Infeasible(f"out of memory: {said.memory}")
        how = f"exit code {code}" if code > 0 else f"{KILLED}{signal_name(-code)}"
        raise ProgramFailed(f"{how}: {said.line}" if said.line else how)

    def _why(self) -> Why:
        """What it printed of its failure: on stderr, or where no error is told of there on stdout."""
        said = why(self._printed[2].text)
        return said if said.sure or not (other := why(self._printed[1].text, last=False)).sure else other
