"""Stores a database of the current schema as text, once, before it is released: python tests/ledger/release.py

The file it writes, `released/schema_<n>.sql`, is opened by every later version's tests and is never written again.
"""

import json
import os
import socket
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

from tasks.ledger import Ledger, open_ledger
from tasks.ledger.tables import SCHEMA

RELEASED = Path(__file__).with_name("released")
_SMALL = {"trials": 5, "max_train_steps": 10, "eval_every_steps": 5, "retrains": 3}
_ROUND = ["workload=synthetic", "goal=synthetic", "orchestrate=off", "tracking.enabled=false"]


def store(target: Path) -> None:
    """One real round that ended, one that promoted, and one in every state in which a round can be cut off."""
    from flows.round import main

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        budget = [f"budget.{name}={value}" for name, value in _SMALL.items()]
        if main([*_ROUND, *budget, f"tracking.root={root}"]) != 0:
            raise SystemExit("the round did not end")
        with open_ledger(root) as ledger:
            _promoted(ledger)
            _cut_off(ledger)
        with sqlite3.connect(root / "ledger.db") as db:
            target.write_text("\n".join(db.iterdump()) + "\n")
        db.close()


def planned(index: int) -> dict[str, Any]:
    """The plan of a trial; its point has a float that only `repr` keeps, and one of each other kind of value."""
    point = {"learning_rate": 0.1 + 0.2 * index, "layers": index, "optimizer": "adam", "dropout": True}
    return {"id": f"t{index}", "study": "s", "purpose": "search", "index": index, "point": point, "seed": index}


def _promoted(ledger: Ledger) -> None:
    ledger.begin("promoted", "digits", "dropout", {"seed": 0, "notes": "ünïcode"}, "key-1", "2026-01-01")
    ledger.promote(
        "digits",
        0,
        {"width": 64},
        "promoted",
        "round promoted",
        {"gain": 0.5},
        "2026-01-02",
        {"budget.max_train_steps": 9},
    )
    ledger.note_projection("promoted", "t0", "mlflow-run")
    ledger.note("promoted", "mixed", "states of the code (own.py)")
    verdict = {"outcome": "promote", "gain": 0.5, "incumbent": {"generation": 0}}
    ledger.conclude("promoted", json.dumps({"verdict": verdict}), "digest", "2026-01-02")
    ledger.adopt("other", 3, {"width": 32}, "a file")


def _cut_off(ledger: Ledger) -> None:
    """t0: ended by its second attempt; t1: cut off while it ran; t2: failed once; t3: waits."""
    ledger.begin("cut-off", "digits", "dropout", {"seed": 1, "rate": 0.1}, "key-2", "2026-01-03", "promoted")
    ledger.plan("cut-off", [planned(i) for i in range(4)])
    stale, second = ledger.start("cut-off", "t0"), ledger.start("cut-off", "t0")
    ledger.finish("cut-off", "t0", second, {"status": "complete", "value": 0.1}, bytes(range(256)))
    ledger.finish("cut-off", "t0", stale, {"status": "complete", "value": 0.2}, b"")
    ledger.start("cut-off", "t1")
    ledger.fail("cut-off", "t2", ledger.start("cut-off", "t2"), "killed by SIGKILL")


if __name__ == "__main__":
    socket.gethostname = lambda: "host"  # it is written down with every attempt
    os.environ["GIT_DIR"] = os.devnull  # what is not committed yet is no part of a release
    path = RELEASED / f"schema_{SCHEMA}.sql"
    if path.exists():
        sys.exit(f"{path.name} was released and stays as it is: bump SCHEMA and say how to migrate")
    store(path)
    print(f"{path}: {path.stat().st_size} bytes")
