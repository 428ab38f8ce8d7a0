"""The example folders: the command in each header runs a round to a verdict, and their programs go on when cut."""

import os
import shlex
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from flows.compose.config import CONF
from flows.round import main
from tasks.record import Record
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Trial
from tests.trials.example_trials import execution, plan

EXAMPLES = CONF.parent / "docs" / "examples"
SMALL = ("budget.retrains=2", "budget.max_train_steps=60", "budget.eval_every_steps=20", "tracking.enabled=false")


def header(name: str) -> list[str]:
    """The command of the header of an example's workload, as a shell takes it apart."""
    (workload,) = (EXAMPLES / name / "workload").glob("*.yaml")
    (line,) = (line for line in workload.read_text().splitlines() if "tunebook round" in line)
    words = shlex.split(line.removeprefix("#"))
    assert words[:3] == ["tunebook", "round", "--config-dir"]
    return words[2:]


@pytest.mark.parametrize(("name", "trials"), [("awk", 12), ("pytorch", 2), ("mlflow", 2)])
def test_the_command_in_the_header_of_an_example_runs_a_round_to_a_verdict(
    name: str, trials: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(EXAMPLES / name, tmp_path / "docs" / "examples" / name)  # what is promoted stands beside it
    monkeypatch.chdir(tmp_path)
    assert main([*header(name), *SMALL, f"budget.trials={trials}", f"tracking.root={tmp_path}"]) == 0
    (path,) = tmp_path.glob("records/*/record.json")
    record = Record.model_validate_json(path.read_text())
    assert record.verdict.outcome in ("promote", "keep", "retrain", "redesign")
    assert f"verdict   {record.verdict.outcome}" in capsys.readouterr().out
    searched = [t for t in record.trials if t.purpose == "search"]
    assert [(t.status, t.reason, t.steps_done) for t in searched] == [("complete", "", 60)] * 2 * trials
    assert len({t.best_value for t in searched}) > trials


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("workload.argv=[no-such-program]", "workload.argv[0]: no-such-program is no program"),
        ("workload.argv='python train.py'", "workload.argv: 'python train.py' is no list"),
        ("workload.argv=[awk,'{learning_rat}']", "{learning_rat} is no hyperparameter"),
        ("workload.argv=[awk,'{momentum.one_minus}']", "{momentum.one_minus} does not exist at every point"),
        ("+workload.metrics=wandb", "workload.metrics: 'wandb' is unknown"),
    ],
)
@pytest.mark.prose
def test_a_program_that_cannot_be_started_is_one_sentence_and_exit_2_before_any_round(
    said: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(EXAMPLES / "awk", tmp_path / "docs" / "examples" / "awk")  # what is promoted stands beside it
    monkeypatch.chdir(tmp_path)
    assert main([*header("awk"), said, f"tracking.root={tmp_path}"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.glob("records/*"))


def killed_after_two_lines(metrics: Path) -> None:
    """SIGKILL for the program that writes this file, as soon as two lines of it are there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if metrics.is_file() and metrics.read_bytes().count(b"\n") >= 2:
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                if str(metrics).encode() in line.read_bytes().split(b"\0"):
                    os.kill(int(line.parent.name), signal.SIGKILL)
                    return
        time.sleep(0.005)
    raise AssertionError("the program never got that far")


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.prose
def test_the_pytorch_example_goes_on_from_its_own_checkpoint_to_an_equal_curve(tmp_path: Path) -> None:
    own = EXAMPLES / "pytorch"
    tree = OmegaConf.to_container(OmegaConf.load(own / "workload" / "spirals.yaml"))
    assert isinstance(tree, dict)
    wanted = execution("tasks.trials.command", own=str(own), metric="valid_error", argv=tree["argv"])
    planned = plan("t", {"learning_rate": 0.1, "activation": "relu"}).model_copy(
        update={"max_train_steps": 600, "eval_every_steps": 20}
    )

    with ForkServer(RunnerSettings()) as server, ThreadPoolExecutor(1) as pool:

        def run(folder: str) -> Trial:
            return run_trial(planned, wanted, server, tmp_path / folder, "cpu")

        first = pool.submit(run, "cut")
        killed_after_two_lines(tmp_path / "cut" / "work" / "tunebook.jsonl")
        cut = first.result(60)
        assert (cut.status, cut.reason) == ("failed", "ProgramFailed: killed by SIGKILL")
        assert 2 <= len(cut.curve) < 30
        second, whole = run("cut"), run("whole")
    assert (second.status, whole.status) == ("complete", "complete")
    assert second.curve.steps.tolist() == whole.curve.steps.tolist() == list(range(20, 601, 20))
    for name, values in whole.curve.metrics.items():
        assert second.curve.metrics[name].tobytes() == np.asarray(values).tobytes(), name
