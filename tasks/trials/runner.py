"""Where trials run: how many at once, on which devices, for how long."""

import os
from typing import Self

from pydantic import model_validator

from tasks.record import Frozen
from tasks.scope.error import InputError
from tasks.scope.goal import Budget, Workload


class Runner(Frozen):
    """Child processes on this machine.

    `workers` at once (None: one for each core, or one for each device that is no CPU), `threads` of torch a trial,
    `wall_timeout` seconds a trial, `keep_best` checkpoints besides the last two, `log_bytes` kept of its output.
    """

    workers: int | None = None
    devices: tuple[str, ...] = ("cpu",)
    threads: int = 1
    wall_timeout: float = 3600.0
    keep_best: int = 1
    log_bytes: int = 64 * 1024

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for name in ("workers", "threads", "wall_timeout", "keep_best", "log_bytes"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InputError(f"runner.{name}: {value} will not do; give a number above 0.")
        if not self.devices:
            raise InputError("runner.devices: no device is named; list at least one, such as [cpu] or [cuda:0].")
        return self

    @property
    def slots(self) -> tuple[str, ...]:
        """A device for each trial that runs at once."""
        if all(d == "cpu" for d in self.devices):
            return ("cpu",) * (self.workers or os.cpu_count() or 1)
        return tuple((self.devices * (self.workers or 1))[: self.workers or len(self.devices)])


class Execution(Frozen):
    """What a trial needs besides its point: the workload, the budget, the runner, and the user's own folder."""

    workload: Workload
    budget: Budget
    runner: Runner
    own: str | None = None
