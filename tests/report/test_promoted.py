"""What was promoted, in values: what changed ahead, in few lines, and lines of Python that load the checkpoint."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tasks.report.promoted import changes_of, checkpoint_sentence, loading_lines, promoted_parts
from tasks.report.terminal import text
from tests.report.example_records import example
from tests.report.promoted_records import CHECKPOINT, COMMAND, promoted_example


@pytest.mark.prose
def test_the_values_that_changed_are_told_with_what_they_were_and_the_command_that_has_all_of_them() -> None:
    lines = [
        "promoted  optimizer = adam (was nesterov), adam.learning_rate = 0.0063 (new),",
        "          nesterov.learning_rate (gone, was 0.05)",
        f"use it    {COMMAND}",
    ]
    shown = text(promoted_example()).splitlines()
    start = shown.index(lines[0])
    assert shown[start : start + 3] == lines


@pytest.mark.parametrize("outcome", ["keep", "retrain", "redesign", "na"])
def test_nothing_is_told_where_nothing_was_promoted(outcome: str) -> None:
    assert not [*promoted_parts(example(outcome), 90)]


def test_a_promotion_of_many_values_takes_five_lines_and_counts_the_rest() -> None:
    record = promoted_example({f"hyperparameter_{i}": 0.1 * i for i in range(1, 20)})
    (_, lines), (_, command) = promoted_parts(record, 90)
    assert len(lines) + len(command) == 5
    assert lines[3] == "and 14 more values"
    assert all(len(line) <= 90 for line in lines)


def test_changed_values_come_before_new_ones_and_what_is_scientific_before_all() -> None:
    changes = changes_of(
        {"a": 1, "new": 2, "same": 3, "arm": "x"}, {"a": 0, "same": 3, "arm": "y", "gone": 4}, ("arm",)
    )
    assert [c.text for c in changes] == ["arm = x (was y)", "a = 1 (was 0)", "new = 2 (new)", "gone (gone, was 4)"]


@pytest.mark.prose
def test_a_checkpoint_says_of_which_training_it_is() -> None:
    selected = CHECKPOINT.model_copy(update={"purpose": "search", "of": 1})
    written = CHECKPOINT.model_copy(update={"program": True, "step": None, "value": None})
    assert checkpoint_sentence(selected, "loss").endswith("was selected (r1), which saw no fresh seed.")
    assert "the program wrote last, in the best of 3 fresh retrains" in checkpoint_sentence(written, "loss")
    assert checkpoint_sentence(None, "loss").startswith("No checkpoint was saved")


@pytest.mark.parametrize("name", ["net.pt", "net.npz", "net.npy", "notes.txt"])
def test_the_lines_that_load_what_a_program_wrote_run_as_they_are(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "net.pt":
        torch.save({"weight": torch.ones(2)}, path)
    elif path.suffix == ".npz":
        np.savez(path, weight=np.ones(2))
    elif path.suffix == ".npy":
        np.save(path, np.ones(2))
    else:
        path.write_text("by hand")
    written = CHECKPOINT.model_copy(update={"file": name, "program": True})
    lines = loading_lines(written, str(path))
    assert len(lines) == 3
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, check=True, timeout=120)
    assert done.stdout
