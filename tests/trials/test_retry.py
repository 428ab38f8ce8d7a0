"""Attempts that follow one another: a cut-off trial goes on where it saved, and a bug is not tried for ever."""

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.scope.error import InputError
from tasks.trials.local import child, reaper
from tasks.trials.local.child import LOCK
from tasks.trials.local.execute import OUT_OF_MEMORY, run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.server_link import ServerClosed
from tasks.trials.retry import account, try_again
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Trial
from tests.trials.example_trials import PATIENT, execution, plan
from tests.trials.local.processes import alive, gone_in_time, written


def curve(trial: Trial) -> list[tuple[int, float]]:
    """`(step, loss)` of every report."""
    return list(zip(*(values.tolist() for values in trial.curve.of("loss")), strict=True))


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.parametrize("dies_at", [1, 2, 5, 9])
def test_a_trial_that_was_cut_off_goes_on_to_the_same_curve_bit_for_bit(
    dies_at: int, attempt: Callable[..., Trial]
) -> None:
    whole = attempt("walks", folder="whole")
    cut = attempt("walks", dies_at=dies_at)
    assert (cut.status, cut.reason) == ("failed", "killed by SIGKILL")
    assert curve(cut) == curve(whole)[: dies_at - 1]
    resumed = attempt("walks", dies_at=dies_at)
    assert resumed.status == "complete"
    assert curve(resumed) == curve(whole)


def test_a_program_that_forgets_its_generator_is_seen_by_its_curve(attempt: Callable[..., Trial]) -> None:
    whole = attempt("walks", folder="whole")
    attempt("walks", dies_at=5, forgets="rng")
    assert curve(attempt("walks", dies_at=5, forgets="rng")) != curve(whole)


def test_a_program_that_does_not_resume_starts_anew_and_no_step_is_there_twice(attempt: Callable[..., Trial]) -> None:
    attempt("walks", dies_at=5, ask=False)
    resumed = attempt("walks", dies_at=5, ask=False)
    assert curve(resumed) == curve(attempt("walks", folder="whole"))


def test_a_program_that_resumes_by_itself_keeps_what_it_had_reported_before(attempt: Callable[..., Trial]) -> None:
    assert curve(attempt("numbers_on")) == [(1, 11.0), (2, 12.0), (3, 13.0)]
    assert curve(attempt("numbers_on")) == [(1, 11.0), (2, 12.0), (3, 33.0), (4, 34.0), (5, 35.0)]


@pytest.mark.parametrize("harm", ["flip the state", "flip the curve", "shorten the curve"])
def test_a_checkpoint_that_is_damaged_or_lost_its_curve_gives_way_to_the_one_before(
    harm: str, attempt: Callable[..., Trial], tmp_path: Path
) -> None:
    whole = attempt("walks", folder="whole")
    attempt("walks", dies_at=6)
    state, rows = tmp_path / "t" / "checkpoints" / "step_5.pt", tmp_path / "t" / "reports.jsonl"
    if harm == "flip the state":
        state.write_bytes(state.read_bytes()[:-1] + b"!")
    elif harm == "flip the curve":
        rows.write_bytes(rows.read_bytes().replace(b'"step": 5', b'"step": 4'))
    else:
        rows.write_bytes(rows.read_bytes()[:-20])
    resumed = attempt("walks", dies_at=6)
    assert curve(resumed) == curve(whole)


@pytest.mark.prose
def test_silence_is_noticed_and_a_slow_trial_that_reports_is_left_alone(attempt: Callable[..., Trial]) -> None:
    trial = attempt("falls_silent", RunnerSettings(progress_timeout=1))
    assert trial.status == "failed"
    assert trial.reason == "no progress: neither report nor checkpoint nor word for 1 s"
    assert len(curve(trial)) == 8  # two seconds of reports, each within the second that it may be silent


@pytest.mark.prose
def test_memory_beyond_the_limit_is_infeasible_and_within_it_is_not(attempt: Callable[..., Trial]) -> None:
    runner = RunnerSettings(memory=1.0)
    greedy, modest = attempt("allocates", runner, gibibytes=1.5), attempt("allocates", runner, gibibytes=0.1)
    assert greedy.status == "infeasible"
    assert greedy.reason.startswith("out of memory")
    assert modest.status == "complete"


def test_a_process_that_the_kernel_killed_for_memory_is_told_from_one_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = tmp_path / "memory.events"
    monkeypatch.setattr(reaper, "OOM_KILLS", (tmp_path / "none", counts))
    assert reaper.oom_kills() == 0
    counts.write_text("low 0\noom 3\noom_kill 2\n")
    assert reaper.oom_kills() == 2


