"""The deployment, through a real Prefect server's API: a form's input runs a round, a schedule makes runs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.compose.config import CONF
from flows.prefect.deployment import deployment_name
from tasks.record import Record
from tests.faults.prefect.api import call, until


@pytest.fixture(scope="module")
def api(prefect: tuple[Path, str]) -> str:
    """The address of a real Prefect server."""
    return prefect[1]


@pytest.fixture(scope="module")
def deployment(prefect: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """`tune-round`, served with a cron schedule by `python -m flows.serve`."""
    log = tmp_path_factory.mktemp("serve") / "log"
    home, api = prefect
    env = os.environ | {"PREFECT_API_URL": api, "PREFECT_HOME": str(home)}
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "flows.serve", "--cron", "0 3 * * *"],
            cwd=CONF.parent,
            env=env,
            stdout=out,
            stderr=out,
        ) as process,
    ):
        try:
            yield until(lambda: call(f"{api}/deployments/name/tune-round/{deployment_name(CONF.parent)}"), 90, log)
        finally:
            process.terminate()
            process.wait(30)


def test_a_round_started_through_the_api_ends_with_its_record(
    api: str, deployment: dict[str, Any], tmp_path: Path
) -> None:
    overrides = ["workload=synthetic", "goal=synthetic", f"tracking.root={tmp_path}", "tracking.enabled=false"]
    body = {"parameters": {"overrides": overrides, "config_dir": None}, "state": {"type": "SCHEDULED"}}
    run = until(lambda: call(f"{api}/deployments/{deployment['id']}/create_flow_run", body), 30)

    def ended() -> Any:
        state = (call(f"{api}/flow_runs/{run['id']}") or {}).get("state") or {}
        return state if state.get("type") in ("COMPLETED", "FAILED", "CRASHED") else None

    state = until(ended, 240)
    assert state["type"] == "COMPLETED", state
    (path,) = (tmp_path / "records").glob("*/record.json")
    record = Record.model_validate_json(path.read_text())
    filter_ = {"flow_runs": {"id": {"any_": [run["id"]]}}, "limit": 200}
    names = [t["name"] for t in until(lambda: call(f"{api}/task_runs/filter", filter_), 30)]
    for step in ("scope goal", "design round", "run trials", "analyze", "promote config"):
        assert any(name.startswith(step) for name in names), names
    assert {t.id for t in record.trials if t.purpose == "search"} <= {name.partition(":")[0] for name in names}
    artifacts = call(f"{api}/artifacts/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    assert {a["key"] for a in artifacts} >= {"findings", "verdict"}


def test_the_form_asks_for_overrides_and_the_folder(deployment: dict[str, Any]) -> None:
    properties = deployment["parameter_openapi_schema"]["properties"]
    assert set(properties) == {"overrides", "config_dir"}
    assert "goal=dropout" in properties["overrides"]["description"]


def test_a_schedule_makes_runs(api: str, deployment: dict[str, Any]) -> None:
    filter_ = {
        "deployments": {"id": {"any_": [deployment["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = until(lambda: call(f"{api}/flow_runs/filter", filter_), 120)
    assert all(r["auto_scheduled"] for r in runs)
