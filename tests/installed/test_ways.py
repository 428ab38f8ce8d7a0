"""Rounds of a user's own code run however tunebook is installed and whatever the user's packages are called."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from flows.prefect.deployment import deployment_name
from tests.faults.prefect.api import call, until
from tests.installed.conftest import ROOT, TIER, Way
from tests.installed.project import KINDS, PACKAGES, SMALL, write_project

WAYS = ("checkout", "wheel", "editable")
NAMES = ("tasks", "flows", "both")
EVERY = tuple(product((*KINDS, "served"), WAYS, NAMES))
QUICK = (  # each kind, each way and each name at least once
    ("function", "wheel", "both"),
    ("supervised", "editable", "tasks"),
    ("command", "checkout", "flows"),
    ("served", "wheel", "both"),
)


def record_in(folder: Path) -> dict[str, Any]:
    """The record of the only round in the folder's store."""
    (path,) = (folder / "mlruns" / "records").glob("*/record.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def sound(folder: Path) -> None:
    """Every trial of the folder's round ended well, and the verdict is one of a gate."""
    record = record_in(folder)
    assert {t["status"] for t in record["trials"]} == {"complete"}, record["trials"]
    assert record["verdict"]["outcome"] in ("promote", "keep", "retrain")


@contextmanager
def served(way: Way, folder: Path, api: str, **more: str) -> Iterator[str]:
    """The id of the folder's deployment while `serve` runs there."""
    name = deployment_name(folder if way.console else ROOT)
    with way.start("serve", folder=folder, PREFECT_API_URL=api, **more) as process:
        try:
            found = until(lambda: call(f"{api}/deployments/name/tune-round/{name}"), 120)
            yield str(found["id"])
        finally:
            process.terminate()
            process.communicate(timeout=60)


def asked(api: str, deployment: str, overrides: list[str], own: Path) -> dict[str, Any]:
    """The last state of a round that was asked for as the form does."""
    body = {"parameters": {"overrides": overrides, "config_dir": str(own)}, "state": {"type": "SCHEDULED"}}
    run = until(lambda: call(f"{api}/deployments/{deployment}/create_flow_run", body), 60)["id"]

    def ended() -> Any:
        state = (call(f"{api}/flow_runs/{run}") or {}).get("state") or {}
        return state if state.get("type") in ("COMPLETED", "FAILED", "CRASHED") else None

    found: dict[str, Any] = until(ended, 300)
    return found


@pytest.mark.parametrize(("kind", "how", "names"), EVERY if TIER == "full" else QUICK)
def test_a_round_of_each_kind_runs_beside_packages_of_our_names(
    kind: str, how: str, names: str, ways: dict[str, Way], tmp_path: Path, prefect: tuple[Path, str]
) -> None:
    own, way = write_project(tmp_path / "mine", names), ways[how]
    if kind == "served":
        _served_round(way, own, tmp_path, prefect[1])
    else:
        code, said = way.round(own, f"workload={kind}", *SMALL, folder=tmp_path)
        assert code == 0, said
        program = "tunebook round" if way.console else "python -m flows.round"
        assert f"\n{'':<10}{program} --config-dir" in said
    sound(tmp_path)
    if tally := os.environ.get("TUNEBOOK_INSTALLED_TALLY"):
        with Path(tally).open("a") as lines:
            lines.write(json.dumps({"kind": kind, "how": how, "names": names}) + "\n")


def _served_round(way: Way, own: Path, folder: Path, api: str) -> None:
    store = [] if way.console else [f"tracking.root={folder / 'mlruns'}"]
    overrides = [o for o in SMALL if not o.startswith("orchestrate")]
    with served(way, folder, api) as deployment:
        state = asked(api, deployment, ["workload=function", *overrides, *store], own)
    assert state["type"] == "COMPLETED", state


@pytest.mark.parametrize("how", WAYS if TIER == "full" else ["wheel"])
@pytest.mark.prose
def test_a_relative_entry_of_pythonpath_counts_in_trials_as_in_the_shell(
    how: str, ways: dict[str, Way], tmp_path: Path
) -> None:
    way = ways[how]
    own = write_project(tmp_path / "conf", "both", code=tmp_path / "code")
    entry = "code" if way.console else str(tmp_path / "code")  # the checkout's commands run in the checkout
    for kind in ("function", "command") if TIER == "full" else ("function",):
        code, said = way.round(own, f"workload={kind}", *SMALL, folder=tmp_path, PYTHONPATH=entry)
        assert code == 0, said
    code, said = way.round(own, "workload=function", *SMALL, "check=plan", folder=tmp_path)
    assert code == 2, said
    assert "or of a folder on PYTHONPATH" in said


def test_a_src_layout_and_packages_without_init_files_work(ways: dict[str, Way], tmp_path: Path) -> None:
    own = write_project(tmp_path / "mine", "src", code=tmp_path / "mine" / "src")
    for path in own.glob("src/*/__init__.py"):
        path.unlink()
    code, said = ways["wheel"].round(own, "workload=function", *SMALL, folder=tmp_path)
    assert code == 0, said
    sound(tmp_path)


@pytest.mark.parametrize("name", ["record", "text", "round", "flow", "random"])
@pytest.mark.prose
def test_a_module_may_have_the_name_of_one_of_ours(name: str, ways: dict[str, Way], tmp_path: Path) -> None:
    own = write_project(tmp_path / "mine", "tasks")
    (own / f"{name}.py").write_text((own / "tasks" / "train.py").read_text())
    workload = own / "workload" / "function.yaml"
    workload.write_text(workload.read_text().replace("tasks.train.train", f"{name}.train"))
    code, said = ways["editable"].round(own, "workload=function", *SMALL, "check=plan", folder=tmp_path)
    if name == "random":  # Python's own: their shell would not find theirs either
        assert code == 2
        assert "the name random belongs to" in said
    else:
        assert code == 0, said


@pytest.mark.prose
def test_code_that_cannot_be_imported_is_told_by_the_plan_with_the_whole_name(
    ways: dict[str, Way], tmp_path: Path
) -> None:
    own = write_project(tmp_path / "mine", "both")
    train = own / "tasks" / "train.py"
    train.write_text("from transformers.models.bert.modeling_bert import BertLayer\n" + train.read_text())
    for how in ("wheel", "checkout"):
        code, said = ways[how].round(own, "workload=function", *SMALL, "check=plan", folder=tmp_path)
        assert code == 2
        assert "No module named 'transformers'" in said
        assert "workload._target_" in said
    assert not (tmp_path / "mlruns").exists()


def test_every_name_of_the_matrix_is_in_the_quick_tier() -> None:
    for column, every in zip(zip(*QUICK, strict=True), ((*KINDS, "served"), WAYS, NAMES), strict=True):
        assert set(column) == set(every)
    assert set(NAMES) < set(PACKAGES)
