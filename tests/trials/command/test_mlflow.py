"""Programs that log to MLflow: each attempt has a store of its own, and what they logged is read back once, in full."""

import math
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tasks.tracking.private import STORE, PrivateStores


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> PrivateStores:
    """The stores of a round: creating their template takes seconds."""
    return PrivateStores(tmp_path_factory.mktemp("round"))


def logged(variables: Mapping[str, str], *rows: tuple[str, float, int], parent: str = "") -> str:
    """A run in the store with `(metric, value, step)` in this order."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=variables["MLFLOW_TRACKING_URI"])
    tags = {"mlflow.parentRunId": parent} if parent else {}
    run = client.create_run(variables["MLFLOW_EXPERIMENT_ID"], tags=tags)
    for i, (name, value, step) in enumerate(rows):
        client.log_metric(run.info.run_id, name, value, timestamp=1000 + i, step=step)
    return str(run.info.run_id)


def test_what_a_program_logged_comes_back_by_step(stores: PrivateStores, tmp_path: Path) -> None:
    variables = stores.variables(tmp_path / "t")
    assert stores.reports(tmp_path / "t") == {}
    inf = math.inf
    rows = [("a", 0.1, 2), ("a", 1 / 3, 1), ("b", inf, 1), ("b", -inf, 2), ("b", math.nan, 3), ("a", 0.9, 1)]
    logged(variables, *rows)
    found = stores.reports(tmp_path / "t")
    assert repr(found) == repr({1: {"a": 0.9, "b": inf}, 2: {"a": 0.1, "b": -inf}, 3: {"b": math.nan}})


def test_every_run_in_the_store_is_the_trials_and_a_parent_speaks_last(stores: PrivateStores, tmp_path: Path) -> None:
    variables = stores.variables(tmp_path / "t")
    parent = logged(variables, ("loss", 0.5, 1))
    logged(variables, ("loss", 9.0, 1), ("other", 1.0, 1), parent=parent)
    assert stores.reports(tmp_path / "t") == {1: {"loss": 0.5, "other": 1.0}}


@pytest.mark.playbook("J12", case="shows")
def test_another_attempt_has_another_store_and_replaces_what_it_did_again(
    stores: PrivateStores, tmp_path: Path
) -> None:
    first, second = stores.variables(tmp_path / "t"), stores.variables(tmp_path / "t")
    assert first["MLFLOW_TRACKING_URI"] != second["MLFLOW_TRACKING_URI"]
    logged(first, *(("loss", 1.0 / step, step) for step in (1, 2, 3, 4)))
    logged(second, ("loss", 0.6, 3), ("loss", 0.5, 5))
    assert stores.reports(tmp_path / "t") == {1: {"loss": 1.0}, 2: {"loss": 0.5}, 3: {"loss": 0.6}, 5: {"loss": 0.5}}
    stores.variables(tmp_path / "t")  # and one that came to nothing
    assert list(stores.reports(tmp_path / "t")) == [1, 2, 3, 5]


KILLED = """
import os, signal, sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("PRAGMA cache_size = 1")
base.execute("UPDATE metrics SET value = 0.75")
base.executemany("INSERT INTO tags SELECT ?, ?, run_uuid FROM runs", [(str(i), "x" * 4000) for i in range(500)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_program_was_about_to_write_is_not_there(stores: PrivateStores, tmp_path: Path) -> None:
    logged(stores.variables(tmp_path / "t"), ("loss", 0.5, 1))
    store = tmp_path / "t" / "mlflow" / "0" / STORE
    subprocess.run([sys.executable, "-c", KILLED, str(store)], check=False)
    assert store.with_name(f"{STORE}-journal").stat().st_size > 0
    assert stores.reports(tmp_path / "t") == {1: {"loss": 0.5}}


def test_a_store_that_cannot_be_read_holds_nothing(stores: PrivateStores, tmp_path: Path) -> None:
    logged(stores.variables(tmp_path / "t"), ("loss", 0.5, 1))
    stores.variables(tmp_path / "t")
    (tmp_path / "t" / "mlflow" / "1" / STORE).write_text("not a database")
    assert stores.reports(tmp_path / "t") == {1: {"loss": 0.5}}
    (tmp_path / "t" / "mlflow" / "0" / STORE).unlink()
    assert stores.reports(tmp_path / "t") == {}


def test_a_thousand_trials_would_leave_no_file_open(stores: PrivateStores, tmp_path: Path) -> None:
    stores.variables(tmp_path / "first")
    before = len(os.listdir("/proc/self/fd"))
    for i in range(5):
        stores.variables(tmp_path / str(i))
        assert stores.reports(tmp_path / str(i)) == {}
    assert len(os.listdir("/proc/self/fd")) == before
