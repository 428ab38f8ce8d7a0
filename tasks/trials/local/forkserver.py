"""The fork server as the round holds it: a process that has torch imported, from which every trial is forked.

The standard library's fork server imports `__main__` again in every child, and its pools lose every job when one
child is killed. This one forks in milliseconds, gives each child a process group of its own, reports how each ended,
and dies with all its children when its coordinator does, however that dies. Its other end: `tasks.trials.local.reaper`.
"""

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tasks.trials.local.ahead import let_go, link_for
from tasks.trials.local.server_link import ExitStatus, Link, Progress, ServerClosed, ServerDied, environment
from tasks.trials.settings import RunnerSettings


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

    def let_go(self) -> None:
        """Leave the server, which has no child, to whoever wants one next; where nobody may, as `close`."""
        with self._lock:
            self._closed = True
            link, self._link = self._link, None
        if link is not None:
            let_go(link)

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
                self._link = link_for(environment(self._runner.threads, self._runner.environment), self._preload)
            return self._link
