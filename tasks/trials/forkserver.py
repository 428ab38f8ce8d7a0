"""A process that has torch imported and has never run it, from which every trial is forked.

The standard library's fork server imports `__main__` again in every child, and its pools lose every job when one
child is killed. This one forks in milliseconds, gives each child a process group of its own, reports how each ended,
and dies with all its children when its coordinator does, however that dies.

    coordinator --(one JSON line a request)--> server --fork--> child (a session of its own)
                <--(pid, then wait status)----
"""

import ctypes
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

from tasks.trials.runner import Runner

ROOT = Path(__file__).resolve().parents[2]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "USER")
GRACE = 10.0  # seconds in which the server must report a child that was killed
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class ServerDied(RuntimeError):
    """The fork server is gone: nothing more can be run through it."""


@dataclass(frozen=True, kw_only=True)
class ExitStatus:
    """How a child ended: its exit code, or the signal that killed it; `timed_out` where it was we who killed it."""

    code: int | None
    signal: int | None
    timed_out: bool


class ForkServer:
    """The coordinator's end of the server: a context, usable from several threads at once."""

    def __init__(self, runner: Runner, *, own: str | None = None, preload: tuple[str, ...] = ()) -> None:
        self._runner, self._own, self._preload = runner, own, preload
        self._lock = threading.Lock()
        self._replies: dict[int, SimpleQueue[dict[str, Any] | None]] = {}
        self._count = 0
        self._closed = False

    def __enter__(self) -> Self:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tasks.trials.forkserver", str(theirs.fileno()), *self._preload],
                pass_fds=(theirs.fileno(),),
                cwd=ROOT,
                env=environment(self._runner, self._own),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the coordinator alone; it decides what ends
            )
        self._socket = ours
        self._reader = threading.Thread(target=self._read, name="forkserver-replies", daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server and, with it, every child and its process group."""
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(GRACE)
        self._socket.close()

    def run(self, request: Mapping[str, Any], timeout: float) -> ExitStatus:
        """Fork a child for `request` (see `tasks.trials.child.main`) and return how it ended.

        A child that is still there after `timeout` seconds is killed, with its whole process group.

        Raises:
            ServerDied: the server ended, or was closed, before the child was known to have ended.
        """
        replies: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        with self._lock:
            self._count += 1
            number = self._count
            self._replies[number] = replies
        try:
            self._send({"run": number, "request": dict(request)})
            timed_out = False
            try:
                reply = replies.get(timeout=timeout)
            except Empty:
                timed_out = True
                self._send({"kill": number})
                with suppress(Empty):
                    reply = replies.get(timeout=GRACE)
            if reply is None:
                raise ServerDied("the fork server ended before the trial did")
            return ExitStatus(code=reply["code"], signal=reply["signal"], timed_out=timed_out)
        finally:
            with self._lock:
                self._replies.pop(number, None)

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            with self._lock:
                self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise ServerDied("the fork server is gone") from error

    def _read(self) -> None:
        """Hand each reply to the thread that waits for it; None to all when the server is gone."""
        with suppress(OSError), self._socket.makefile("rb") as lines:
            for line in lines:
                reply = json.loads(line)
                with self._lock:
                    waiting = self._replies.get(reply["run"])
                if waiting is not None:
                    waiting.put(reply)
        with self._lock:
            for waiting in self._replies.values():
                waiting.put(None)


def environment(runner: Runner, own: str | None) -> dict[str, str]:
    """What trials may see of the environment: no secrets, one word on threads, the same hashing everywhere."""
    kept = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith("LC_")}
    threads = str(runner.threads)
    return kept | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *([own] if own else [])]),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }


def serve(fd: int, preload: list[str]) -> None:
    """The server's life: fork what is asked for, reap what ends, and leave nothing behind when the socket closes.

    The kernel closes the socket when the coordinator dies. Asking it for a SIGKILL as well would end the server
    before it could end its children's children.
    """
    for module in preload:
        importlib.import_module(module)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    children: dict[int, int] = {}  # pid to the number of its request
    line = b""
    with socket.socket(fileno=fd) as link:
        while True:
            ready, _, _ = select.select([link, wake_read], [], [])
            if wake_read in ready:
                os.read(wake_read, 4096)
                _reap(children, link)
            if link in ready:
                data = link.recv(65536)
                if not data:
                    break
                *lines, line = (line + data).split(b"\n")
                for message in map(json.loads, lines):
                    _obey(message, children, link, (wake_read, wake_write))
    for pid in children:
        _kill(pid)


def _obey(
    message: Mapping[str, Any], children: dict[int, int], link: socket.socket, inherited: tuple[int, int]
) -> None:
    if "kill" in message:
        for pid, number in children.items():
            if number == message["kill"]:
                _kill(pid)
        return
    pid = os.fork()
    if pid:
        children[pid] = message["run"]
        return
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _die_with_parent()
        link.close()
        for fd in inherited:
            os.close(fd)
        from tasks.trials.child import main

        code = main(message["request"])
    finally:
        os._exit(code)  # never back into the server's loop, whatever the trial did


def _reap(children: dict[int, int], link: socket.socket) -> None:
    """Report every child that ended, once its process group holds nobody any more."""
    while children:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid not in children:
            continue
        _kill(pid)
        code = os.waitstatus_to_exitcode(status)
        reply = {"run": children.pop(pid), "code": code if code >= 0 else None, "signal": -code if code < 0 else None}
        with suppress(OSError):
            link.sendall(json.dumps(reply).encode() + b"\n")


def _kill(pid: int) -> None:
    """End the process group of a child: whatever the trial started and left behind."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent dies; it may have died before we asked."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2:])
