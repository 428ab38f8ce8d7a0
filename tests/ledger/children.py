"""What the child processes of the ledger's tests do; run by path, or imported by the fault tests."""

import json
import os
import signal
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import event

from tasks.ledger import Ledger, open_ledger
from tasks.ledger.locks import take


def holds(root: Path, told: Connection) -> None:
    """Owns a round until it is killed."""
    ledger = open_ledger(root)
    ledger.own("r1")
    told.send(os.getpid())
    signal.pause()


def holds_and_forks(root: Path, told: Connection) -> None:
    """Owns a round, and has a child of its own that outlives it."""
    ledger = open_ledger(root)
    ledger.own("r1")
    if (pid := os.fork()) == 0:
        signal.pause()
    told.send(pid)
    signal.pause()


def locks(path: Path, told: Connection) -> None:
    """Holds a round's lock as any version does, until it is killed."""
    lock = take(path, "a round")
    told.send(os.getpid())
    signal.pause()
    lock.release()


def promotes(root: Path, together: Barrier, name: str, pairs: int, told: Connection) -> None:
    """Promotes at the same moment as its rival, `pairs` times, and tells which it won."""
    won = []
    with open_ledger(root) as ledger:
        for pair in range(pairs):
            together.wait(60)
            if ledger.promote("digits", pair, {"pair": pair}, f"{name}{pair}", name, {"gain": 1.0}, "2026-01-01"):
                won.append(pair)
            together.wait(60)  # the loser has lost before either goes on
    told.send(won)


def story(ledger: Ledger, plan: list[dict[str, Any]]) -> None:
    """A little round: what is done stays, the rest is run, one promotion, one record."""
    ledger.own("r1")
    ledger.plan("r1", plan)
    for trial in ledger.pending("r1"):
        attempt = ledger.start("r1", trial["id"])
        ledger.finish("r1", trial["id"], attempt, {"value": trial["index"] / 3}, b"curve")
    ledger.promote("digits", 0, {"width": 64}, "r1", "round r1", {"gain": 0.5}, "2026-01-02")
    text = json.dumps({"verdict": {"outcome": "promote", "gain": 0.5, "incumbent": {"generation": 0}}})
    ledger.conclude("r1", text, "d", "2026-01-02")


def killed_at(root: Path, plan: list[dict[str, Any]], number: int) -> None:
    """Tells the story and dies by SIGKILL just before its n-th statement or commit."""
    ledger = open_ledger(root)
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "commit"):
        event.listen(ledger._engine, name, count)
    story(ledger, plan)


if __name__ == "child":
    globals()[TASK](*ARGS)  # type: ignore[name-defined]  # noqa: F821
