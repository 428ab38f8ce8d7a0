"""The audit of a resumption: programs that go on well, nearly, and not at all, and that each is told what it is."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.scope.error import InputError
from tasks.trials.checkpoints.likeness import gap, unlike
from tasks.trials.checkpoints.resumption import Resumption, Stage, audit_resumption
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Curve
from tests.trials.command.programs import SAY
from tests.trials.example_trials import OWN, execution, plan

Audit = Callable[..., Resumption]


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """One server for the module."""
    preload = ("tasks.trials.local.child", "tasks.trials.command.program", "torch")
    with ForkServer(RunnerSettings(), preload=preload) as server:
        yield server


@pytest.fixture
def audit(server: ForkServer, tmp_path: Path) -> Audit:
    """The audit of a program of own/rehearsed.py, or of another target, with that many steps."""

    def one(target: str, steps: int = 8, every: int = 2, own: str = OWN, **arguments: Any) -> Resumption:
        wanted = execution(target, RunnerSettings(wall_timeout=60), own=own, **arguments)
        stage = Stage(
            planned=plan().model_copy(update={"max_train_steps": steps, "eval_every_steps": every}),
            execution=wanted,
            folder=tmp_path,
            run=lambda planned, execution, folder: run_trial(planned, execution, server, folder, "cpu"),
        )
        return audit_resumption(stage)

    return one


@pytest.mark.playbook("J12", case="silent")
@pytest.mark.prose
def test_a_program_that_saves_all_and_puts_all_back_is_identical(audit: Audit) -> None:
    found = audit("rehearsed.descends")
    assert (found.outcome, found.steps, found.cut) == ("identical", 8, "right after the checkpoint of step 4")
    assert found.evidence == "2 evaluations of 2 metrics after the cut and the last checkpoint are equal bit for bit"


@pytest.mark.playbook("J12", case="fires")
@pytest.mark.parametrize("forgets", ["generator", "velocity", "updates", "position", "average"])
@pytest.mark.prose
def test_whatever_a_program_forgets_of_its_state_is_noticed(forgets: str, audit: Audit) -> None:
    found = audit("rehearsed.descends", forgets=forgets)
    assert found.outcome == "broken"
    assert "it holds weight, velocity, updates, average, position, generator" in found.evidence
    assert "of the way that " in found.evidence


WRONG = {
    "never asks": "it saves, but never resumes: it starts at step 0 again",
    "ignores it": "it calls trial.resume(), and starts at step 0 again all the same",
    "never saves": "there is nothing to resume from: it never calls trial.save",
    "saves at its end": "there is nothing to resume from: it calls trial.save at its end alone",
    "saves first": "gone on with, it lacks the evaluations of steps 4; report a step before you save it",
    "cannot load": "gone on with, it is failed: KeyError: 'optimizer'",
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.prose
def test_a_program_that_does_not_go_on_is_told_why(how: str, audit: Audit) -> None:
    found = audit("rehearsed.plain", how=how)
    assert found.evidence[: len(WRONG[how])] == WRONG[how]
    assert found.outcome == "broken"


@pytest.mark.prose
def test_a_program_that_saves_seldom_is_rehearsed_for_as_long_as_it_takes(audit: Audit) -> None:
    found = audit("rehearsed.plain", steps=12, every=1, how="saves late")
    assert (found.outcome, found.steps, found.cut) == ("identical", 12, "right after the checkpoint of step 10")


@pytest.mark.prose
def test_rounding_is_close_and_the_numbers_are_said(audit: Audit) -> None:
    found = audit("rehearsed.descends", single=True)
    assert found.outcome == "close"
    assert "it differs from the straight run from step 6 on, by at most " in found.evidence
    assert "(0.001 is taken for rounding)" in found.evidence


@pytest.mark.prose
def test_equal_curves_with_another_checkpoint_are_close(audit: Audit) -> None:
    found = audit("rehearsed.plain", how="counts its lives")
    assert (found.outcome, found.evidence.endswith("the last checkpoints differ in lives")) == ("close", True)


@pytest.mark.prose
def test_a_program_that_is_not_deterministic_is_told_so_and_judged_by_what_equal_runs_differ_by(audit: Audit) -> None:
    found = audit("rehearsed.descends", noise=0.1)
    assert found.outcome == "close"
    assert found.evidence.startswith("not deterministic: two equal runs differ by 0.0")
    assert "so a resume cannot be judged finer than that; gone on with, it differs by 0.0" in found.evidence


@pytest.mark.prose
def test_what_is_forgotten_is_seen_through_the_noise_of_the_machine(audit: Audit) -> None:
    found = audit("rehearsed.descends", noise=1e-4, forgets="velocity")
    assert found.outcome == "broken"
    assert "which is more than 10 times that; likely missing" in found.evidence


@pytest.mark.prose
def test_a_metric_that_no_two_runs_agree_on_is_left_out(audit: Audit) -> None:
    found = audit("rehearsed.descends", clock=True)
    assert found.outcome == "identical"
    assert "of 2 metrics after the cut (without seconds, in which straight runs differ too)" in found.evidence


@pytest.mark.prose
def test_a_trial_that_fails_by_itself_is_no_question_of_resumption(audit: Audit) -> None:
    with pytest.raises(InputError, match="the trial is failed: ValueError: shapes do not match"):
        audit("rehearsed.breaks")


LOOP = """
step=0; [ $TUNEBOOK_RESUMED = 1 ] && step=$(cat "$TUNEBOOK_CHECKPOINTS/step" 2>/dev/null || echo 0)
while [ $step -lt $TUNEBOOK_MAX_TRAIN_STEPS ]; do
    step=$((step + 1)); say $step 0.$step; SAVE; REST
