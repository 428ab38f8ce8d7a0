"""The fork server as the round holds it: a process that has torch imported, from which every trial is forked.

The standard library's fork server imports `__main__` again in every child, and its pools lose every job when one
child is killed. This one forks in milliseconds, gives each child a process group of its own, reports how each ended,
and dies with all its children when its coordinator does, however that dies. Its other end: `tasks.trials.local.reaper`.
"""

import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tasks.trials.local.server_link import ExitStatus, Link, Progress, ServerClosed, ServerDied
from tasks.trials.settings import RunnerSettings
from tasks.trials.target import shell_path

KEPT = frozenset(
    ("PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "XDG_CACHE_HOME")
)


class ForkServer:
    """Runs requests in children of a server process: a context, to be used from several threads at once.

    A server that dies (the kernel may choose it when memory runs out) is started anew with the next request.
    """

    def __init__(self, runner: RunnerSettings, *, preload: tuple[str, ...] = ()) -> None:
        self._runner, self._preload = runner, preload
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._closed = False

    def __enter__(self) -> Self:
        self._connected()  # imports go on while the coordinator does other things
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server and, with it, every child and what it left; those who wait in `run` get ServerClosed."""
        with self._lock:
            self._closed = True
            link, self._link = self._link, None
        if link is not None:
            link.end()

    def interrupt(self, grace: float) -> None:
        """Ask every child to save and stop, give them `grace` seconds, and `close`."""
        with self._lock:
            self._closed = True
            link = self._link
        try:
            if link is not None:
                link.stop(grace)
        finally:  # whoever is impatient may interrupt the wait
            self.close()

    @property
    def closed(self) -> bool:
        """Whether it ends or has ended: what a trial did since is no fault of its own."""
        return self._closed

    def run(self, request: Mapping[str, Any], timeout: float, progress: Progress | None = None) -> ExitStatus:
        """Fork a child for `request` (see `tasks.trials.local.child.main`) and return how it ended.

        A child that is still there `timeout` seconds after the fork, or makes no `progress`, is killed with its whole
        process group.

        Raises:
            ServerDied: the server ended before the child was known to have ended.
            ServerClosed: `close` was called.
            NotStarted: there was no process to be had.
        """
        try:
            return self._connected().run(request, timeout, progress)
        except ServerDied:
            if self._closed:
                raise ServerClosed("the fork server was closed") from None
            raise

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._connected().pid

    def _connected(self) -> "Link":
        with self._lock:
            if self._closed:
                raise ServerClosed("the fork server was closed")
            if self._link is not None and self._link.dead:
                self._link.end()
                self._link = None
            if self._link is None:
                self._link = Link(environment(self._runner), self._preload)
            return self._link


def environment(runner: RunnerSettings) -> dict[str, str]:
    """What trials may see of the environment: no secrets, one word on threads, the same hashing everywhere."""
    kept = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith("LC_") or k in runner.environment}
    threads = str(runner.threads)
    return kept | {
        "PYTHONPATH": os.pathsep.join(shell_path()),  # a trial adds its own folder
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # a stale cache in the user's folder would run the code of a second ago
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
