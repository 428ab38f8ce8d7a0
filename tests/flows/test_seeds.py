"""A round whose program draws from a seed of its own is refused; one that says it is deterministic is compared."""

from pathlib import Path

import pytest

from flows.round import main
from tasks.record import Record
from tests.flows.own_round import records, write_folder

pytestmark = pytest.mark.usefixtures("undrawn")

PROGRAM = """
import math, random

def train(trial):
    noise = random.Random({seed})
    worth = {{"a": 1.0, "b": 0.9}}[trial.point["switch"]] + 0.003 * noise.gauss(0, 1)
    loss = worth + 0.1 * math.log10(trial.point["rate"] / 1e-3) ** 2
    for step in range(10, trial.max_train_steps + 1, 10):
        trial.report(step, loss=loss + math.exp(-step / 10), train_loss=loss + math.exp(-step / 10))
"""
FILES = {
    "space/own.yaml": "rate: {low: 1e-5, high: 1e-1, scale: log}\nswitch: {choices: [a, b]}\n",
    "workload/own.yaml": "_target_: own.train\nobjective: {metric: loss, direction: minimize}\n"
    "baseline: {rate: 1e-3, switch: a}\n",
}


def ran(tmp_path: Path, seed: str, *more: str) -> Record:
    """A round of the program that draws from this seed."""
    folder = write_folder(tmp_path / "own")
    for name, text in {**FILES, "own.py": PROGRAM.format(seed=seed)}.items():
        (folder / name).write_text(text)
    said = ["--config-dir", str(folder), "workload=own", "space=own", "goal=own", "orchestrate=off", "runner.workers=2"]
    said += ["budget.trials=12", "budget.retrains=5", "budget.max_train_steps=100", "budget.eval_every_steps=10"]
    assert main([*said, "tracking.enabled=false", f"tracking.root={tmp_path / 'store'}", *more]) == 0
    return records(folder, "store")[-1]


@pytest.mark.playbook("G2", case="fires")
def test_a_seed_of_the_programs_own_is_found_after_two_retrains_an_arm(tmp_path: Path) -> None:
    record = ran(tmp_path, "0")
    assert (record.verdict.outcome, record.verdict.reason) == ("redesign", "blocked")
    assert [f.reason for f in record.findings if f.level == "fail"] == ["seed_ignored"]
    assert record.gate is not None
    assert {len(arm.trials) for arm in record.gate.arms} == {2}
    assert not (tmp_path / "own" / "incumbent").exists()


@pytest.mark.playbook("G2", case="silent")
def test_the_trials_seed_is_noise_that_the_gate_can_measure(tmp_path: Path) -> None:
    record = ran(tmp_path, "trial.seed")
    assert record.verdict.outcome == "promote"
    assert [f.reason for f in record.findings if f.row == "G2"] == ["seeds_differ"]


@pytest.mark.playbook("G2", case="shows")
def test_a_program_that_says_it_is_deterministic_is_compared_without_an_error_rate(tmp_path: Path) -> None:
    record = ran(tmp_path, "0", "workload.deterministic=true")
    assert (record.verdict.outcome, record.verdict.error_rate) == ("promote", None)
    assert record.gate is not None
    assert record.gate.deterministic
    assert {len(arm.trials) for arm in record.gate.arms} == {1}
