"""Rounds of the deployment, started through Prefect's API: cancelled, run again, stopped and killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.compose.config import CONF
from flows.prefect.deployment import deployment_name
from tasks.ledger import open_ledger
from tests.faults.conftest import Tally, Times
from tests.faults.prefect.api import call, serving, until
from tests.faults.rounds.process import STEPS, overrides, record_of, steps_done, trials_done, whole, write_folder

pytestmark = pytest.mark.usefixtures("as_from_a_terminal")
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class Served:
    """A Prefect server, and what is asked of the deployment there."""

    def __init__(self, api: str, home: Path, folder: Path) -> None:
        self.api, self.home, self.folder = api, home, folder
        self.log = home / "serve.log"

    @contextmanager
    def served(self) -> Iterator[subprocess.Popen[bytes]]:
        """`python -m flows.serve`, alone in its process group, once it has registered the deployment anew."""
        env = os.environ | {"PREFECT_API_URL": self.api, "PREFECT_HOME": str(self.home)}
        said = self.log.stat().st_size if self.log.exists() else 0
        with (
            self.log.open("ab") as log,
            subprocess.Popen(
                [sys.executable, "-m", "flows.serve"],
                cwd=CONF.parent,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            ) as process,
        ):
            until(lambda: self.log.stat().st_size > said and self.deployment(), 90, self.log)
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def deployment(self) -> Any:
        return call(f"{self.api}/deployments/name/tune-round/{deployment_name(CONF.parent)}")

    def submit(self, store: Path) -> str:
        """The id of a new flow run."""
        parameters = {"overrides": overrides(store), "config_dir": str(self.folder)}
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        path = f"{self.api}/deployments/{self.deployment()['id']}/create_flow_run"
        return str(until(lambda: call(path, body), 30)["id"])

    def set_state(self, run: str, kind: str) -> None:
        until(lambda: call(f"{self.api}/flow_runs/{run}/set_state", {"state": {"type": kind}, "force": True}), 30)

    def becomes(self, run: str, *kinds: str) -> bool:
        """Whether the run comes into one of these states."""
        return bool(until(lambda: call(f"{self.api}/flow_runs/{run}")["state"]["type"] in kinds, 240, self.log))


@pytest.fixture
def at(tmp_path: Path, times: Times) -> Iterator[Served]:
    if not times(0, 1):
        pytest.skip("minutes: make faults")
    (tmp_path / "home").mkdir()
    with serving(tmp_path / "home") as api:
        yield Served(api, tmp_path / "home", write_folder(tmp_path / "own"))


def state_of(store: Path) -> str:
    with open_ledger(store) as ledger:
        (round_,) = ledger.rounds()
    return round_.state


def test_a_served_round_is_cancelled_and_gone_on_with_and_run_again_for_nothing(
    at: Served, tmp_path: Path, tally: Tally
) -> None:
    store = tmp_path / "store"
    with at.served():
        first = at.submit(store)
        until(lambda: trials_done(store) >= 2, 120, at.log)
        at.set_state(first, "CANCELLING")
        at.becomes(first, "CANCELLED")
        violations = int(state_of(store) != "interrupted")
        second = at.submit(store)
        at.becomes(second, *FINAL)
        for _ in range(2):
            at.set_state(second, "SCHEDULED")
            at.becomes(second, "PENDING", "RUNNING")
            at.becomes(second, *FINAL)
    violations += any(done != list(range(1, STEPS + 1)) for done in steps_done(store).values())
    violations += record_of(store).digest != whole().digest
    tally("A8 C12", "cancelled, repeated and retried flow runs", 4, violations)


def test_a_deployment_that_is_stopped_or_killed_leaves_no_zombie(at: Served, tmp_path: Path, tally: Tally) -> None:
    violations = 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        store = tmp_path / f"store{number}"
        with at.served() as process:
            run = at.submit(store)
            until(lambda store=store: trials_done(store) >= 2, 120, at.log)  # type: ignore[misc]
            if number == signal.SIGTERM:
                process.terminate()
            else:
                os.killpg(process.pid, number)
            process.wait(30)
        violations += number != signal.SIGKILL and state_of(store) != "interrupted"
        with at.served():
            at.becomes(run, "CRASHED", "CANCELLED")
            again = at.submit(store)
            at.becomes(again, "COMPLETED")
        steps = steps_done(store)
        violations += record_of(store).digest != whole().digest
        violations += number != signal.SIGKILL and any(done != list(range(1, STEPS + 1)) for done in steps.values())
    tally("A8 C11", "a deployment stopped or killed while a round runs", 3, violations)