done
"""
SAVE = 'echo $step > "$TUNEBOOK_CHECKPOINTS/new" && mv "$TUNEBOOK_CHECKPOINTS/new" "$TUNEBOOK_CHECKPOINTS/step"'
PROGRAMS = {
    "goes_on": (SAVE, "sleep 0.1", "identical", "2 evaluations of 1 metrics after the cut are equal bit for bit"),
    "saves_nothing": ("true", "sleep 0.1", "broken", "it leaves nothing in the folder of TUNEBOOK_CHECKPOINTS"),
    "saves_elsewhere": (
        SAVE.replace("/step", "/other"), "sleep 0.1", "broken",
        "it does not go on from what it left in the folder of TUNEBOOK_CHECKPOINTS, and begins anew",
    ),
    "is_over": (SAVE, "true", "uncut", "it was over before it could be cut off"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.prose
def test_a_program_in_another_language_is_judged_by_what_it_reports(name: str, audit: Audit, tmp_path: Path) -> None:
    save, rest, outcome, evidence = PROGRAMS[name]
    (tmp_path / "p.sh").write_text(SAY + LOOP.replace("SAVE", save).replace("REST", rest))
    found = audit("tasks.trials.command", steps=4, every=1, own=str(tmp_path), argv=["sh", "p.sh"])
    assert (found.outcome, found.evidence[: len(evidence)]) == (outcome, evidence)


def test_gaps_are_of_common_steps_and_know_what_is_no_number() -> None:
    one = Curve.from_reports({1: {"a": 0.0}, 2: {"a": 4.0, "b": math.nan}, 3: {"a": 2.0}})
    other = Curve.from_reports({1: {"a": 0.0}, 2: {"a": 3.0}, 3: {"a": 2.5}, 4: {"a": 9.0}})
    found = gap(one, other, "a")
    assert (found.size, found.share, found.step, found.first) == (1.0, 0.25, 2, 2)
    assert gap(one, other, "a", since=3).size == 0.5
    assert gap(one, other, "a", until=2).size == gap(one, other, "b").size == 0
    assert gap(one, Curve.from_reports({3: {"a": math.nan}}), "a").size == math.inf


def test_states_are_unlike_where_a_bit_a_type_or_a_name_is() -> None:
    one: dict[str, Any] = {"w": torch.tensor([0.0, math.nan]), "o": {"n": 1, "x": [math.nan, 0.0]}}
    assert list(unlike(one, {"w": torch.tensor([0.0, math.nan]), "o": {"n": 1, "x": [math.nan, 0.0]}})) == []
    assert list(unlike(one, {"w": torch.tensor([-0.0, math.nan]), "o": {"n": True, "x": [math.nan, -0.0]}})) == [
        *("w", "o.n", "o.x.1")
    ]
    assert list(unlike(one, {"w": one["w"].double(), "o": {"n": 1}})) == ["w", "o"]
