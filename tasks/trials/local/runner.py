"""The runner `local`: each trial in a child process of this machine, a device leased to it."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from tasks.design.study import Planned
from tasks.trials.local.execute import WayBack, run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.imports import brings_torch
from tasks.trials.local.server_link import ServerClosed, ServerDied
from tasks.trials.runner import Attempts, Unit
from tasks.trials.settings import Execution
from tasks.trials.target import EXACT, targets_in
from tasks.trials.trial import Trial


class LocalRunner:
    """Child processes, as many at once as there are slots: see `tasks.trials.runner.Runner`.

    `folder` holds a folder for each trial, in which an interrupted one goes on.
    """

    def __init__(self, execution: Execution, server: ForkServer, folder: Path, way_back: WayBack | None = None) -> None:
        self.execution, self.server = execution, server
        self._folder, self._way_back = folder, way_back
        self.devices: SimpleQueue[str] = SimpleQueue()
        for device in execution.runner.slots:
            self.devices.put(device)

    @staticmethod
    def check(execution: Execution) -> None:
        """It runs any workload."""

    @classmethod
    def open(
        cls, stack: ExitStack, execution: Execution, folder: Path, way_back: WayBack | None = None
    ) -> "LocalRunner":
        """A runner whose fork server ends with `stack`."""
        server = ForkServer(execution.runner, preload=preload(execution))
        return cls(execution, stack.enter_context(server), folder, way_back)

    @property
    def slots(self) -> int:
        """How many trials run at once."""
        return len(self.execution.runner.slots)

    def units(self, planned: Sequence[Planned]) -> Iterable[Unit]:
        """Each trial by itself."""
        return ((one,) for one in planned)

    def run(self, unit: Unit, attempts: Attempts) -> Iterator[Trial]:
        """The unit's trials, one after the other.

        Raises:
            RuntimeError: the process that forks trials ended: the round was stopped, or it died.
        """
        for planned in unit:
            try:
                yield self._run(planned, attempts)
            except ServerDied as error:
                raise RuntimeError(
                    "the process that forks trials died; the same command goes on with this round"
                ) from error

    def interrupt(self, grace: float) -> None:
        """Ask every child to save and stop, and give them that many seconds."""
        self.server.interrupt(grace)

    def close(self) -> None:
        """End every child."""
        self.server.close()

    def _run(self, planned: Planned, attempts: Attempts) -> Trial:
        """The trial, in as many attempts as it is allowed."""
        while True:
            device = self.devices.get()
            try:
                if self.server.closed:  # while it waited for a device: it never began
                    raise ServerClosed(f"trial {planned.id} was not begun: the round was stopped")
                attempt = attempts.start(planned)
                folder = self._folder / "trials" / planned.id
                trial = run_trial(planned, self.execution, self.server, folder, device, self._way_back)
            finally:
                self.devices.put(device)
            if not attempts.again(trial, attempt):
                attempts.accept(trial, attempt)
                return trial


def preload(execution: Execution) -> tuple[str, ...]:
    """What the fork server imports before it forks, so that no child has to: torch only where it will be used.

    Where the user's code imports torch, every trial of theirs wants it.
    """
    workload = execution.workload
    loop = (EXACT[workload.target].rpartition(".")[0],) if workload.target in EXACT else ()
    modules = {t.rpartition(".")[0] for t in (workload.target, *targets_in(workload.arguments))}
    ours = sorted(m for m in modules if m.startswith("tasks.trials.workloads"))
    torch = ("torch",) if "torch" in sys.modules or brings_torch(execution.own) else ()
    return ("tasks.trials.local.child", *torch, *loop, *ours)
