"""The fork server: trials outlive neither it nor their coordinator, and a dead one is replaced."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.trials.local.execute import ATTEMPTS, run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.server_link import ServerClosed
from tests.trials.example_trials import OWN, PATIENT, execution, plan
from tests.trials.local.processes import alive, gone_in_time, written


@dataclass(frozen=True)
class Coordinator:
    """A coordinator in a process of its own; `pids`: of each of its trials, (trial, server, sleeper)."""

    process: subprocess.Popen[bytes]
    pids: dict[str, list[int]]


@pytest.fixture
def coordinator(tmp_path: Path) -> Iterator[Coordinator]:
    """Both its trials are under way; whatever a failed test left of it is killed."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, str(Path(OWN) / "coordinator.py"), OWN, str(tmp_path)]
    with subprocess.Popen(command, env=environ) as process:
        pids: dict[str, list[int]] = {}
        try:
            for id in ("a", "b"):
                pids[id] = written(tmp_path / f"{id}.pids")
            yield Coordinator(process, pids)
        finally:
            for pid in (process.pid, *(pid for three in pids.values() for pid in three)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_a_trial_whose_server_died_is_run_again_by_a_new_server(tmp_path: Path) -> None:
    wanted = execution("endings.kills_the_server", once=str(tmp_path / "once"))
    with ForkServer(PATIENT) as server:
        before = server.pid
        trial = run_trial(plan(), wanted, server, tmp_path / "t", "cpu")
        assert server.pid != before
    assert (trial.status, trial.best_value) == ("complete", 0.5)


@pytest.mark.prose
def test_a_trial_that_kills_its_server_every_time_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    with ForkServer(PATIENT) as server:
        guilty = run_trial(plan(), execution("endings.kills_the_server"), server, tmp_path / "guilty", "cpu")
        sound = run_trial(plan(), execution("endings.steady"), server, tmp_path / "sound", "cpu")
    assert guilty.status == "failed"
    assert f"the fork server ended before the trial did, {ATTEMPTS} times in a row" in guilty.reason
    assert sound.status == "complete"


def test_closing_the_server_ends_the_trials_and_frees_those_who_wait(tmp_path: Path) -> None:
    wanted = execution("endings.sleeps", pids=str(tmp_path / "pids"))
    with ThreadPoolExecutor(1) as pool:
        with ForkServer(PATIENT) as server:
            waiting = pool.submit(run_trial, plan(), wanted, server, tmp_path / "t", "cpu")
            pids = written(tmp_path / "pids")
        with pytest.raises(ServerClosed):
            waiting.result(timeout=30)
    assert gone_in_time(lambda: {p for p in pids if alive(p)})
    with pytest.raises(ServerClosed):
        server.run({}, 1)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_coordinator_that_is_killed_leaves_no_process(how: signal.Signals, coordinator: Coordinator) -> None:
    pids = {pid for three in coordinator.pids.values() for pid in three}
    assert len(pids) == 5  # two trials, a sleeper each, and the server
    os.kill(coordinator.process.pid, how)
    coordinator.process.wait()
    assert gone_in_time(lambda: {p for p in pids if alive(p)})


def test_trials_end_with_their_server_even_when_nobody_is_left_to_kill_them(coordinator: Coordinator) -> None:
    """The coordinator cannot act: only the kernel can end the trials."""
    server = coordinator.pids["a"][1]
    os.kill(coordinator.process.pid, signal.SIGSTOP)
    os.kill(server, signal.SIGKILL)
    assert gone_in_time(lambda: {trial for trial, *_ in coordinator.pids.values() if alive(trial)})


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_is_told_to_end_takes_its_trials_and_their_children_along(
    how: signal.Signals, tmp_path: Path
) -> None:
    wanted = execution("endings.sleeps", pids=str(tmp_path / "pids"))
    with ForkServer(PATIENT) as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_trial, plan(), wanted, server, tmp_path / "t", "cpu")
        pids = written(tmp_path / "pids")
        (tmp_path / "pids").unlink()
        os.kill(server.pid, how)
        assert gone_in_time(lambda: {p for p in pids if alive(p)})
        assert not set(written(tmp_path / "pids")) & set(pids)  # the trial runs anew
        server.close()
        assert isinstance(waiting.exception(timeout=30), ServerClosed)
