"""The process that forks trials, as a fork of its coordinator: without the seconds of importing torch anew."""

import gc
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from tasks.trials.local import server_link as link
from tests.faults.kill.events import put


def start_servers_by(popen: Callable[..., Any]) -> None:
    """From now on this process's fork servers are started by `popen`."""
    put(link, subprocess=SimpleNamespace(**{**vars(subprocess), "Popen": popen}))


class Forked:
    """What a coordinator starts in place of a new interpreter: a fork of itself that goes through the same `serve`.

    It quacks like the `subprocess.Popen` that `tasks.trials.local.server_link` calls.
    """

    def __init__(
        self, words: list[str], *, pass_fds: tuple[int, ...], cwd: Path, env: Mapping[str, str], **_: Any
    ) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._serve(words, pass_fds[0], cwd, env)

    def _serve(self, words: list[str], fd: int, cwd: Path, env: Mapping[str, str]) -> NoReturn:
        try:
            gc.freeze()  # what the coordinator holds is not this process's to let go
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.closerange(3, fd)
            os.closerange(fd + 1, 4096)
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(env)
            sys.path[:0] = [p for p in env["PYTHONPATH"].split(os.pathsep) if p not in sys.path]
            from tasks.trials.local.reaper import serve_children

            serve_children(fd, words[4:])
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)

    def poll(self) -> int | None:
        """The exit code, None while it lives."""
        if self.returncode is None:
            with suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not, in `timeout` seconds.
        """
        until = time.monotonic() + (timeout if timeout is not None else 1e9)
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("the forked server", timeout or 0.0)
            time.sleep(0.002)
        return code

    def kill(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
