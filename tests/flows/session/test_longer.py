"""A round of more steps than the last one of its goal says whether the shorter one's order of points holds."""

from pathlib import Path

import pytest

from flows.round import main
from tests.flows.own_round import TRAIN, arguments, records

pytestmark = pytest.mark.usefixtures("undrawn")
SHORT = ("budget.trials=4", "budget.retrains=2", "budget.max_train_steps=20", "space.x.high=1.0")


@pytest.mark.playbook("H11", case="fires")
@pytest.mark.playbook("H11", case="silent")
@pytest.mark.prose
def test_a_longer_round_of_the_goal_names_the_shorter_one_and_an_equal_one_does_not(folder: Path) -> None:
    (folder / "own.py").write_text(TRAIN.replace("return 0.05", "return 0.0"))
    told: dict[str, list[str]] = {}
    for notes, more in (
        ("first", ()),
        ("equal", ()),
        ("longer", ("budget.max_train_steps=40",)),
        ("elsewhere", ("budget.max_train_steps=60", "seed=7")),
    ):
        main([*arguments(folder, "store", *SHORT), f"notes={notes}", *more])
        record = records(folder, "store")[-1]
        assert record.notes == notes
        told[notes] = [c for c in record.caveats if "(H11" in c]
    assert (told["first"], told["equal"]) == ([], [])
    (longer,) = told["longer"]
    assert "What 20 steps said holds at 40: the order of 8 points" in longer
    assert "history lengths own-" in longer
    (elsewhere,) = told["elsewhere"]
    assert "trained 40 steps, this one 60, at other points" in elsewhere
