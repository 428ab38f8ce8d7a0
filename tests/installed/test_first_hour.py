"""The first hour: from a folder with nothing in it to a verdict, and nothing is written where it does not belong."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.installed.conftest import ROOT, TIER, Way


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its content, but for Python's caches."""
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts}


def written_in_checkout() -> list[str]:
    """The files of the checkout that git neither knows nor ignores."""
    said = subprocess.run(["git", "-C", str(ROOT), "status", "--porcelain"], capture_output=True, text=True, check=True)
    return [line for line in said.stdout.splitlines() if line.startswith("??")]


@pytest.mark.parametrize("how", ["wheel", "editable", "checkout"] if TIER == "full" else ["wheel", "checkout"])
def test_init_and_a_round_come_to_a_verdict_and_nothing_is_written_into_the_package(
    how: str, ways: dict[str, Way], tmp_path: Path
) -> None:
    way = ways[how]
    package = way.python.parents[1] / "lib"
    before = contents(next(package.glob("*/site-packages/tunebook"))) if how == "wheel" else {}
    checkout = written_in_checkout()
    code, said = way.run("init", str(tmp_path / "mine"), folder=tmp_path)
    assert code == 0, said
    store = [] if way.console else [f"tracking.root={tmp_path / 'mlruns'}"]
    words = ["--config-dir", str(tmp_path / "mine"), "workload=my", "space=my", "goal=my", *budget(tmp_path), *store]
    code, said = way.run("round", *words, folder=tmp_path)
    assert code == 0, said
    assert "verdict" in said
    (path,) = (tmp_path / "mlruns" / "records").glob("*/record.json")
    assert json.loads(path.read_text())["verdict"]["outcome"] in ("promote", "keep", "retrain", "redesign")
    code, said = way.run("history", *store, folder=tmp_path)
    assert code == 0, said
    assert json.loads(path.read_text())["round_id"] in said
    assert written_in_checkout() == checkout
    if how == "wheel":
        assert contents(next(package.glob("*/site-packages/tunebook"))) == before
        assert {p.name for p in tmp_path.iterdir()} <= {"mine", "mlruns", "prefect"}


def budget(folder: Path) -> list[str]:
    """The budget that init wrote, where it wrote one."""
    return ["budget=my"] if (folder / "mine" / "budget" / "my.yaml").exists() else []


@pytest.mark.prose
def test_the_bare_command_says_what_can_be_done_here(wheel: Way, tmp_path: Path) -> None:
    def said(*words: str) -> str:
        tunebook = str(wheel.python.with_name("tunebook"))
        done = subprocess.run([tunebook, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    empty = said()
    assert empty.startswith("0 tunebook ")
    assert all(f"tunebook {command}" in empty for command in ("init", "demo", "audit"))
    assert "workload" not in empty
    assert said("--version").startswith("0 tunebook 0.")
    assert said("rond").startswith("2 error: 'rond' is no command")
    assert "did you mean round?" in said("rond")
    wheel.run("init", "mine", folder=tmp_path)
    assert "tunebook round --config-dir mine workload=my" in said()
