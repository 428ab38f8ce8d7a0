"""The socket to one fork server process."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from tasks.trials.local.shell import ROOT, shell_path

GRACE = 10.0  # seconds in which the server must report a child that was killed, or end itself
START_FILE = str(ROOT / "tasks" / "trials" / "local" / "start.py")
START = 300.0  # seconds in which the server must have imported torch from a slow disk and forked
LOOK = 0.5  # seconds between looks whether a trial makes progress

KEPT = frozenset(
    ("PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "XDG_CACHE_HOME")
)

Reply = dict[str, Any]


class ServerDied(RuntimeError):
    """The fork server ended before the trial did; a trial is deterministic, so it may be run again."""


class ServerClosed(ServerDied):
    """The fork server was closed by its coordinator; nothing more can be run through it."""


class NotStarted(OSError):
    """There was no process to be had for the trial, for a reason that is not the coordinator's."""


@dataclass(frozen=True, kw_only=True)
class ExitStatus:
    """How a child ended: its exit code, or the signal that killed it.

    Both are None where the kernel would not let go of it even then. `timed_out` and `stuck`: it was we who killed it,
    for its wall timeout or for want of progress. `out_of_memory`: the kernel killed a process for memory while it
    ran. `seconds` count from the fork.
    """

    code: int | None
    signal: int | None
    seconds: float
    timed_out: bool = False
    stuck: bool = False
    out_of_memory: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a trial must touch every `timeout` seconds: one of the `files`."""

    timeout: float
    files: tuple[Path, ...]

    def mark(self) -> tuple[tuple[int, int] | None, ...]:
        """What changes when one of the files does."""
        return tuple(_mark(file) for file in self.files)


class Link:
    """One server process and the socket to it; a thread of its own hands each reply to the thread that waits for it."""

    def __init__(self, environ: Mapping[str, str], preload: tuple[str, ...]) -> None:
        self.environ, self.preload = dict(environ), preload
        self._lock = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Reply | None]] = {}
        self._pids: dict[int, int] = {}
        self._count = 0
        self._ending = False
        self.dead = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", START_FILE, str(theirs.fileno()), *preload],
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

    def run(self, request: Mapping[str, Any], timeout: float, progress: Progress | None) -> ExitStatus:
        """As `ForkServer.run`."""
        replies: SimpleQueue[Reply | None] = SimpleQueue()
        with self._lock:
            self._count += 1
            number = self._count
            self._waiting[number] = replies
        try:
            self._send({"run": number, "request": dict(request)})
            self._started(replies)
            return self._ended(number, replies, timeout, progress)
        finally:
            with self._lock:
                self._waiting.pop(number, None)
                left = self._pids.pop(number, None)
            if left is not None:
                with suppress(ServerDied):
                    self._send({"kill": number})  # the waiting thread was interrupted: nobody wants this child

    def import_too(self, modules: Sequence[str]) -> None:
        """Have these modules imported before the next child is forked."""
        missing = [module for module in modules if module not in self.preload]
        self.preload = (*self.preload, *missing)
        if missing:
            with suppress(ServerDied):  # the next request finds that out
                self._send({"import": missing})

    def kill(self) -> None:
        """End a server that has no children at once, whatever it imports."""
        self._process.kill()
        self.end()

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

    def _ended(
        self, number: int, replies: SimpleQueue[Reply | None], timeout: float, progress: Progress | None
    ) -> ExitStatus:
        begun = moved = time.monotonic()
        mark = progress.mark() if progress else None
        timed_out = stuck = False
        while True:
            now = time.monotonic()
            if progress and (seen := progress.mark()) != mark:
                mark, moved = seen, now
            timed_out = now >= begun + timeout
            stuck = not timed_out and progress is not None and now >= moved + progress.timeout
            if timed_out or stuck:
                reply = self._killed(number, replies)
                break
            left = begun + timeout - now
            with suppress(Empty):
                reply = _sound(replies.get(timeout=min(left, LOOK) if progress else left))
                break
        return ExitStatus(
            code=reply["code"],
            signal=reply["signal"],
            seconds=time.monotonic() - begun,
            timed_out=timed_out,
            stuck=stuck,
            out_of_memory=reply.get("out_of_memory", False) and not (timed_out or stuck),
        )

    def _killed(self, number: int, replies: SimpleQueue[Reply | None]) -> Reply:
        """Kill a child, and how it ended."""
        self._send({"kill": number})
        try:
            return _sound(replies.get(timeout=GRACE))
        except Empty:
            return {"code": None, "signal": None}

    def stop(self, grace: float) -> None:
        """Ask every child to stop, and wait until all have ended or `grace` seconds are over."""
        with suppress(ServerDied):
            self._send({"stop": True})
        until = time.monotonic() + grace
        while self._pids and not self.dead and time.monotonic() < until:
            time.sleep(0.02)

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


def _sound(reply: Reply | None) -> Reply:
    if reply is None:
        raise ServerDied("the fork server ended before the trial did")
    return reply


def _mark(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def environment(threads: int, names: Collection[str]) -> dict[str, str]:
    """What trials may see of the environment: no secrets, `threads` for BLAS, the same hashing everywhere.

    `names` are variables that they may see besides the usual ones.
    """
    kept = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith("LC_") or k in names}
    return kept | {
        "PYTHONPATH": os.pathsep.join(shell_path()),  # a trial adds its own folder
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # a stale cache in the user's folder would run the code of a second ago
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
