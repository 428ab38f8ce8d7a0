"""A process that has torch imported and has never run it, from which every trial is forked: the coordinator's end.

The standard library's fork server imports `__main__` again in every child, and its pools lose every job when one
child is killed. This one forks in milliseconds, gives each child a process group of its own, reports how each ended,
and dies with all its children when its coordinator does, however that dies. `tasks.trials.reaper` is its other end.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

from tasks.trials.runner import Runner

ROOT = Path(__file__).resolve().parents[2]
KEPT = frozenset(
    ("PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "XDG_CACHE_HOME")
)
GRACE = 10.0  # seconds in which the server must report a child that was killed, or end itself
START = 300.0  # seconds in which the server must have imported torch from a slow disk and forked

Reply = dict[str, Any]


class ServerDied(RuntimeError):
    """The fork server ended before the trial did; a trial is deterministic, so it may be run again."""


class ServerClosed(ServerDied):
    """The fork server was closed by its coordinator; nothing more can be run through it."""


class NotStarted(OSError):
    """There was no process to be had for the trial, for a reason that is not the coordinator's."""


@dataclass(frozen=True, kw_only=True)
class ExitStatus:
    """How a child ended: its exit code, or the signal that killed it; `timed_out` where it was we who killed it.

    Both are None where the kernel would not let go of it even then. `seconds` count from the fork.
    """

    code: int | None
    signal: int | None
    timed_out: bool
    seconds: float


class ForkServer:
    """Runs requests in children of a server process: a context, to be used from several threads at once.

    A server that dies (the kernel may choose it when memory runs out) is started anew with the next request.
    """

    def __init__(self, runner: Runner, *, own: str | None = None, preload: tuple[str, ...] = ()) -> None:
        self._runner, self._own, self._preload = runner, own, preload
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

    def run(self, request: Mapping[str, Any], timeout: float) -> ExitStatus:
        """Fork a child for `request` (see `tasks.trials.child.main`) and return how it ended.

        A child that is still there `timeout` seconds after the fork is killed, with its whole process group.

        Raises:
            ServerDied: the server ended before the child was known to have ended.
            ServerClosed: `close` was called.
            NotStarted: there was no process to be had.
        """
        try:
            return self._connected().run(request, timeout)
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
                self._link = Link(environment(self._runner, self._own), self._preload)
            return self._link


class Link:
    """One server process and the socket to it; a thread of its own hands each reply to the thread that waits for it."""

    def __init__(self, environ: Mapping[str, str], preload: tuple[str, ...]) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Reply | None]] = {}
        self._pids: dict[int, int] = {}
        self._count = 0
        self._ending = False
        self.dead = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tasks.trials.reaper", str(theirs.fileno()), *preload],
                pass_fds=(theirs.fileno(),),
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the coordinator alone; it decides what ends
            )
        self._reader = threading.Thread(target=self._read, name="forkserver-replies", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def run(self, request: Mapping[str, Any], timeout: float) -> ExitStatus:
        """As `ForkServer.run`."""
        replies: SimpleQueue[Reply | None] = SimpleQueue()
        with self._lock:
            self._count += 1
            number = self._count
            self._waiting[number] = replies
        try:
            self._send({"run": number, "request": dict(request)})
            self._started(replies)
            return self._ended(number, replies, timeout)
        finally:
            with self._lock:
                self._waiting.pop(number, None)
                left = self._pids.pop(number, None)
            if left is not None:
                with suppress(ServerDied):
                    self._send({"kill": number})  # the waiting thread was interrupted: nobody wants this child

    def end(self) -> None:
        """End the server; it takes everything that it started with it."""
        self._ending = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(GRACE)
        self._socket.close()

    def _started(self, replies: SimpleQueue[Reply | None]) -> None:
        try:
            reply = _sound(replies.get(timeout=START))
        except Empty:
            self._process.kill()
            raise ServerDied(f"the fork server did not answer within {START:g} s") from None
        if "refused" in reply:
            raise NotStarted(reply["refused"])

    def _ended(self, number: int, replies: SimpleQueue[Reply | None], timeout: float) -> ExitStatus:
        begun = time.monotonic()
        timed_out = False
        try:
            reply = _sound(replies.get(timeout=timeout))
        except Empty:
            timed_out = True
            self._send({"kill": number})
            try:
                reply = _sound(replies.get(timeout=GRACE))
            except Empty:
                reply = {"code": None, "signal": None}
        seconds = time.monotonic() - begun
        return ExitStatus(code=reply["code"], signal=reply["signal"], timed_out=timed_out, seconds=seconds)

    def _send(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._lock:
                if self.dead:
                    raise ServerDied("the fork server is gone")
                self._socket.sendall(line)
        except OSError as error:
            raise ServerDied("the fork server is gone") from error

    def _read(self) -> None:
        """Hand out replies until the server is gone; then None to all who wait, and death to all who are orphaned."""
        with suppress(OSError, ValueError), self._socket.makefile("rb") as lines:
            for line in lines:
                reply = json.loads(line)
                number = reply["run"]
                with self._lock:
                    if "pid" in reply:
                        self._pids[number] = reply["pid"]
                    else:
                        self._pids.pop(number, None)
                    waiting = self._waiting.get(number)
                if waiting is not None:
                    waiting.put(reply)
        with self._lock:
            self.dead = True
            orphaned = () if self._ending else tuple(self._pids.values())
            self._pids.clear()
            for waiting in self._waiting.values():
                waiting.put(None)
        for pid in orphaned:  # the kernel ended the trials with their server, but not what they had started
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)


def environment(runner: Runner, own: str | None) -> dict[str, str]:
    """What trials may see of the environment: no secrets, one word on threads, the same hashing everywhere."""
    kept = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith("LC_") or k in runner.environment}
    paths = [
        str(ROOT),
        *([str(Path(own).resolve())] if own else []),
        *os.environ.get("PYTHONPATH", "").split(os.pathsep),
    ]
    threads = str(runner.threads)
    return kept | {
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # a stale cache in the user's folder would run the code of a second ago
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }


def _sound(reply: Reply | None) -> Reply:
    if reply is None:
        raise ServerDied("the fork server ended before the trial did")
    return reply
