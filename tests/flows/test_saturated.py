"""A workload's rounds that gain nothing are told so, and nothing else changes for it."""

from pathlib import Path

import pytest

from flows.round import main
from tests.flows.own_round import arguments, records

pytestmark = pytest.mark.usefixtures("undrawn")

# b is worse than a, and the incumbent stands at the optimum
WORSE = 'worth = {"a": 0.7, "b": 1.5}[trial.point["switch"]]'


@pytest.fixture
def exhausted(folder: Path) -> Path:
    """A folder in which nothing is left to gain."""
    program, workload = folder / "own.py", folder / "workload/own.yaml"
    program.write_text(program.read_text().replace('worth = {"a": 1.0, "b": 0.7}[trial.point["switch"]]', WORSE))
    workload.write_text(workload.read_text().replace("x: 0.2, z: 0.8", "x: 0.5, z: 0.5"))
    return folder


@pytest.mark.playbook("B7", case="fires")
@pytest.mark.prose
def test_the_second_round_without_a_gain_says_that_tuning_has_likely_saturated(exhausted: Path) -> None:
    more = ("acknowledge={E7: planted, E2: planted}", "budget.trials=6", "policy.saturation_rounds=2")
    assert main(arguments(exhausted, "store", *more)) == 0
    assert main(arguments(exhausted, "store", *more, "notes=again")) == 0
    first, second = sorted(records(exhausted, "store"), key=lambda record: record.notes)
    assert not any("saturated" in said for said in first.learned)
    assert [said for said in second.learned if said.startswith("Tuning has likely saturated (B7): in the last 2")]
