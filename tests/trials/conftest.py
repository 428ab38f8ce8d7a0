"""A fork server for a module, and attempts at the programs of own/resuming.py."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Trial
from tests.trials.example_trials import PATIENT, execution, plan


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """One server for the module."""
    with ForkServer(PATIENT, preload=("tasks.trials.local.child", "torch")) as server:
        yield server


@pytest.fixture
def attempt(server: ForkServer, tmp_path: Path) -> Callable[..., Trial]:
    """One more attempt at a program of own/resuming.py, in the folder that earlier ones have left."""

    def one(name: str, runner: RunnerSettings = PATIENT, folder: str = "t", **arguments: Any) -> Trial:
        wanted = execution(f"resuming.{name}", runner, **arguments)
        return run_trial(plan(name), wanted, server, tmp_path / folder, "cpu")

    return one
