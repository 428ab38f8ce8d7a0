"""`check=resume`: its answer is printed, bad news ends the command, and nothing is left of it."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch  # so that the process that forks trials has it too, and no trial must import it

from flows.compose.config import CONF
from flows.round import main

EXAMPLES = CONF.parent / "docs" / "examples"
TRAIN = """
import random

def train(trial, forgets=False, saves=True):
    draw = random.Random(trial.seed)
    level = trial.point["x"]
    step, state = trial.resume()
    if state is not None:
        level = state["level"]
        if not forgets:
            kind, words, gauss = state["random"]
            draw.setstate((kind, tuple(words), gauss))
    while step < trial.max_train_steps:
        step += 1
        level += draw.gauss(0, 0.1)
        trial.report(step, loss=level)
        if saves:
            kind, words, gauss = draw.getstate()
            trial.save(step, {"level": level, "random": [kind, list(words), gauss]})
"""
WORKLOAD = """
_target_: walk.train
forgets: false
saves: true
objective: {metric: loss, direction: minimize}
baseline: {x: 0.2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A user's folder."""
    files = {
        "workload/walk.yaml": WORKLOAD,
        "space/walk.yaml": "x: {low: 0.0, high: 1.0}\ny: {low: 0.0, high: 1.0}\n",
        "goal/walk.yaml": "question: Where to begin?\nkind: understand\nscientific: {x: range}\n",
        "walk.py": TRAIN,
    }
    for name, text in files.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield tmp_path / "mine"
    sys.modules.pop("walk", None)
    sys.path[:] = [p for p in sys.path if p != str(tmp_path / "mine")]


@pytest.fixture
def check(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What the command says, once it has ended as it should and left nothing behind."""
    assert torch.__version__
    place = folder.parent / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    store = folder.parent / "store"

    def one(*words: str, mine: Path = folder, code: int = 0) -> str:
        said = ["--config-dir", str(mine), *words, f"tracking.root={store}", "check=resume"]
        assert main(said) == code
        assert list(place.glob("tunebook-*")) == []
        assert not store.exists()
        printed = capsys.readouterr()
        return printed.err if code else printed.out

    return one


MINE = ("workload=walk", "space=walk", "goal=walk", "budget.max_train_steps=8", "budget.eval_every_steps=1")


@pytest.mark.playbook("J12", case="silent")
@pytest.mark.prose
def test_a_program_that_goes_on_is_told_so_and_how_to_begin(folder: Path, check: Callable[..., str]) -> None:
    said = check(*MINE, "seed=3").splitlines()
    assert said[0] == (
        "rehearsed  a trial of 4 steps, straight twice and once cut off right after the checkpoint of step 2 (J12)"
    )
    assert said[1] == "at         generation 0, seed 3: x=0.2, y=0.5"
    assert said[2].startswith("identical  2 evaluations of 1 metrics after the cut and the last checkpoint are equal")
    assert said[3].startswith(f"next       python -m flows.round --config-dir {folder} workload=walk")
    assert "check=" not in said[3]


@pytest.mark.playbook("J12", case="fires")
@pytest.mark.prose
def test_a_program_that_does_not_go_on_ends_the_command_as_bad_input_does(check: Callable[..., str]) -> None:
    said = check(*MINE, "workload.forgets=true", code=2)
    assert said.startswith("error: check=resume: broken, cut off right after the checkpoint of step 2: it differs from")
    assert "likely missing in its checkpoint (it holds level, random), or not put back: the random generators" in said
    assert said.count("\n") == 1
    said = check(*MINE, "workload.saves=false", code=2)
    assert "there is nothing to resume from: it never calls trial.save" in said


@pytest.mark.prose
def test_a_program_that_logs_to_mlflow_cannot_be_asked(check: Callable[..., str]) -> None:
    words = ("workload=logistic", "space=logistic", "goal=decay")
    assert "read only when it has ended" in check(*words, mine=EXAMPLES / "mlflow", code=2)


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.prose
def test_the_training_loop_of_the_house_goes_on_identically(check: Callable[..., str]) -> None:
    said = check("workload=digits", "goal=optimizer", "budget=quick", "workload.baseline.regularizer=dropout")
    assert "dropout.rate=0.2" in said
    assert "identical  2 evaluations of 14 metrics after the cut and the last checkpoint are equal bit for bit" in said


@pytest.mark.prose
def test_the_example_of_a_program_of_its_own_goes_on_identically(check: Callable[..., str]) -> None:
    said = check("workload=spirals", "space=spirals", "goal=activation", mine=EXAMPLES / "pytorch")
    assert "right after the report of step" in said
    assert "\nidentical  " in said
    assert "of 2 metrics after the cut are equal bit for bit" in said  # it goes on for a moment before it is killed
