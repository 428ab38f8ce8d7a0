"""`RunnerSettings` and `Execution`: how many trials at once, on which devices, with which limits, of which workload."""

import math
import os
import re
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from tasks.design.study import Planned
from tasks.record import Frozen
from tasks.scope.error import InputError
from tasks.scope.goal import Workload
from tasks.scope.redaction import NONE, Secrets

_DEVICE = re.compile(r"cpu|mps|cuda(:\d+)?")
_NAME = re.compile(r"[A-Za-z_]\w*")
_WHOLE = ("workers", "threads", "keep_best", "log_bytes")
_REAL = {"wall_timeout": "number of seconds", "progress_timeout": "number of seconds", "memory": "number of GiB"}
MOST_KEPT = 1000  # of a trial's best checkpoints: the manifest that names them has a limit of its own
_OPTIONAL = ("workers", "progress_timeout", "memory")


class RunnerSettings(Frozen):
    """Where trials run (`name`: a runner, such as `local`: child processes of this machine), and with which limits.

    `workers` at once (None: as many as the cores hold, or one for each device that is no CPU), `threads` of torch a
    trial, `wall_timeout` seconds of work a trial, over all its attempts (infeasible), `progress_timeout` seconds
    without a report, a checkpoint or a word (failed; None: never), `memory` GiB a process of a trial may allocate
    (infeasible; None: all there is), `retries` of a failed trial and `retries_a_round` of all of them, `keep_best`
    checkpoints besides the last two, `log_bytes` kept of its output, `environment` the names of variables that trials
    may see besides the usual ones (secrets do not travel).
    """

    name: str = "local"
    workers: int | None = None
    devices: tuple[str, ...] = ("cpu",)
    threads: int = 1
    wall_timeout: float = 3600.0
    progress_timeout: float | None = None
    memory: float | None = None
    retries: int = 2
    retries_a_round: int = 20
    keep_best: int = 1
    log_bytes: int = 64 * 1024
    environment: tuple[str, ...] = ()

    @field_validator(*_WHOLE, *_REAL, "retries", "retries_a_round", mode="before")
    @classmethod
    def _above_zero(cls, value: Any, info: Any) -> Any:
        name = info.field_name
        if name in _OPTIONAL and value is None:
            return value
        least = 0 if name.startswith("retries") else 1
        number = isinstance(value, int | float if name in _REAL else int) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and (value > 0 or value == least == 0)):
            kind, bound = _REAL.get(name, "whole number"), "from 0 on" if least == 0 else "above 0"
            raise InputError(f"runner.{name}: {value!r} will not do; give a {kind} {bound}.")
        if name == "keep_best" and value > MOST_KEPT:
            raise InputError(f"runner.keep_best: {value} will not do; keep at most {MOST_KEPT} checkpoints a trial.")
        return value

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.devices:
            raise InputError("runner.devices: no device is named; list at least one, such as [cpu] or [cuda:0].")
        for device in self.devices:
            if not _DEVICE.fullmatch(device):
                raise InputError(f"runner.devices: {device!r} is no device; name cpu, cuda:0, cuda:1, … or mps.")
            if device != "cpu" and self.devices.count(device) > 1:
                raise InputError(f"runner.devices: {device} stands twice; to share it, raise runner.workers instead.")
        for name in self.environment:
            if not _NAME.fullmatch(name):
                raise InputError(
                    f"runner.environment: {name!r} is no name of a variable; list names alone, such as [DATA_DIR]."
                )
        return self

    @property
    def slots(self) -> tuple[str, ...]:
        """A device for each trial that runs at once; devices are shared where there are more workers than devices."""
        if all(d == "cpu" for d in self.devices):
            return ("cpu",) * (self.workers or max(1, _cores() // self.threads))
        workers = self.workers or len(self.devices)
        return tuple(self.devices[i % len(self.devices)] for i in range(workers))


class Execution(Frozen):
    """What a trial needs besides its plan: the workload, the runner, the user's own folder.

    `secrets` are left out of what trials print and of their reasons.
    """

    workload: Workload
    runner: RunnerSettings
    own: str | None = None
    secrets: Secrets = Field(default=NONE, exclude=True, repr=False)

    def arguments(self, planned: Planned) -> dict[str, Any]:
        """The workload's arguments, with the trial's own settings in their place."""
        return self.workload.arguments_with(planned.settings)


def _cores() -> int:
    """The cores that this process may use: in a container that is fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
