"""What a saved state tells of its trial is kept of each evaluation, within bounds, and nothing else is believed."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.trials.checkpoints.told import (
    EXAMPLES,
    MOST_BYTES,
    PREDICTIONS,
    UPDATE_RULE,
    note_told,
    predictions_in,
    update_rule_in,
)

LABELS = torch.tensor([0, 1, 2])


def state(predicted: Any, **more: Any) -> dict[str, Any]:
    """What a training loop saves."""
    return {"model": {}, "predictions": {"target": LABELS, "predicted": predicted, **more}}


@pytest.mark.playbook("J7", case="shows")
def test_each_evaluation_keeps_its_predictions_although_its_checkpoint_is_dropped(tmp_path: Path) -> None:
    note_told(tmp_path, 10, state(torch.tensor([0, 0, 0]), confidence=torch.tensor([0.5, 0.25, 0.125])))
    note_told(tmp_path, 20, state([0, 1, 1], confidence=[1.0, 0.5, 0.75]))
    found = predictions_in(tmp_path, {10, 20})
    assert [row["predicted"] for row in found.values()] == [[0, 0, 0], [0, 1, 1]]
    assert found[10]["confidence"] == [0.5, 0.25, 0.125]
    assert found[20]["target"] == [0, 1, 2]


@pytest.mark.playbook("J7", case="shows")
def test_another_attempt_says_it_again_and_steps_that_were_not_evaluated_do_not_count(tmp_path: Path) -> None:
    for step, predicted in ((10, [0, 0, 0]), (20, [1, 1, 1]), (25, [2, 2, 2]), (20, [0, 1, 1])):
        note_told(tmp_path, step, state(predicted))
    with (tmp_path / PREDICTIONS).open("a") as file:
        file.write('{"step": 10, "target": [0, 1')  # the kernel was killed here
    found = predictions_in(tmp_path, {10, 20})
    assert {step: row["predicted"] for step, row in found.items()} == {10: [0, 0, 0], 20: [0, 1, 1]}
    assert "confidence" not in found[20]


def test_only_the_first_examples_and_so_many_bytes_are_kept(tmp_path: Path) -> None:
    many = list(range(1000))
    for step in range(1, 40):
        note_told(tmp_path, step, {"predictions": {"target": many, "predicted": many}})
    found = predictions_in(tmp_path, {1})
    assert len(found[1]["target"]) == EXAMPLES
    (tmp_path / PREDICTIONS).write_bytes(b"\n" * MOST_BYTES)
    note_told(tmp_path, 41, {"predictions": {"target": many, "predicted": many}})
    assert (tmp_path / PREDICTIONS).stat().st_size == MOST_BYTES


@pytest.mark.parametrize(
    "told",
    [
        None,
        [1, 2],
        {},
        {"predictions": torch.zeros(3)},
        {"predictions": {"target": LABELS}},
        {"predictions": {"target": LABELS, "predicted": torch.zeros(3, 10)}},
        {"predictions": {"target": [0, 1], "predicted": [0]}},
        {"predictions": {"target": "abc", "predicted": "abc"}},
        {"predictions": {"target": [object()], "predicted": [1]}},
        {"predictions": {"target": [0.5], "predicted": [math.nan]}},
        {"update_rule": "torch.optim.SGD"},
        {"update_rule": {"version": "2"}},
    ],
)
def test_what_is_something_else_under_these_names_is_left_alone(told: Any, tmp_path: Path) -> None:
    note_told(tmp_path, 1, told)
    assert list(tmp_path.iterdir()) == []
    assert predictions_in(tmp_path, {1}) == {}
    assert update_rule_in(tmp_path) == {}


@pytest.mark.playbook("J20", case="shows")
def test_a_program_of_ones_own_can_say_which_update_rule_it_ran(tmp_path: Path) -> None:
    rule = {"implementation": "own.Lion", "version": "1", "options": {"beta": 0.9, "odd": [1]}, "rule": {"sign": "yes"}}
    note_told(tmp_path, 1, {"update_rule": rule})
    note_told(tmp_path, 2, {"update_rule": {"implementation": "another"}})
    found = update_rule_in(tmp_path)
    assert found == {"implementation": "own.Lion", "version": "1", "options": {"beta": 0.9}, "rule": {"sign": "yes"}}
    (tmp_path / UPDATE_RULE).write_text(json.dumps([1]))
    assert update_rule_in(tmp_path) == {}
