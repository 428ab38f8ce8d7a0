"""A fresh MLflow store that several processes open at once is made once."""

import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from flows.compose.config import CONF
from tests.faults.conftest import Tally, Times

OPENERS = 8
# The children are forked by one process that has imported MLflow: eight imports would take longer than the race.
OPENER = """
import os, sys, multiprocessing
import mlflow, mlflow.store.tracking.sqlalchemy_store, mlflow.store.model_registry.sqlalchemy_store
from tasks.tracking import Tracking, connect
from tasks.tracking.store import create

def opened(root, number, start, errors):
    start.wait()
    try:
        create(Tracking(root=root)) if number % 4 == 0 else connect(Tracking(root=root), "own", f"round-{number}")
    except BaseException as error:
        errors.put(f"{number}: {error!r}")

for root in sys.argv[1:]:
    fork = multiprocessing.get_context("fork")
    start, errors = fork.Barrier(8), fork.SimpleQueue()
    children = [fork.Process(target=opened, args=(root, n, start, errors)) for n in range(8)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    while not errors.empty():
        print(errors.get())
"""


def test_eight_processes_that_open_a_fresh_store_at_once_all_find_it_whole(
    tmp_path: Path, times: Times, tally: Tally
) -> None:
    runs = times(1, 20)
    roots = [tmp_path / str(number) for number in range(runs)]
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", OPENER, *map(str, roots)]
    done = subprocess.run(command, cwd=CONF.parent, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = done.stdout.splitlines()
    for root in roots:
        with ExitStack() as stack:
            db = sqlite3.connect(root / "mlflow.db")
            stack.callback(db.close)
            if db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                found.append(f"{root.name}: damaged")
            if db.execute("SELECT count(*) FROM experiments WHERE name = 'own'").fetchone() != (1,):
                found.append(f"{root.name}: the experiment is not there once")
            if db.execute("SELECT count(*) FROM runs").fetchone() != (6,):
                found.append(f"{root.name}: a round is missing")
    assert found == []
    tally("C6", f"fresh stores that {OPENERS} processes opened at once", runs, len(found))
