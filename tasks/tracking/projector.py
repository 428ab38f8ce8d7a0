"""Projection outside the trials' way: a thread takes what ended and writes it to MLflow, and never stops a round."""

import queue
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from tasks.record import Record, TrialRow
from tasks.tracking.registry import register
from tasks.tracking.rounds import project_round
from tasks.tracking.store import Handle, Tracking, connect
from tasks.tracking.trials import project_trial

Job = Callable[[Handle], object]


class Projector:
    """Takes finished trials and the round's record at once and shows them in MLflow when it can.

    Every method returns at once but `drain` and `close`, which wait no longer than they are told. None raises for
    MLflow: the first failure makes `warning`, one sentence, handed to `warn` once; what could not be written is
    tried again by each `drain`.

    Playbook: J13
    """

    def __init__(
        self,
        tracking: Tracking,
        *,
        workload: str,
        round_id: str,
        name: str = "",
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.warning: str | None = None
        self.parent: str | None = None
        self._tracking, self._said = tracking, (workload, round_id, name)
        self._warn = warn or (lambda _: None)
        self._handle: Handle | None = None
        self._jobs: queue.SimpleQueue[Job | threading.Event | None] = queue.SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._down = False
        self._runs: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        if tracking.enabled:
            self._thread = threading.Thread(target=self._work, name="mlflow-projection", daemon=True)
            self._thread.start()

    def add(
        self,
        row: TrialRow,
        steps: Iterable[int],
        metrics: Mapping[str, Iterable[float]],
        started: float | None = None,
    ) -> None:
        """Takes a trial that ended; see `project_trial`."""

        def job(handle: Handle) -> None:
            self._runs[row.id] = project_trial(handle, row, steps, metrics, started)

        self._put(job)

    def conclude(
        self,
        record: Record,
        folder: Path,
        *,
        config: Mapping[str, Any] | None = None,
        checkpoints: Mapping[str, Path] | None = None,
    ) -> None:
        """Takes the record of the round; see `project_round`."""
        self._put(lambda handle: project_round(handle, record, folder, config=config, checkpoints=checkpoints))

    def register(self, record: Record, checkpoint: Path, generation: int) -> None:
        """Takes the promoted checkpoint's folder; see `tasks.tracking.registry.register`."""
        self._put(lambda handle: register(handle, record, checkpoint, generation))

    def drain(self, timeout: float = 30.0) -> dict[str, str]:
        """MLflow run ids by trial id, of what stands in MLflow once all is written or `timeout` seconds are over."""
        if self._thread is not None:
            reached = threading.Event()
            self._jobs.put(reached)
            if not reached.wait(timeout):
                self._note(f"no answer within {timeout:g} s")
        return dict(self._runs)

    def close(self, timeout: float = 5.0) -> None:
        """Lets the thread end; what MLflow has not taken by then stays in the ledger alone."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, job: Job) -> None:
        if self._thread is not None:
            self._jobs.put(job)

    def _work(self) -> None:
        self._attempt()
        while (job := self._jobs.get()) is not None:
            if isinstance(job, threading.Event):
                self._down = False
                self._attempt()
                job.set()
                continue
            self._waiting.append(job)
            if not self._down:
                self._attempt()

    def _attempt(self) -> None:
        """Writes what waits. One job may be at fault by itself; two failures in a row are MLflow's: it is left alone
        until the next `drain`."""
        failed: deque[Job] = deque()
        in_a_row = 0
        try:
            if self._handle is None:
                self._handle = connect(self._tracking, *self._said)
                self.parent = self._handle.parent
            while self._waiting and in_a_row < 2:
                job = self._waiting.popleft()
                try:
                    job(self._handle)
                    in_a_row = 0
                except Exception as error:  # whatever MLflow raises, the round goes on
                    failed.append(job)
                    in_a_row += 1
                    self._note(_reason(error))
        except Exception as error:
            in_a_row = 2
            self._note(_reason(error))
        self._down = in_a_row >= 1
        self._waiting.extendleft(reversed(failed))

    def _note(self, reason: str) -> None:
        if self.warning is None:
            self.warning = (
                f"MLflow at {_without_password(self._tracking.address)} does not take this round ({reason}): "
                "the round goes on, the ledger has it all"
            )
            self._warn(self.warning)


def replay(
    tracking: Tracking,
    record: Record,
    folder: Path,
    curves: Mapping[str, tuple[Iterable[int], Mapping[str, Iterable[float]]]],
    *,
    config: Mapping[str, Any] | None = None,
    checkpoints: Mapping[str, Path] | None = None,
    timeout: float = 600.0,
) -> tuple[dict[str, str], str | None]:
    """`(run ids by trial id, warning)` after showing a whole round again: what is there stays, what lacks is added.

    `curves` has `(steps, metrics)` by trial id. Own the round in the ledger while this runs.
    """
    with Projector(tracking, workload=record.workload, round_id=record.round_id, name=record.goal.question) as to:
        for row in record.trials:
            steps, metrics = curves.get(row.id, ((), {}))
            to.add(row, steps, metrics)
        to.conclude(record, folder, config=config, checkpoints=checkpoints)
        return to.drain(timeout), to.warning


def _reason(error: Exception) -> str:
    lines = _without_password(str(error)).splitlines()
    return f"{type(error).__name__}: {lines[0][:120] if lines else ''}"


def _without_password(text: str) -> str:
    return re.sub(r"://[^@/\s]+@", "://", text)
