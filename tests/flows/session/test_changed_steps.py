"""A round after a change of data or architecture is told to check the number of steps again."""

from pathlib import Path

import pytest

from flows.round import main
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
def test_changed_data_and_a_changed_model_ask_to_check_the_steps_and_nothing_else_does(
    fed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(fed, "first") == []
    assert told(fed, "again") == []
    assert told(fed, "patient", "workload.patience=5") == []
    assert "H5" not in capsys.readouterr().err
    (fed / "table.csv").write_text("1,2\n3,4\n")
    (data,) = told(fed, "data")
    assert "workload.table" in data
    assert "check the number of steps again" in capsys.readouterr().err
    assert told(fed, "data again") == []
    (model,) = told(fed, "model", "workload.model.width=16")
    assert "workload.model.width" in model
    assert told(fed, "longer", "workload.model.width=16", "budget.max_train_steps=40") == []
