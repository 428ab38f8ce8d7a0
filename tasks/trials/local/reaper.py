"""The fork server's own process: forks a child for each request, reaps it, kills what it left.

It imports what the children will need and never runs it, so a child costs milliseconds. One thread, one loop: every
byte that a trial prints passes through here, which is what keeps a flood of output from filling the disk.

    coordinator --{"run": 7, "request": {…}}, {"kill": 7}, {"stop": true}--> server --fork--> child, in its own session
                --{"import": [modules for the children to come]}-->
                <--{"run": 7, "pid": …}, {"run": 7, "code": …, "signal": …, "out_of_memory": …}--
"""

import ctypes
import gc
import importlib
import json
import math
import os
import resource
import selectors
import signal
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tasks.trials.local.log import Log

CHUNK = 1 << 16  # bytes at once; also what a pipe holds on Linux
LAST_READS = 64  # of a dead trial's pipe: what outlives it may go on writing for ever
LOOK = 1.0  # seconds between looks whether the coordinator is still there, should its socket live on in another
DRAIN = 2.0  # seconds for what was killed to be reaped before the server ends
NOTICE = 4.5  # seconds for children to save when a signal asks the server to end: its own SIGKILL may come after 5
# Where the kernel counts the processes that it killed for memory: in this container, or on the whole machine.
OOM_KILLS = (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat"))
_PDEATHSIG, _SUBREAPER = 1, 36  # prctl(2)
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass
class Child:
    """A child that has not been reaped: the number of its request, the pipe that it prints into, its log.

    `oom_kills`: what the kernel's count was when it began.
    """

    number: int
    pipe: int
    log: Log
    oom_kills: int


class Reaper:
    """The server's life, from its first request until its coordinator is gone."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._pid, self._parent = os.getpid(), os.getppid()
        self._children: dict[int, Child] = {}
        self._line = b""
        self._wake, wake_write = os.pipe()
        for end in (self._wake, wake_write):
            os.set_blocking(end, False)
        for number in (signal.SIGCHLD, *_SIGNALS):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(link, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._inherited = (wake_write, self._wake, self._selector.fileno())

    def live(self) -> None:
        """Serve until the socket closes, a signal asks for the end, or the coordinator is no longer our parent."""
        until = math.inf
        while os.getppid() == self._parent and time.monotonic() < until:
            if until < math.inf and not self._children:
                return
            for key, _ in self._selector.select(LOOK):
                if key.fileobj is self._link:
                    if not self._listen():
                        return
                elif key.fileobj == self._wake:
                    woken = os.read(self._wake, CHUNK)
                    self._reap()
                    if any(number in woken for number in _SIGNALS) and until == math.inf:
                        until = time.monotonic() + NOTICE
                        self._stop()
                elif key.data in self._children:
                    self._drain(self._children[key.data], 1)

    def end(self) -> None:
        """Kill every child, its process group, and all that they left behind anywhere; wait until they are gone."""
        for pid in self._children:
            kill(pid)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, DRAIN)  # what the kernel will not let go of cannot be waited for
        with suppress(ChildProcessError):
            while True:
                kill_orphans()
                os.wait()

    def _listen(self) -> bool:
        """Do what the coordinator asks; False when it is gone."""
        try:
            data = self._link.recv(CHUNK)
        except OSError:
            return False
        *lines, self._line = (self._line + data).split(b"\n")
        for message in map(json.loads, lines):
            if "stop" in message:
                self._stop()
            elif "kill" in message:
                for pid, child in self._children.items():
                    if child.number == message["kill"]:
                        kill(pid)
            elif "import" in message:
                import_modules(message["import"])
            else:
                self._fork(message["run"], message["request"])
        return bool(data)

    def _stop(self) -> None:
        """Ask every child to save and end."""
        for pid in self._children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _fork(self, number: int, request: Mapping[str, Any]) -> None:
        read, write = os.pipe()
        os.set_blocking(read, False)
        try:
            log = Log(request["log"], request["log_bytes"], request["secrets"])
            pid = os.fork()
        except OSError as error:
            os.close(read)
            self._say({"run": number, "refused": str(error)})
        else:
            if pid == 0:
                self._become(request, write)
            self._children[pid] = Child(number, read, log, oom_kills())
            self._selector.register(read, selectors.EVENT_READ, pid)
            self._say({"run": number, "pid": pid})
        finally:
            os.close(write)

    def _become(self, request: Mapping[str, Any], output: int) -> NoReturn:
        """Be the child: alone in its session, silent but for its log, and never back in the server's loop."""
        code = 1
        try:
            for stream in (1, 2):  # its input is the server's own, which is empty
                os.dup2(output, stream)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, *_SIGNALS):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            die_with(self._pid)
            self._link.close()
            for fd in (output, *self._inherited, *(c.pipe for c in self._children.values())):
                with suppress(OSError):
                    os.close(fd)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            from tasks.trials.local.child import run_child, run_import

            code = run_import(request) if "imports" in request else run_child(request)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        """Report every child that ended, once its process group holds nobody and its last words are in the log."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                child = self._children.pop(pid, None)
                if child is None:
                    continue  # an orphan of a trial, of which the kernel made us the parent
                kill(pid)
                self._drain(child, LAST_READS)
                self._close(child)
                code = os.waitstatus_to_exitcode(status)
                ended = {"code": code, "signal": None} if code >= 0 else {"code": None, "signal": -code}
                starved = code == -signal.SIGKILL and oom_kills() > child.oom_kills
                self._say({"run": child.number, **ended, "out_of_memory": starved})
        if not self._children:  # only now is it certain that what is left belongs to no living trial
            kill_orphans()

    def _drain(self, child: Child, reads: int) -> None:
        """Move what a child printed into its log."""
        for _ in range(reads if child.pipe >= 0 else 0):
            try:
                data = os.read(child.pipe, CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._unplug(child)
                return
            child.log.write(data)

    def _unplug(self, child: Child) -> None:
        if child.pipe >= 0:
            self._selector.unregister(child.pipe)
            os.close(child.pipe)
            child.pipe = -1

    def _close(self, child: Child) -> None:
        self._unplug(child)
        child.log.close()

    def _say(self, message: Mapping[str, Any]) -> None:
        with suppress(OSError):
            self._link.sendall(json.dumps(message).encode() + b"\n")


def oom_kills() -> int:
    """How many processes the kernel has killed for memory since it started; 0 where it does not say."""
    for path in OOM_KILLS:
        with suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def kill(pid: int) -> None:
    """End a process and the process group that it leads, if it leads one yet."""
    for end in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


def kill_orphans() -> None:
    """End every child of this process, by /proc: among them what daemons and `setsid` hid from their groups."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])  # the name before may hold anything
            if parent == os.getpid():
                kill(int(stat.parent.name))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def die_with(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent dies; it may have died before we asked."""
    _prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def import_modules(modules: Iterable[str]) -> None:
    """Import what the children will need; a module that cannot be imported fails in them, with a traceback."""
    gc.disable()  # collections are a quarter of the time of importing torch, and find nothing
    for module in modules:
        with suppress(Exception):
            importlib.import_module(module)
    gc.freeze()  # pages that no collection touches stay shared with the children
    gc.enable()


def serve_children(fd: int, preload: list[str]) -> None:
    """Import what was asked for, and serve."""
    warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside the threads of an imported BLAS, which rest
    _prctl(_SUBREAPER, 1)
    import_modules(preload)
    with socket.socket(fileno=fd) as link:
        reaper = Reaper(link)
        try:
            reaper.live()
        finally:
            reaper.end()
