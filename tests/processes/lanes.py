"""Stories of processes that are killed: each `Lane` forks one for every call, and sees what it leaves behind.

A lane is a process itself, forked from the warm one. It is the reaper of what a killed process leaves behind, so it
knows how many are still there.
"""

import ctypes
import importlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes.warm import Warm

LEFT = 2.0  # seconds in which what a dead process had started must be gone
_SUBREAPER = 36  # prctl(2)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function of a module (`module:function`) with plain arguments; what it returns is the exit code.

    `out`: the file that gets what is printed.
    """

    function: str
    arguments: Mapping[str, Any]
    out: Path
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended: its exit code, negative for a signal; None where it had to be ended after its time."""

    code: int | None
    seconds: float
    out: Path

    @property
    def said(self) -> str:
        """What it printed."""
        return self.out.read_text(errors="replace") if self.out.exists() else ""


@dataclass(frozen=True, kw_only=True)
class Story:
    """Stages that were run one after another: how each call ended, and what was left of them LEFT seconds later."""

    ends: tuple[tuple[Ended, ...], ...]
    left: tuple[str, ...]


class Lane:
    """One at a time runs stories in forked processes; several lanes run beside each other."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._lines = link.makefile("r")

    def close(self) -> None:
        """No more will be asked of it."""
        self._lines.close()
        self._link.close()

    def prepare(self, function: str, **arguments: Any) -> None:
        """Call a function in the process from which the lane's processes are forked."""
        self._link.sendall(json.dumps({"function": function, "arguments": arguments}).encode() + b"\n")
        self._lines.readline()

    def tell(self, *stages: Sequence[Call], limit: float = 120.0) -> Story:
        """The story of these stages; the calls of one stage run at once, each for at most `limit` seconds."""
        said = [[{**vars(call), "out": str(call.out)} for call in stage] for stage in stages]
        self._link.sendall(json.dumps({"stages": said, "limit": limit}).encode() + b"\n")
        reply = json.loads(self._lines.readline())
        ends = tuple(tuple(Ended(**(end | {"out": Path(end["out"])})) for end in stage) for stage in reply["ends"])
        return Story(ends=ends, left=tuple(reply["left"]))


@contextmanager
def open_lanes(count: int, warm: Warm, more: Sequence[str] = ()) -> Iterator[list[Lane]]:
    """So many lanes, which have imported `more` modules, too; all end with the block."""
    started = [Lane(warm.lane()) for _ in range(count)]
    try:
        for lane in started:
            for module in more:
                lane.prepare("importlib:import_module", name=module)
        yield started
    finally:
        for lane in started:
            lane.close()


class _Stage:
    """Calls that run at once, as the lane sees them."""

    def __init__(self, calls: Sequence[Mapping[str, Any]]) -> None:
        self.calls, self.begun = calls, time.monotonic()
        self.ends: dict[int, dict[str, Any]] = {}
        self.pids = {_forked(call): i for i, call in enumerate(calls)}

    def over(self, pid: int, code: int | None) -> None:
        if pid in self.pids:
            i = self.pids.pop(pid)
            self.ends[i] = {"code": code, "seconds": time.monotonic() - self.begun, "out": self.calls[i]["out"]}

    def finished(self, limit: float) -> list[dict[str, Any]]:
        while self.pids:
            if time.monotonic() > self.begun + limit:
                for pid in list(self.pids):
                    os.kill(pid, signal.SIGKILL)
                    self.over(pid, None)
            _reap(self)
            time.sleep(0.002)
        return [self.ends[i] for i in range(len(self.calls))]


def _forked(call: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        Path(call["out"]).parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(call["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(fd, stream)
        os.closerange(3, 4096)
        os.environ.update(call["environment"] or {})
        code = _called(call)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _called(call: Mapping[str, Any]) -> Any:
    module, _, name = call["function"].partition(":")
    return getattr(importlib.import_module(module), name)(**call["arguments"])


def _reap(stage: _Stage) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            stage.over(pid, os.waitstatus_to_exitcode(status))


def _children() -> list[int]:
    """The processes whose parent this is, by now; the dead are reaped."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found


def _left() -> list[str]:
    """What is still there after LEFT seconds, which is then ended."""
    until = time.monotonic() + LEFT
    while (alive := _children()) and time.monotonic() < until:
        time.sleep(0.005)
    said = []
    for pid in alive:
        with suppress(OSError):
            said.append(f"{pid} in {os.readlink(f'/proc/{pid}/cwd')}")
            os.kill(pid, signal.SIGKILL)
    return said


def serve(link: socket.socket) -> None:
    """Be the lane, until its other end is gone."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    for line in link.makefile("r"):
        request = json.loads(line)
        if "function" in request:
            _called(request)
            link.sendall(b"{}\n")
            continue
        ends = [_Stage(calls).finished(request["limit"]) for calls in request["stages"]]
        link.sendall(json.dumps({"ends": ends, "left": _left()}).encode() + b"\n")
