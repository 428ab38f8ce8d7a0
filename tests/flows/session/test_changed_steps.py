"""A round after a change of data or architecture is told to check the number of steps again."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.compose.compose import from_overrides
from flows.round import main
from flows.session.provenance.changes import since_steps_were_settled
from tasks.scope.goal import Incumbent
from tests.flows.own_round import arguments, records

pytestmark = pytest.mark.usefixtures("undrawn")
SHORT = ("budget.trials=2", "budget.retrains=2", "budget.max_train_steps=20")


@pytest.fixture
def fed(folder: Path) -> Path:
    """A folder whose workload reads a table of data and has a model with a width."""
    program = folder / "own.py"
    program.write_text(program.read_text().replace("def train(trial)", "def train(trial, table, model, patience)"))
    (folder / "table.csv").write_text("1,2\n")
    workload = folder / "workload/own.yaml"
    workload.write_text(f"{workload.read_text()}table: {folder / 'table.csv'}\nmodel: {{width: 8}}\npatience: 3\n")
    return folder


def told(folder: Path, notes: str, *more: str) -> list[str]:
    """The caveats of a round in which that was changed, of those that speak of H5."""
    main([*arguments(folder, "store", *SHORT), f"notes={notes}", *more])
    (record,) = (r for r in records(folder, "store") if r.notes == notes)
    return [caveat for caveat in record.caveats if "(H5" in caveat]


@pytest.mark.playbook("H5", case="silent")
@pytest.mark.playbook("H5", case="fires")
def test_changed_data_ask_to_check_the_steps_and_another_patience_does_not(
    fed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(fed, "first") == []
    assert told(fed, "patient", "workload.patience=5") == []
    assert "H5" not in capsys.readouterr().err
    (fed / "table.csv").write_text("1,2\n3,4\n")
    (data,) = told(fed, "data", "workload.model.width=16")
    assert "workload.table" in data
    assert "workload.model.width" in data
    assert "check the number of steps again" in capsys.readouterr().err


class Told:
    """A ledger with one finished round of 600 steps."""

    def __init__(self, arguments: dict[str, Any], data: dict[str, str], width: int) -> None:
        self.parts = {"data": data, "folders": {}}
        self.settled = {
            "config": {"workload": {"arguments": arguments}, "budget": {"max_train_steps": 600}},
            "fingerprint": self.parts,
            "incumbent": {"point": {"width": width, "learning_rate": 0.1}},
        }

    def rounds(self, workload: str) -> tuple[SimpleNamespace, ...]:
        """Its rounds, the newest first."""
        running = SimpleNamespace(round_id="now", state="running")
        return (running, SimpleNamespace(round_id="before", state="finished"))

    def frozen(self, round_id: str) -> dict[str, Any]:
        """What the round began with."""
        assert round_id == "before"
        return self.settled


@pytest.mark.playbook("H5", case="fires")
@pytest.mark.parametrize(
    ("before", "changed"),
    [
        (Told({"batch_size": 128}, {}, 100), ""),
        (Told({"batch_size": 128, "schedule": "cosine"}, {}, 100), ""),
        (Told({"batch_size": 64}, {}, 100), "workload.batch_size"),
        (Told({"batch_size": 128, "data": {"augment": True}}, {}, 100), "workload.data.augment"),
        (Told({"batch_size": 128}, {"workload.table": "other"}, 100), "workload.table"),
        (Told({"batch_size": 128}, {}, 50), "width"),
    ],
)
@pytest.mark.parametrize("steps", [600, 800])
def test_what_bears_on_the_steps_is_told_unless_the_steps_are_new_too(before: Told, changed: str, steps: int) -> None:
    config = from_overrides(["workload=mnist1d", "space=mnist1d", "goal=optimizer", f"budget.max_train_steps={steps}"])
    workload = config.workload.model_copy(update={"arguments": {"batch_size": 128}})
    config = config.model_copy(update={"workload": workload})
    now = Incumbent(generation=1, point={"width": 100, "learning_rate": 0.3}, source="planted")
    said = since_steps_were_settled(before, config, now, {"data": {}, "folders": {}})  # type: ignore[arg-type]
    assert bool(said) == bool(changed and steps == 600)
    assert changed in said or steps == 800
