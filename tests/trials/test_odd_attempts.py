"""Odd things that one attempt does, and that must cost that trial at most."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.scope.error import InputError
from tasks.trials.checkpoints import Checkpoints
from tasks.trials.clock import Clock, worked
from tasks.trials.execute import run_trial
from tasks.trials.forkserver import ForkServer
from tasks.trials.runner import MOST_KEPT, Runner
from tasks.trials.trial import MOST_METRICS, Trial
from tests.trials.example_trials import OWN, execution, plan
from tests.trials.test_child_process import alive, gone_in_time, written

PATIENT = Runner(wall_timeout=120)


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """One server for the module."""
    with ForkServer(PATIENT, own=OWN, preload=("tasks.trials.child", "torch")) as server:
        yield server


@pytest.fixture
def attempt(server: ForkServer, tmp_path: Path) -> Callable[..., Trial]:
    """One more attempt at a program of own/resuming.py, in the folder that earlier ones have left."""

    def one(name: str, runner: Runner = PATIENT, folder: str = "t", **arguments: Any) -> Trial:
        wanted = execution(f"resuming.{name}", runner, **arguments)
        return run_trial(plan(name), wanted, server, tmp_path / folder, "cpu")

    return one


@pytest.mark.playbook("E8", case="shows")
def test_an_interruption_gives_no_trial_more_time_than_others_have(attempt: Callable[..., Trial]) -> None:
    runner = Runner(wall_timeout=3.0)
    straight = attempt("works_slowly", runner, "straight", seconds=0.4)
    assert (straight.status, straight.reason) == ("infeasible", "wall timeout: not done after 3 s")
    assert attempt("works_slowly", runner, seconds=0.4, dies_at=6).reason == "killed by SIGKILL"
    resumed = attempt("works_slowly", runner, seconds=0.4, dies_at=6)  # a second is left, of the 3.6 that it needs
    assert (resumed.status, resumed.reason) == ("infeasible", "wall timeout: not done after 3 s")
    assert resumed.seconds > 3.0


def test_work_that_is_done_again_does_not_count_twice(attempt: Callable[..., Trial]) -> None:
    assert attempt("works_slowly", seconds=0.1, dies_at=6).reason == "killed by SIGKILL"
    resumed = attempt("works_slowly", seconds=0.1, dies_at=6)
    assert resumed.status == "complete"
    assert resumed.seconds > 0.9  # nine steps, of which five were another attempt's


def test_the_clock_goes_on_from_the_step_before_and_forgets_what_comes_after(tmp_path: Path) -> None:
    path = tmp_path / "seconds.txt"
    path.write_text("1 10.0\n2 20.0\n3 30.0\n4 4")  # the last one was cut off
    assert worked(path) == 30.0
    clock = Clock(path)
    clock.begin(3)
    assert 20.0 <= clock.seconds < 25.0
    assert worked(path) == 20.0
    clock.note(3)
    assert 20.0 <= worked(path) < 25.0
    Clock(path).begin(0)
    assert worked(path) == 0.0


def test_what_a_trial_forked_away_does_not_keep_its_next_attempt_out(
    attempt: Callable[..., Trial], server: ForkServer, tmp_path: Path
) -> None:
    beside = execution("endings.sleeps", pids=str(tmp_path / "beside"))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_trial, plan(), beside, server, tmp_path / "other", "cpu")
        living = written(tmp_path / "beside")  # while a trial lives, an orphan may be its own, and is left alone
        assert attempt("leaves_a_daemon", mark=str(tmp_path / "mark")).reason == "ConnectionError: lost"
        daemon = int((tmp_path / "mark").read_text())
        again = attempt("leaves_a_daemon", mark=str(tmp_path / "mark"))
        assert (again.status, again.reason) == ("complete", "")
        assert again.seconds < 10.0  # who waits for the folder gives up after 15
        assert gone_in_time(lambda: alive(daemon))
        assert all(alive(pid) for pid in living)
        os.kill(living[0], 9)
        assert waiting.result().reason == "killed by SIGKILL"


def test_a_save_right_after_resuming_keeps_the_report_of_its_step(attempt: Callable[..., Trial]) -> None:
    attempt("saves_first_of_all")
    resumed = attempt("saves_first_of_all")
    assert resumed.status == "complete"
    assert resumed.curve.steps.tolist() == list(range(1, 10))


def test_an_error_without_words_is_named_by_its_type(attempt: Callable[..., Trial]) -> None:
    trial = attempt("speechless")
    assert (trial.status, trial.reason) == ("failed", "Speechless")


def test_too_many_metrics_fail_their_trial_and_as_many_as_allowed_do_not(attempt: Callable[..., Trial]) -> None:
    assert attempt("names_too_much", count=MOST_METRICS).status == "complete"
    trial = attempt("names_too_much", folder="more", count=MOST_METRICS + 1)
    assert trial.status == "failed"
    assert "it has 1001 metrics, and a trial may have 1000" in trial.reason


def test_a_module_that_does_not_fit_into_memory_is_infeasible(attempt: Callable[..., Trial]) -> None:
    trial = attempt("needs_a_module")
    assert trial.status == "infeasible"
    assert trial.reason.startswith("out of memory")


class Tagged(torch.Tensor):
    """A user's own kind of tensor."""


def _with(note: object) -> torch.Tensor:
    tensor = torch.ones(2)
    tensor.note = note  # type: ignore[attr-defined]
    return tensor


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"w": torch.ones(2).as_subclass(Tagged)}, r"state\['w'\] is a .*Tagged"),
        ([_with(Path())], r"state\[0\].note is a pathlib"),
        ({"w": torch.nn.UninitializedParameter()}, "UninitializedParameter"),
    ],
)
def test_a_tensor_that_could_not_be_loaded_is_refused_when_it_is_saved(state: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=said):
        Checkpoints(tmp_path, "t").save(1, state, None)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.nn.Parameter(torch.ones(2)),
        torch.nn.Buffer(torch.ones(2)),
        torch.ones(2, 2).to_sparse(),
        torch.ones(2, dtype=torch.bfloat16),
        torch.ones(2, requires_grad=True),
        _with("a plain value"),
    ],
)
def test_a_tensor_that_is_saved_is_loaded(tensor: torch.Tensor, tmp_path: Path) -> None:
    Checkpoints(tmp_path, "t").save(1, {"w": tensor}, None)
    step, state = Checkpoints(tmp_path, "t").last()
    assert step == 1
    assert type(state["w"]) is type(tensor)
    assert torch.equal(state["w"].to_dense(), tensor.to_dense())


def test_more_checkpoints_than_a_manifest_holds_are_refused() -> None:
    assert Runner(keep_best=MOST_KEPT).keep_best == 1000
    with pytest.raises(InputError, match=r"runner\.keep_best: 1001 will not do; keep at most 1000"):
        Runner(keep_best=MOST_KEPT + 1)
