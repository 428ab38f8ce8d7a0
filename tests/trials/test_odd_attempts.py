"""Odd things that one attempt does, and that must cost that trial at most."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.scope.error import InputError
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.local.clock import Clock, worked
from tasks.trials.settings import MOST_KEPT, RunnerSettings
from tasks.trials.trial import MOST_METRICS, Trial


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.prose
def test_an_interruption_gives_no_trial_more_time_than_others_have(attempt: Callable[..., Trial]) -> None:
    runner = RunnerSettings(wall_timeout=3.0)
    straight = attempt("works_slowly", runner, "straight", seconds=0.4)
    assert (straight.status, straight.reason) == ("infeasible", "wall timeout: not done after 3 s")
    assert attempt("works_slowly", runner, seconds=0.4, dies_at=6).reason == "killed by SIGKILL"
    resumed = attempt("works_slowly", runner, seconds=0.4, dies_at=6)  # a second is left, of the 3.6 that it needs
    assert (resumed.status, resumed.reason) == ("infeasible", "wall timeout: not done after 3 s")
    assert resumed.seconds > 3.0


@pytest.mark.prose
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


def test_a_save_right_after_resuming_keeps_the_report_of_its_step_and_its_loss(
    attempt: Callable[..., Trial], tmp_path: Path
) -> None:
    attempt("saves_first_of_all")
    resumed = attempt("saves_first_of_all")
    assert resumed.status == "complete"
    assert resumed.curve.steps.tolist() == list(range(1, 10))
    assert Checkpoints(tmp_path / "t" / "checkpoints", "saves_first_of_all").best()[0] == 3


def test_an_error_without_words_is_named_by_its_type(attempt: Callable[..., Trial]) -> None:
    trial = attempt("speechless")
    assert (trial.status, trial.reason) == ("failed", "Speechless")
    assert attempt("leaves_without_words").reason == "called sys.exit()"


@pytest.mark.prose
def test_too_many_metrics_fail_their_trial_and_as_many_as_allowed_do_not(attempt: Callable[..., Trial]) -> None:
    assert attempt("names_too_much", count=MOST_METRICS).status == "complete"
    trial = attempt("names_too_much", folder="more", count=MOST_METRICS + 1)
    assert trial.status == "failed"
    assert "it has 1001 metrics, and a trial may have 1000" in trial.reason


@pytest.mark.prose
def test_a_module_that_does_not_fit_into_memory_is_infeasible(attempt: Callable[..., Trial]) -> None:
    trial = attempt("needs_a_module")
    assert trial.status == "infeasible"
    assert trial.reason.startswith("out of memory")


@pytest.mark.prose
def test_more_checkpoints_than_a_manifest_holds_are_refused() -> None:
    assert RunnerSettings(keep_best=MOST_KEPT).keep_best == 1000
    with pytest.raises(InputError, match=r"runner\.keep_best: 1001 will not do; keep at most 1000"):
        RunnerSettings(keep_best=MOST_KEPT + 1)
