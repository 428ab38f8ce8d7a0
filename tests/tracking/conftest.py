"""One real MLflow store for all tests here (creating it takes seconds), and a record to project."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.record import Record, TrialRow
from tasks.tracking import Handle, Tracking, connect

OPENER = """
import sys
from tasks.tracking import Tracking, connect
import mlflow
print("ready", flush=True)
sys.stdin.readline()
connect(Tracking(root=sys.argv[1]), "first", "first")
"""


@pytest.fixture(scope="session")
def creation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tracking, list[int]]:
    """The store of all tests here, created by two processes at once; and how these ended."""
    root = tmp_path_factory.mktemp("store")
    command = [sys.executable, "-c", OPENER, str(root)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    openers = [subprocess.Popen(command, cwd=Path(__file__).parents[2], **pipes) for _ in range(2)]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("\n")
        opener.stdin.flush()
    for opener in openers:
        opener.communicate()
    return Tracking(root=str(root)), [opener.returncode for opener in openers]


@pytest.fixture(scope="session")
def tracking(creation: tuple[Tracking, list[int]]) -> Tracking:
    return creation[0]


def row(index: int, **more: Any) -> TrialRow:
    said: dict[str, Any] = {
        "id": f"t{index:04d}",
        "study": "s-1",
        "purpose": "search",
        "point": {"optimizer": "adam", "adam.learning_rate": 0.1 / (index + 1), "width": 64, "nesterov": True},
        "seed": 7 + index,
        "max_train_steps": 30,
        "eval_every_steps": 10,
        "status": "complete",
        "best_step": 20,
        "best_value": 0.2 + index / 20,
        "final_value": 0.3,
        "steps_done": 30,
        "seconds": 1.5,
    }
    return TrialRow.model_validate(said | more)


def record_of(round_id: str, **more: Any) -> Record:
    trials = [row(0), row(1), row(2, status="infeasible", reason="valid_error is not a number at step 10")]
    point = trials[0].point
    said: dict[str, Any] = {
        "round_id": round_id,
        "digest": "d" * 64,
        "workload": "digits",
        "created": "2026-01-01T00:00:00",
        "finished": "2026-01-01T00:01:00",
        "seed": 0,
        "notes": "after the loader was mended",
        "reproduce": {
            "command": "python -m flows.round goal=dropout seed=0",
            "overrides": ["goal=dropout", "seed=0"],
            "git_commit": "abc123",
            "uncommitted_diff": "-old\n+new\n",
            "fingerprint": "f" * 64,
        },
        "objective": {"metric": "valid_error", "direction": "minimize"},
        "goal": {"question": "Does dropout lower the validation error?", "kind": "improve"},
        "roles": {"scientific": ["regularizer"], "nuisance": ["adam.learning_rate"], "fixed": {}},
        "budget": {"trials": 3},
        "policy": {"error_rate": 0.05},
        "studies": [
            {
                "id": "s-1",
                "scientific": {"regularizer": "none"},
                "space": {},
                "sampler": "halton",
                "seed": 1,
                "trials": [t.id for t in trials],
            }
        ],
        "trials": [t.model_dump() for t in trials],
        "curves": "curves.parquet",
        "findings": [],
        "isolation": [],
        "answer": {"kind": "improve", "source": "search"},
        "learned": [],
        "verdict": {
            "outcome": "promote",
            "reason": "better",
            "candidate": {"study": "s-1", "trial": trials[0].id, "point": point},
            "incumbent": {"generation": 0, "point": point},
            "gain": 0.01,
            "reasons": ["it beat the incumbent"],
        },
        "next": {"command": "python -m flows.round goal=width", "overrides": ["goal=width"], "why": "not asked yet"},
    }
    return Record.model_validate(said | more)


@pytest.fixture
def make_row() -> Callable[..., TrialRow]:
    return row


@pytest.fixture
def make_record() -> Callable[..., Record]:
    return record_of


@pytest.fixture
def open_round(tracking: Tracking) -> Callable[..., Handle]:
    """A handle on a round of the workload `digits`, by the round's id."""
    return lambda round_id: connect(tracking, "digits", round_id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A record's folder as a round leaves it."""
    (tmp_path / "plots").mkdir()
    (tmp_path / "trials" / "t0000").mkdir(parents=True)
    for name in ("report.html", "record.json", "curves.parquet", "plots/axis.png", "trials/t0000/step.pt", ".lock"):
        (tmp_path / name).write_text(name)
    (tmp_path / "elsewhere.txt").symlink_to("/etc/hostname")
    return tmp_path
