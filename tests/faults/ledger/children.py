"""What child processes do to a ledger in the fault tests, and how they are started."""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from tasks.ledger import Ledger, LedgerError, open_ledger

PLAN: list[dict[str, Any]] = [
    {"id": f"t{i}", "study": "s", "purpose": "search", "index": i, "point": {"rate": 0.1 * i}, "seed": i}
    for i in range(3)
]


def context() -> ForkServerContext:
    """Processes that have imported the ledger before they are forked."""
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(["tests.faults.ledger.children"])
    return forkserver


@contextmanager
def children() -> Iterator[Callable[..., ForkServerProcess]]:
    """`start(function, *arguments)` in a process of its own; none outlives the block."""
    started: list[ForkServerProcess] = []

    def start(task: Callable[..., None], *arguments: Any) -> ForkServerProcess:
        process = context().Process(target=task, args=arguments)
        process.start()
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.join()


def begun(root: Path, round_id: str = "r1") -> Ledger:
    """An open ledger with a round and its plan."""
    ledger = open_ledger(root)
    ledger.begin(round_id, "digits", "dropout", {"seed": 0}, "key", "2026-01-01")
    ledger.plan(round_id, PLAN)
    return ledger


def opens(roots: list[Path], together: Barrier, name: str, told: Connection) -> None:
    """Opens each fresh ledger at the same moment as its siblings and writes a round into it."""
    said = []
    for root in roots:
        together.wait(60)
        try:
            with open_ledger(root) as ledger:
                ledger.begin(name, "digits", "dropout", {}, "key", "2026-01-01")
            said.append("")
        except Exception as error:
            said.append(repr(error))
    told.send(said)


def writes(root: Path, together: Barrier, name: str, transactions: int, told: Connection) -> None:
    """Writes as fast as it can, beside its siblings; tells what went wrong."""
    said = []
    with open_ledger(root) as ledger:
        together.wait(60)
        for i in range(transactions):
            try:
                ledger.note_projection("r1", f"{name}-{i}", str(i))
            except Exception as error:
                said.append(repr(error))
    told.send(said)


def stalls(root: Path, trial: str, told: Connection) -> None:
    """Starts an attempt, is stopped, and hands in its result whenever it is woken."""
    with open_ledger(root) as ledger:
        attempt = ledger.start("r1", trial)
        told.send(attempt)
        os.kill(os.getpid(), signal.SIGSTOP)
        ledger.fail("r1", trial, attempt, "stale")
        told.send(ledger.finish("r1", trial, attempt, {"value": -1.0}, b"stale"))


def killed_while_opening(root: Path, number: int) -> None:
    """Opens a ledger and dies by SIGKILL just before its n-th statement or commit."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, count)
    open_ledger(root)


def as_nobody(root: Path, told: Connection) -> None:
    """Opens the ledger as a user who owns nothing, where this one may become that."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    told.send(refusal(root))


def refusal(root: Path, url: str | None = None) -> tuple[str, float]:
    """`(sentence, seconds)` of a ledger that is opened and written; the sentence is empty where all went well."""
    before = time.monotonic()
    try:
        with open_ledger(root, url) as ledger:
            ledger.note_projection("r1", "key", "run")
        said = ""
    except LedgerError as error:
        said = str(error)
    return said, time.monotonic() - before


def starved(root: Path, left: int, told: Connection) -> None:
    """Runs a round with only so many file descriptors left; tells the sentence, or what is none after a `!`."""
    begun(root).close()
    used = [int(name) for name in os.listdir("/proc/self/fd")]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(used) + left, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    said = ""
    try:
        with open_ledger(root) as ledger:
            ledger.own("r1")
            for trial in ledger.pending("r1"):
                ledger.finish("r1", trial["id"], ledger.start("r1", trial["id"]), {"value": 1.0}, b"")
    except LedgerError as error:
        said = str(error)
    except Exception as error:
        said = f"! {error!r}"
    told.send(said)
