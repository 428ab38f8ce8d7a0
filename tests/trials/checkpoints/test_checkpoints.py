"""Checkpoints: what was saved is loaded, kept by age and by loss, and a damaged one is never the last."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.scope.goal import Objective
from tasks.trials.checkpoints.checkpoints import MANIFEST, Checkpoints
from tasks.trials.local.child import CHECKPOINTS, Folder
from tasks.trials.running import RunningTrial
from tests.trials.checkpoints.saved import flip, saved


@pytest.mark.playbook("J12", case="shows")
def test_what_was_saved_is_what_is_loaded_by_another_process_of_the_same_trial(tmp_path: Path) -> None:
    saved(tmp_path, 0.5, 0.4)
    step, found = Checkpoints(tmp_path, "t").last()
    assert step == found["step"] == 2
    assert torch.equal(found["model"]["w"], torch.full((3,), 2.0))
    assert found["order"] == [1, 2.5, None, ("a", True)]


@pytest.mark.playbook("J10", case="shows")
@pytest.mark.prose
def test_the_last_two_and_the_best_are_kept_and_the_files_of_the_others_go(tmp_path: Path) -> None:
    kept = saved(tmp_path, 0.5, 0.1, 0.3, 0.1, 0.4, None, keep_best=1)
    assert kept.steps == (2, 5, 6)  # of the two best, the earlier
    assert kept.best()[0] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [MANIFEST, "step_2.pt", "step_5.pt", "step_6.pt"]
    assert kept.load(5)["step"] == 5
    with pytest.raises(LookupError, match=r"no sound checkpoint of step 3; kept: 2, 5, 6"):
        kept.load(3)


@pytest.mark.playbook("J10", case="shows")
def test_the_best_is_kept_of_a_program_that_saves_before_it_reports(tmp_path: Path) -> None:
    objective = Objective(metric="top1", direction="maximize")
    sink = Folder(tmp_path, "t", 1, math.inf, objective)
    trial = RunningTrial(point={}, seed=0, max_train_steps=60, eval_every_steps=10, objective=objective, sink=sink)
    for step, value in zip(range(10, 70, 10), (0.2, 0.9, 0.7, 0.6, 0.5, 0.4), strict=True):
        trial.save(step, {"at": step})
        trial.report(step, top1=value)
    kept = Checkpoints(tmp_path / CHECKPOINTS, "t")
    assert kept.steps == (20, 50, 60)
    assert kept.best() == (20, {"at": 20})
    sink.reports.close()


@given(st.lists(st.one_of(st.none(), st.sampled_from([0.1, 0.2, 0.3])), min_size=1, max_size=8), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_the_best_of_all_that_was_saved_is_always_among_those_kept(losses: list[float | None], keep_best: int) -> None:
    kept = Checkpoints(Path("unused"), "t", keep_best)
    entries: list[dict[str, Any]] = []
    for step, loss in enumerate(losses):
        entries = kept._kept([*entries, {"step": step, "loss": loss}])
    scored = sorted((loss, step) for step, loss in enumerate(losses) if loss is not None)
    wanted = {step for _, step in scored[:keep_best]} | set(range(len(losses))[-2:])
    assert {e["step"] for e in entries} == wanted


def test_a_loss_that_is_not_a_number_is_never_the_best(tmp_path: Path) -> None:
    kept = saved(tmp_path, 0.5, float("nan"), float("-inf"), 0.6)
    assert kept.best()[0] == 1
    assert "NaN" not in (tmp_path / MANIFEST).read_text()


def test_without_checkpoints_there_is_nothing_to_go_on_from_and_no_folder_is_made(tmp_path: Path) -> None:
    none = Checkpoints(tmp_path / "none", "t")
    assert none.last() == none.best() == (0, None)
    assert not (tmp_path / "none").exists()


def test_when_every_checkpoint_is_damaged_the_trial_starts_anew(tmp_path: Path) -> None:
    saved(tmp_path, 0.5, 0.4)
    for path in tmp_path.glob("*.pt"):
        flip(path, 7)
    assert Checkpoints(tmp_path, "t").last() == (0, None)
