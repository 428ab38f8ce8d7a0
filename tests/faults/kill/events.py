"""A process that dies by SIGKILL at its N-th event: at anything it does that another process could see afterwards.

What is counted, in the order in which it happens: files of the workspace that are opened to be written (before and
after: an opened file is an empty one), renamed, removed, cut or synced; folders that are made; every statement of the
ledger that writes, and its commit; what is sent to the fork server, and every trial that is heard to have ended.
Reading is no event. SQLite's own writes are between two of ours and are not told apart.
"""

import builtins
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.processes.forked import put

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_STATEMENTS = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "BEGIN IMMEDIATE")
_PATHS = {"os.mkdir": 1, "os.rmdir": 1, "os.remove": 1, "os.truncate": 1, "os.rename": 2, "os.link": 2}  # how many


class Events:
    """Counts what this process does under `root`, and kills it right before event `kill_at` (from 1; None: never).

    `delay`: seconds after that event instead, whatever the process does by then.
    """

    def __init__(self, root: Path, kill_at: int | None = None, delay: float = 0.0) -> None:
        self.names: list[str] = []
        self._root, self._kill_at, self._delay = os.path.realpath(root), kill_at, delay
        self._pid = os.getpid()

    def happen(self, what: str) -> None:
        """Take one event in, unless it is that of a forked child."""
        if os.getpid() != self._pid:
            return
        self.names.append(what)
        if len(self.names) == self._kill_at:
            if self._delay:
                threading.Timer(self._delay, os.kill, [self._pid, signal.SIGKILL]).start()
            else:
                os.kill(self._pid, signal.SIGKILL)

    def watch(self) -> None:
        """From now on this process is counted, to its end: an audit hook cannot be removed."""
        sys.addaudithook(self._heard)
        for module in (builtins, io):
            put(module, open=self._opening(io.open))
        for name in ("fsync", "pwrite"):
            put(os, **{name: self.before(name, getattr(os, name))})
        self._watch_ledger()
        self._watch_trials()

    def _watch_ledger(self) -> None:
        from sqlalchemy import Engine, event

        def execute(_: Any, __: Any, statement: str, *___: Any) -> None:
            if statement.lstrip().startswith(_STATEMENTS):
                self.happen(" ".join(statement.split()[:3]))

        def commit(connection: Any) -> None:
            if connection.get_execution_options().get("writes"):
                self.happen("COMMIT")

        event.listen(Engine, "before_cursor_execute", execute)
        event.listen(Engine, "commit", commit)

    def _watch_trials(self) -> None:
        from tasks.trials.local.server_link import Link

        ended = Link._ended

        def heard(link: Link, *arguments: Any) -> Any:
            status = ended(link, *arguments)
            self.happen("a trial has ended")
            return status

        put(Link, _send=self.before("send", Link._send))
        put(Link, _ended=heard)

    def before(self, what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with an event of that name before each call."""

        def call(*values: Any, **named: Any) -> Any:
            self.happen(what)
            return real(*values, **named)

        return call

    def _opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, mode: str = "r", *values: Any, **named: Any) -> Any:
            opened = real(file, mode, *values, **named)
            if set(mode) & set("wax+") and not isinstance(file, int) and self._is_ours(file):
                self.happen(f"opened {self._short(file)}")
            return opened

        return call

    def _heard(self, event: str, values: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(values[2], int) and values[2] & WRITES and self._is_ours(values[0]):
                self.happen(f"open {self._short(values[0])}")
        elif event in _PATHS and any(self._is_ours(path) for path in values[: _PATHS[event]]):
            self.happen(" ".join([event, *(self._short(path) for path in values[: _PATHS[event]])]))

    def _is_ours(self, path: Any) -> bool:
        if isinstance(path, int):
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(self._root + os.sep)

    def _short(self, path: Any) -> str:
        """The name within the workspace, alike in every run: without the ids of processes and rounds."""
        parts = Path(os.path.abspath(os.fsdecode(path))).relative_to(self._root).parts
        return "/".join(parts[:1] + parts[2:] if parts[0] == "records" else parts).replace(f".{os.getpid()}.", ".*.")
