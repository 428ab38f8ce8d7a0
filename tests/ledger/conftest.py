"""A ledger of its own for each test, and child processes: never a plain fork, which may have threads by then."""

import multiprocessing
import runpy
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import Ledger, open_ledger

CHILDREN = str(Path(__file__).with_name("children.py"))


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """A context whose children have imported the ledger before they are forked."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tasks.ledger"])
    return context


@pytest.fixture
def child(processes: ForkServerContext) -> Iterator[Callable[..., ForkServerProcess]]:
    """Starts a function of `children.py` in a process of its own, which does not outlive the test."""
    started: list[ForkServerProcess] = []

    def start(task: str, *arguments: Any) -> ForkServerProcess:
        said = (CHILDREN, {"TASK": task, "ARGS": arguments}, "child")
        process = processes.Process(target=runpy.run_path, args=said)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A fresh one, closed when the test ends."""
    with open_ledger(tmp_path) as opened:
        yield opened