def test_a_trial_that_is_asked_to_stop_saves_and_goes_on_another_time(tmp_path: Path) -> None:
    wanted = execution("resuming.waits_for_the_notice", PATIENT, mark=str(tmp_path / "mark"))
    with ForkServer(PATIENT) as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_trial, plan(), wanted, server, tmp_path / "t", "cpu")
        (pid,) = written(tmp_path / "mark")
        server.interrupt(30)
        assert isinstance(waiting.exception(timeout=30), ServerClosed)
        assert gone_in_time(lambda: alive(pid))
    with ForkServer(PATIENT) as server:
        resumed = run_trial(plan(), wanted, server, tmp_path / "t", "cpu")
    assert resumed.status == "complete"
    assert resumed.curve.steps.tolist() == [1, 2, 3]


def test_a_trial_that_is_deaf_to_the_notice_is_ended_after_the_grace(tmp_path: Path) -> None:
    wanted = execution("resuming.deaf", PATIENT, mark=str(tmp_path / "mark"))
    with ForkServer(PATIENT) as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_trial, plan(), wanted, server, tmp_path / "t", "cpu")
        (pid,) = written(tmp_path / "mark")
        server.interrupt(0.3)
        assert isinstance(waiting.exception(timeout=30), ServerClosed)
        assert gone_in_time(lambda: alive(pid))


def test_two_attempts_never_write_into_one_folder(
    attempt: Callable[..., Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of a dead coordinator may live for a moment: who comes after waits, and not for ever."""
    (tmp_path / "t").mkdir()
    with (tmp_path / "t" / LOCK).open("w") as stale:
        fcntl.flock(stale, fcntl.LOCK_EX)
        threading.Timer(0.5, lambda: fcntl.flock(stale, fcntl.LOCK_UN)).start()
        assert attempt("walks").status == "complete"
        fcntl.flock(stale, fcntl.LOCK_EX)
        monkeypatch.setattr(child, "_PATIENCE", 0.1)
        assert not child._alone(tmp_path / "t" / LOCK)


def trial(status: str, reason: str, steps: int = 3) -> Trial:
    """A trial that ended so."""
    from tasks.scope.goal import Objective
    from tasks.trials.trial import Curve, ended

    objective = Objective(metric="loss", direction="minimize")
    reports = {step: {"loss": 1.0} for step in range(1, steps + 1)}
    return ended(plan(), Curve.from_reports(reports), objective, status, reason, seconds=1.0)  # type: ignore[arg-type]


@pytest.mark.playbook("E10", case="shows")
def test_bad_luck_is_tried_again_and_a_bug_is_not() -> None:
    runner = RunnerSettings(retries=2, retries_a_round=5)
    crash, other = trial("failed", "killed by SIGKILL"), trial("failed", "killed by SIGSEGV")
    farther = trial("failed", "killed by SIGKILL", steps=4)
    assert try_again(crash, [], 0, runner)
    assert try_again(other, [account(crash)], 1, runner)
    assert try_again(farther, [account(crash)], 1, runner)
    assert not try_again(crash, [account(crash)], 1, runner)  # the same way, at the same step
    assert not try_again(other, [account(crash), account(farther)], 2, runner)  # often enough
    assert not try_again(crash, [], 5, runner)  # a storm
    assert not try_again(trial("complete", ""), [], 0, runner)
    assert not try_again(trial("infeasible", "loss is nan at step 3"), [], 0, runner)
    assert try_again(trial("infeasible", OUT_OF_MEMORY), [], 0, runner)
    assert not try_again(crash, [], 0, RunnerSettings(retries=0))


@pytest.mark.parametrize("field", ["retries", "retries_a_round", "memory", "progress_timeout"])
@pytest.mark.prose
def test_a_limit_that_is_none_is_one_sentence(field: str) -> None:
    wrongs: tuple[Any, ...] = (-1, "many", True, float("nan"))
    for wrong in wrongs:
        with pytest.raises(InputError, match=f"runner.{field}: .* will not do; give a (whole )?number .*"):
            RunnerSettings.model_validate({field: wrong})
    RunnerSettings.model_validate({field: 1})


def test_the_interrupted_child_is_no_longer_there(tmp_path: Path) -> None:
    """SIGTERM to the fork server itself, as a machine that shuts down sends it to all: trials may save first."""
    wanted = execution("resuming.waits_for_the_notice", PATIENT, mark=str(tmp_path / "mark"))
    with ForkServer(PATIENT) as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_trial, plan(), wanted, server, tmp_path / "t", "cpu")
        (pid,) = written(tmp_path / "mark")
        os.kill(server.pid, signal.SIGTERM)
        assert gone_in_time(lambda: alive(pid))
        trial = waiting.result(timeout=60)  # saved, not lost: interrupted, or gone on with by the next server
    steps = trial.curve.steps.tolist()
    assert steps in ([1], [1, 2, 3])
    assert np.isfinite(trial.curve.metrics["loss"]).all()
