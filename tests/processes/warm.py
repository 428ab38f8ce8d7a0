"""Fresh processes in milliseconds: forked from one that has imported everything and has run nothing of it.

A command of ours takes seconds to import, and so does the process that forks trials, for torch. Here that is done once
for all tests of a worker, when the first of them wants a process. What is forked is a real process: it has a pid, a
session and an environment of its own, and can be killed by SIGKILL. What it has not is a new interpreter: where the
start of a program is what is tested, start the program.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
_MESSAGE = 1 << 17  # bytes of a request: an environment fits
_IMPORTS = (
    *("flows.round", "flows.tune", "flows.session.plan", "tasks.report.terminal", "tests.processes.lanes"),
    *("tasks.trials.local.child", "tasks.trials.local.reaper", "tasks.trials.command.program"),
    *("torch", "tasks.trials.supervised.training", "sklearn.datasets", "numpy.random", "pyarrow.parquet"),
)


class Started:
    """A process that was forked, as far as its starter needs `subprocess.Popen`."""

    def __init__(self, pid: int, end: int, out: Path | None) -> None:
        self.pid, self.args = pid, f"process {pid}"
        self.returncode: int | None = None
        self._end, self._out = end, out

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not, in `timeout` seconds.
        """
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """What it printed until it ended."""
        self.wait(timeout)
        return self.said, None

    @property
    def said(self) -> str:
        """What it printed until now."""
        return self._out.read_text(errors="replace") if self._out and self._out.exists() else ""

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._end], [], [], timeout)[0]:
            said = os.read(self._end, 16)  # nothing: the warm process has died, and with it who could have told
            os.close(self._end)
            self.returncode = int(said) if said else -signal.SIGKILL
        return self.returncode

    def __del__(self) -> None:
        if self.returncode is None:
            with suppress(OSError):
                os.close(self._end)


class Warm:
    """The process from which others are forked. It starts with the first of them, and ends with `close`."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0
        self._folder = tempfile.TemporaryDirectory(prefix="tunebook-said-")
        self._said = Path(self._folder.name)
        self._link: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def start(
        self,
        function: str,
        arguments: Mapping[str, Any],
        *,
        environment: Mapping[str, str],
        cwd: Path = ROOT,
        fds: Sequence[int] = (),
        printed: bool = False,
    ) -> Started:
        """Fork a process that calls a function (`module:function`) with plain arguments, and ends with its result.

        It has these variables and no others, and a session of its own. `fds` are handed over and their new numbers are
        the argument `fds`. `printed`: what it prints is kept, to be `said`.
        """
        self._count += 1
        out = self._said / str(self._count) if printed else None
        said = {"function": function, "arguments": dict(arguments), "environment": dict(environment), "cwd": str(cwd)}
        end, their_end = os.pipe()
        try:
            reply = self._ask(said | {"out": str(out) if out else None, "fds": len(fds)}, [their_end, *fds])
        finally:
            os.close(their_end)
        return Started(int(reply), end, out)

    def lane(self) -> socket.socket:
        """One end of a socket; at the other a `tests.processes.lanes.serve` is, in a process of its own."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._ask({"lane": True}, [theirs.fileno()])
        return ours

    def close(self) -> None:
        """End it; what it forked has to end by itself."""
        if self._server is not None and self._link is not None:
            self._link.close()
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(30)
            self._server.kill()
            self._server.wait()
        self._folder.cleanup()

    def _ask(self, request: Mapping[str, Any], fds: Sequence[int]) -> bytes:
        with self._lock:
            if self._link is None:
                self._link = self._started()
            socket.send_fds(self._link, [json.dumps(request).encode()], fds)
            reply = self._link.recv(64)
        assert reply, "the warm process has died"
        return reply

    def _started(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
        environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.processes.warm", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                env=environment | {"PYTHONDONTWRITEBYTECODE": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
                stdin=subprocess.DEVNULL,
            )
        return ours


class _Nursery:
    """The warm process's own side: forks what is asked for, and says of each how it ended."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._ends: dict[int, int] = {}
        self._lanes: list[int] = []
        self._woken, self._wake = os.pipe()
        for fd in (self._woken, self._wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Until the other end is gone."""
        while True:
            ready, _, _ = select.select([self._link.fileno(), self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, _MESSAGE)
                self._reap()
            if self._link.fileno() in ready:
                said, fds, _, _ = socket.recv_fds(self._link, _MESSAGE, 16)
                if not said:
                    break
                self._fork(json.loads(said), fds)
        for pid in self._lanes:  # each ends when its other end is gone; what it took is counted as ours
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)

    def _fork(self, request: Mapping[str, Any], fds: Sequence[int]) -> None:
        pid = os.fork()
        if pid == 0:
            self._become(request, fds)
        if "lane" in request:
            self._lanes.append(pid)
            os.close(fds[0])
        else:
            self._ends[pid] = fds[0]
            for fd in fds[1:]:
                os.close(fd)
        self._link.send(str(pid).encode())

    def _become(self, request: Mapping[str, Any], fds: Sequence[int]) -> NoReturn:
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            kept = set(fds if "lane" in request else fds[1:])
            for fd in range(3, 256):
                if fd not in kept:
                    with suppress(OSError):
                        os.close(fd)
            code = _laned(fds[0]) if "lane" in request else _called(request, list(fds[1:]))
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if end := self._ends.pop(pid, None):
                    with suppress(OSError):  # its starter may be gone, or not want to know
                        os.write(end, str(os.waitstatus_to_exitcode(status)).encode())
                    os.close(end)


def _laned(fd: int) -> int:
    from tests.processes.lanes import serve

    serve(socket.socket(fileno=fd))
    return 0


def _called(request: Mapping[str, Any], fds: list[int]) -> int:
    """What the function returned, in a session, a folder and an environment of its own."""
    os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    if request["out"]:
        out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(out, stream)
        os.close(out)
    module, _, name = request["function"].partition(":")
    more = {"fds": fds} if fds else {}
    return int(getattr(importlib.import_module(module), name)(**request["arguments"], **more))


def main(fd: int) -> None:
    """Import everything, and fork until nobody asks any more."""
    for module in _IMPORTS:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # pages that no collection touches stay shared with the children
    _Nursery(socket.socket(fileno=fd)).serve()


if __name__ == "__main__":
    from tests.processes.warm import main as as_imported  # not as `__main__`: what is forked imports it by its name

    as_imported(int(sys.argv[1]))
