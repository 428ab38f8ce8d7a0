"""The readings of the validation set are counted over search, retrains and earlier rounds, and no digest changes."""

import re
from pathlib import Path

import pytest

from flows.round import main
from tasks.record import Record, digest
from tests.flows.own_round import TRAIN, arguments, records

pytestmark = pytest.mark.usefixtures("undrawn")
SHORT = ("budget.trials=8", "budget.retrains=3", "budget.max_train_steps=60", "acknowledge={E2: so, E3: so, E7: so}")


def counted(record: Record) -> list[int]:
    """In all, in this search, by retrains, in earlier rounds, and how many those are."""
    (said,) = [f.evidence for f in record.findings if (f.check, f.row) == ("validation set", "J8")]
    return [int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", said.partition("In all it was read")[2])]


@pytest.mark.playbook("J8", case="shows")
@pytest.mark.prose
def test_retrains_and_earlier_rounds_count_as_readings_of_the_validation_set(folder: Path) -> None:
    (folder / "own.py").write_text(TRAIN.replace("return 0.05", "return 0.0"))
    table = folder / "table.csv"
    table.write_text("1,2\n")
    (folder / "own.py").write_text((folder / "own.py").read_text().replace("train(trial)", "train(trial, table)"))
    workload = folder / "workload/own.yaml"
    workload.write_text(f"{workload.read_text()}table: {table}\n")
    for notes in ("first", "again"):
        assert main([*arguments(folder, "store", *SHORT), f"notes={notes}", "approval=ask"]) == 0
    first, again = records(folder, "store")
    retrains = sum(t.purpose == "retrain" for t in first.trials)
    assert retrains > 0
    assert counted(first) == [12 * (16 + retrains), 12 * 16, 12 * retrains, 0, 0]
    assert counted(again) == [12 * (len(first.trials) + len(again.trials)), 12 * 16, 12 * (len(again.trials) - 16),
                              12 * len(first.trials), 1]  # fmt: skip
    assert digest(again) == again.digest
    table.write_text("3,4\n")
    assert main([*arguments(folder, "store", *SHORT), "notes=new data", "approval=ask"]) == 0
    assert counted(records(folder, "store")[-1])[-2:] == [0, 0]
