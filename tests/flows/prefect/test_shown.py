"""Rounds from the shell in Prefect: a projection that holds no trial up, with everything that ran in it."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from flows.compose import compose
from flows.compose.config import RoundConfig
from flows.prefect.api import Api, PrefectFails
from flows.prefect.shown import Shown
from flows.prefect.told import RoundShown
from flows.steps import PLAIN
from flows.tune import tune
from tasks.record import Record
from tests.faults.prefect.api import call, until
from tests.processes.warm import Warm

pytestmark = pytest.mark.usefixtures("undrawn")
SMALL = (
    *("workload=synthetic", "space=synthetic", "goal=synthetic", "budget.trials=2", "budget.retrains=1"),
    *("tracking.enabled=false", "acknowledge={D8: few}"),
)
STEPS = ("scope goal", "design round", "run trials", "analyze", "promote config", "write report")


class Kept(Api):
    """An API that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1/api")
        self.told: list[tuple[str, Any]] = []

    def post(self, path: str, body: Any) -> Any:
        self.told.append((path, json.loads(json.dumps(body))))
        return {"id": f"{len(self.told)}"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def config(tmp_path: Path) -> RoundConfig:
    return compose.from_overrides([*SMALL, f"tracking.root={tmp_path / 'store'}"])


def test_a_round_is_a_flow_run_with_its_steps_trials_findings_and_verdict(
    warm: Warm, prefect: tuple[Path, str], tmp_path: Path
) -> None:
    home, api = prefect
    environment = {**os.environ, "PREFECT_API_URL": api, "PREFECT_HOME": str(home)}
    words = [*SMALL, f"tracking.root={tmp_path}"]
    process = warm.start("tests.processes.forked:run_round", {"words": words}, environment=environment, printed=True)
    assert process.wait(60) == 0, process.said
    (path,) = tmp_path.glob("records/*/record.json")
    record = Record.model_validate_json(path.read_text())
    name = {"flow_runs": {"name": {"any_": [" ".join(words)[:100]]}}}
    (run,) = until(lambda: call(f"{api}/flow_runs/filter", name), 30)
    assert run["state"]["type"] == "COMPLETED"
    of_it = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    tasks = until(lambda: call(f"{api}/task_runs/filter", of_it), 30)
    assert {t["state"]["type"] for t in tasks} == {"COMPLETED"}
    assert all("took" in t["state"]["message"] for t in tasks)
    names = [t["name"] for t in tasks]
    assert set(STEPS) <= set(names)
    first = record.trials[0]
    assert any(n.startswith(f"{first.id}: ") and "learning_rate=" in n for n in names)
    assert {t.id for t in record.trials} <= {n.partition(":")[0] for n in names}
    assert {a["key"] for a in call(f"{api}/artifacts/filter", of_it)} >= {"findings", "verdict"}
    assert not list((home / "running").glob(run["id"]))


def test_what_ended_before_the_server_answered_is_told_at_once_as_ended(config: RoundConfig, home: Path) -> None:
    orders: list[Any] = []
    shown = RoundShown(config, orders.append)
    shown.concluded(tune(config, shown.steps(PLAIN, lambda: None)))
    api = Kept()
    for order in orders:
        order(api)
    tasks = [body for path, body in api.told if path == "task_runs/"]
    assert [t["name"] for t in tasks if t["name"] in STEPS] == list(STEPS)
    assert {t["state"]["type"] for t in tasks} == {"COMPLETED"}
    assert len({t["dynamic_key"] for t in tasks}) == len(tasks)
    path, body = api.told[-1]
    assert path.startswith("flow_runs/")
    assert body["state"]["type"] == "COMPLETED"
    assert not list((home / "running").iterdir())


def test_what_ends_later_is_first_told_as_running(config: RoundConfig, home: Path) -> None:
    api = Kept()
    shown = RoundShown(config, lambda order: order(api))
    tune(config, shown.steps(PLAIN, lambda: None))
    states = [body["state"]["type"] for path, body in api.told if path.startswith("task_runs/")]
    assert states.count("RUNNING") == states.count("COMPLETED") == len(states) / 2


def ended_by(error: BaseException, config: RoundConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """The last states of the step and of the flow run of a round that this error ends."""

    def fails(*_: Any) -> Any:
        raise error

    api = Kept()
    shown = RoundShown(config, lambda order: order(api))
    try:
        shown.steps(PLAIN, lambda: None)
        with shown._task("scope goal", "scope goal"):
            fails()
    except BaseException as raised:
        shown.failed(raised)
    return tuple(body["state"] for path, body in api.told if "set_state" in path)[-2:]


@pytest.mark.prose
def test_a_round_that_fails_is_failed_and_one_that_is_stopped_has_crashed(config: RoundConfig, home: Path) -> None:
    step, run = ended_by(RuntimeError("the disk is gone"), config)
    assert step["type"] == run["type"] == "FAILED"
    assert run["message"] == "the disk is gone"
    step, run = ended_by(KeyboardInterrupt(), config)
    assert step["type"] == run["type"] == "CRASHED"
    assert "resumes the round" in run["message"]


def test_a_command_that_ran_nothing_starts_no_server(monkeypatch: pytest.MonkeyPatch, config: RoundConfig) -> None:
    started: list[str] = []
    monkeypatch.setattr("flows.prefect.shown.PrefectServer", lambda home: started.append("a server"))
    with Shown():
        pass
    with pytest.raises(RuntimeError), Shown() as shown, shown.round(config):
        raise RuntimeError("the ledger is another's")
    assert not started


def test_a_server_that_refuses_fails_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.prefect.api.AGAIN", (0.0,))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(PrefectFails, match="refused"):
            Api(f"http://127.0.0.1:{probe.getsockname()[1]}/api").post("flows/", {})
