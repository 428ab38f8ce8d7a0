"""What an attempt left running in a session of its own: it is ended before the next one begins, and nothing else is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.trials.local.child import LOCK
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.leftovers import MARK, end_leftovers
from tests.trials.example_trials import PATIENT, execution, plan
from tests.trials.local.processes import alive, gone_in_time, written

HOLDS = "import sys, time; held = open(sys.argv[1]); print(flush=True); time.sleep(600)"


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.parametrize("how", ["fork", "program"])
@pytest.mark.prose
def test_a_daemon_of_an_attempt_that_died_neither_keeps_the_folder_nor_writes_beside_the_next_one(
    how: str, tmp_path: Path
) -> None:
    """Others run all the while, so that the server cannot tell whose the orphan is."""
    beside = execution("endings.sleeps", PATIENT, pids=str(tmp_path / "beside"))
    wanted = execution("resuming.leaves_a_daemon", PATIENT, pid=str(tmp_path / "pid"), how=how)
    with ForkServer(PATIENT) as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_trial, plan("b"), beside, server, tmp_path / "b", "cpu")
        living = written(tmp_path / "beside")
        first = run_trial(plan(), wanted, server, tmp_path / "t", "cpu")
        (daemon,) = written(tmp_path / "pid")
        assert (first.reason, alive(daemon)) == ("killed by SIGKILL", True)
        second = run_trial(plan(), wanted, server, tmp_path / "t", "cpu")
        assert (second.status, second.reason) == ("complete", "")
        assert gone_in_time(lambda: alive(daemon))
        assert all(alive(pid) for pid in living)
        server.close()
        waiting.exception(timeout=30)


@pytest.fixture
def bystanders(tmp_path: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Processes that have to do with a trial's folder, or nearly."""
    folder, other = tmp_path / "t", tmp_path / "t2"
    for place in (folder, other):
        place.mkdir()
        (place / LOCK).touch()
        (place / "log.txt").touch()
    hold, here = [sys.executable, "-c", HOLDS], os.environ
    started = {
        "holds": subprocess.Popen([*hold, str(folder / LOCK)], stdout=subprocess.PIPE),
        "marked": subprocess.Popen([*hold, os.devnull], stdout=subprocess.PIPE, env=here | {MARK: str(folder)}),
        "reads the log": subprocess.Popen([*hold, str(folder / "log.txt")], stdout=subprocess.PIPE, cwd=folder),
        "holds another": subprocess.Popen([*hold, str(other / LOCK)], stdout=subprocess.PIPE),
        "another's": subprocess.Popen([*hold, os.devnull], stdout=subprocess.PIPE, env=here | {MARK: str(other)}),
    }
    try:
        for process in started.values():
            assert process.stdout is not None
            process.stdout.readline()
        yield started
    finally:
        for process in started.values():
            process.kill()
            process.communicate()


def test_only_what_has_the_lock_or_the_mark_of_that_very_folder_is_ended(
    bystanders: dict[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    with (tmp_path / "t" / LOCK).open():  # we are the one who begins
        end_leftovers(tmp_path / "t")
    assert gone_in_time(lambda: alive(bystanders["holds"].pid) or alive(bystanders["marked"].pid))
    assert [name for name, process in bystanders.items() if alive(process.pid)] == [
        "reads the log",
        "holds another",
        "another's",
    ]


def test_where_nobody_was_before_nobody_is_looked_for(
    bystanders: dict[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    (tmp_path / "t" / LOCK).unlink()
    end_leftovers(tmp_path / "t")
    assert all(alive(process.pid) for process in bystanders.values())
