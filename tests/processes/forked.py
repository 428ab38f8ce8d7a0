"""What a test starts as a process and does not test the start of, as a fork: in milliseconds, and otherwise as it is.

The process that forks trials costs the import of torch, a command that of everything. Where the start itself is what
is tested (tests/trials/local, the signals, what a person types) they are new interpreters still.
"""

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
from tests.processes.warm import Started, Warm


def put(place: Any, **names: Any) -> None:
    """Give names of a module or of a class another meaning, for as long as this process lives."""
    for name, value in names.items():
        setattr(place, name, value)


def start_servers_by(popen: Callable[..., Any]) -> None:
    """From now on this process's fork servers are started by `popen`."""
    put(link, subprocess=SimpleNamespace(**{**vars(subprocess), "Popen": popen}))


def servers_of(warm: Warm) -> Callable[..., Started]:
    """Starts fork servers as forks of the warm process, for a coordinator that has threads and cannot be forked."""

    def popen(words: list[str], *, pass_fds: tuple[int, ...], cwd: Path, env: Mapping[str, str], **_: Any) -> Started:
        said = {"preload": words[4:]}
        return warm.start("tests.processes.forked:serve_trials", said, environment=env, cwd=cwd, fds=pass_fds)

    return popen


def serve_trials(preload: list[str], fds: list[int]) -> int:
    """Fork trials for whoever holds the other end of the socket."""
    from tasks.trials.local.reaper import serve_children

    sys.path[:0] = [p for p in os.environ["PYTHONPATH"].split(os.pathsep) if p and p not in sys.path]
    serve_children(fds[0], preload)
    return 0


def run_round(words: list[str]) -> int:
    """The exit code of `python -m flows.round` with these words, run in this process and for good."""
    import flows.round

    start_servers_by(Forked)
    return flows.round.main(words)


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
            serve_trials(words[4:], [fd])
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
