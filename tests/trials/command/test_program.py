"""A program as a trial: it gets its point, its lines come back, and whatever it does, nothing of it is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from flows.compose.config import CONF
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.trials.command.program import SEEDS
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.server_link import ServerClosed
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Trial
from tests.trials.command.programs import PROGRAMS, SAY
from tests.trials.example_trials import execution, plan

COMMAND = "tasks.trials.command"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with the programs in it."""
    folder = tmp_path_factory.mktemp("own")
    for name, text in PROGRAMS.items():
        (folder / f"{name}.sh").write_text(SAY + text)
    return folder


@pytest.fixture(scope="module")
def open_server(own: Path) -> Callable[[], ForkServer]:
    """Makes servers for trials of that folder."""
    return lambda: ForkServer(RunnerSettings(), preload=("tasks.trials.local.child", "tasks.trials.command.program"))


@pytest.fixture(scope="module")
def server(open_server: Callable[[], ForkServer]) -> Iterator[ForkServer]:
    """One server for the module."""
    with open_server() as server:
        yield server


Run = Callable[..., Trial]


@pytest.fixture
def run(server: ForkServer, own: Path, tmp_path: Path) -> Run:
    """Runs one of the programs, by default to its end and in a folder of its own name."""

    def one(
        name: str,
        *arguments: Any,
        through: ForkServer = server,
        timeout: float = 60,
        point: dict[str, Value] | None = None,
        seed: int = 5,
        **more: Any,
    ) -> Trial:
        folder = tmp_path / more.pop("folder", name)
        argv = more.pop("argv", ["sh", f"{name}.sh", *arguments])
        runner = RunnerSettings(wall_timeout=timeout, memory=more.pop("memory", None))
        wanted = execution(COMMAND, runner, own=str(own), argv=argv, **more)
        return run_trial(plan(name, point, seed), wanted, through, folder, "cpu")

    return one


def alive(pid: int) -> bool:
    """Whether the process is there, and not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Whether the process has ended within half a minute."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if not alive(pid):
            return True
        time.sleep(0.02)
    return False


def pids_of(folder: Path) -> list[int]:
    """Of the program and of what it started."""
    return [int(pid) for pid in (folder / "work" / "pids").read_text().split()]


@pytest.mark.prose
def test_a_program_gets_its_arguments_and_its_environment_and_runs_in_its_own_folder(
    run: Run, own: Path, tmp_path: Path
) -> None:
    hostile = f"a 'b' \"c\" ; touch {tmp_path}/canary $(touch {tmp_path}/canary) `touch {tmp_path}/canary` {{seed}}"
    point: dict[str, Value] = {"name": hostile, "adam.learning_rate": 1e-4, "nesterov": True}
    words = ["{seed}", "{max_train_steps}", "{eval_every_steps}", "{device}", "{metrics}", "{checkpoints}", "{folder}"]
    argv = ["{name}", "--lr={adam.learning_rate}", ["--no", "{dropout.rate}"], "{nesterov}", *words, "arrives.sh"]
    trial = run("arrives", *argv, point=point)
    work = tmp_path / "arrives" / "work"
    checkpoints, metrics = work / "checkpoints", work / "tunebook.jsonl"
    assert (trial.status, trial.curve.steps.tolist(), trial.unread) == ("complete", [3], ())
    said = (work / "arguments").read_text().splitlines()
    assert said[:3] == [hostile, "--lr=0.0001", "true"]
    assert said[3:] == ["5", "9", "3", "cpu", str(metrics), str(checkpoints), str(own), f"{own}/arrives.sh"]
    assert not (tmp_path / "canary").exists()
    assert (work / "folder").read_text().strip() == str(work)
    environment = dict(line.split("=", 1) for line in (work / "environment").read_text().splitlines() if "=" in line)
    assert json.loads(environment["TUNEBOOK_POINT"]) == point
    for key, value in {"METRICS": metrics, "CHECKPOINTS": checkpoints, "RESUMED": 0, "TRIAL": "arrives"}.items():
        assert environment[f"TUNEBOOK_{key}"] == str(value)
    assert {"out", "err"} <= set(trial.log.splitlines())


def test_a_seed_fits_every_language(run: Run, tmp_path: Path) -> None:
    assert SEEDS == 2**31
    run("arrives", "{seed}", seed=2**62 + 7)
    assert (tmp_path / "arrives" / "work" / "arguments").read_text() == "7\n"


def test_what_a_program_is_never_told_of_counts_as_unread_unless_it_reads_the_whole_point(run: Run) -> None:
    assert run("arrives", "{width}", folder="some").unread == ("learning_rate",)
    assert run("arrives", folder="none").unread == ()
    assert run("arrives", "{overrides}", folder="all").unread == ()


@pytest.mark.playbook("E8", case="fires")
@pytest.mark.prose
def test_a_program_that_diverges_is_ended_at_once_with_all_that_it_started(run: Run, tmp_path: Path) -> None:
    trial = run("diverges")
    assert (trial.status, trial.reason) == ("infeasible", "loss is nan at step 2")
    assert trial.seconds < 30
    assert all(gone(pid) for pid in pids_of(tmp_path / "diverges"))


@pytest.mark.prose
def test_a_program_without_the_objective_stops_the_round_at_its_first_line(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'loss' is not among the metrics of the first evaluation \(accuracy\)"):
        run("lacks_it")
    assert all(gone(pid) for pid in pids_of(tmp_path / "lacks_it"))


ENDINGS: dict[str, tuple[str, str]] = {
    "gone": ("failed", "workload.argv[0]: gone.sh is no program in"),
    "exits": ("failed", "ProgramFailed: exit code 3: no such file: a"),
    "exits_silently": ("failed", "ProgramFailed: exit code 70"),
    "dies": ("failed", "ProgramFailed: killed by SIGSEGV"),
    "starves": ("infeasible", "out of memory: torch.OutOfMemoryError: CUDA out of memory. Tried"),
    "says_nothing": ("failed", "no result: it ended without ever reporting loss"),
    "breaks_a_line": ("failed", "ValueError: line 2 of the metrics is no JSON object with a whole number as"),
    "steps_back": ("failed", "ValueError: steps must increase: 1 was reported after 2"),
    "leaves_a_daemon": ("complete", ""),
    "floods": ("failed", "ProgramFailed: exit code 3: flood"),
}


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.prose
def test_however_a_program_ends_the_trial_says_how(run: Run, tmp_path: Path, name: str) -> None:
    trial = run(name, argv=["gone.sh"]) if name == "gone" else run(name)
    status, reason = ENDINGS[name]
    assert trial.status == status
    assert trial.reason == reason or (reason and trial.reason.startswith(reason))
    assert len(trial.curve) == (0 if name in ("says_nothing", "gone") else 1)
    if name == "leaves_a_daemon":
        assert all(gone(pid) for pid in pids_of(tmp_path / name))


@pytest.mark.prose
def test_a_program_that_hangs_is_killed_with_all_that_it_started(run: Run, tmp_path: Path) -> None:
    trial = run("hangs", timeout=1)
    assert (trial.status, trial.reason) == ("infeasible", "wall timeout: not done after 1 s")
    assert all(gone(pid) for pid in pids_of(tmp_path / "hangs"))


@pytest.mark.prose
def test_the_memory_limit_holds_for_programs(run: Run) -> None:
    trial = run("eats", argv=["python", "-c", "x = bytearray(2 << 30)"], memory=1.0)
    assert (trial.status, trial.reason) == ("infeasible", "out of memory: MemoryError")


def test_a_program_may_run_in_the_users_folder(run: Run, own: Path) -> None:
    trial = run("arrives", cwd=".", folder="there")
    assert trial.status == "complete"
    assert (own / "folder").read_text().strip() == str(own)


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.prose
def test_a_program_that_was_killed_goes_on_in_the_next_attempt_and_no_step_is_there_twice(run: Run) -> None:
    first = run("resumes")
    assert (first.status, first.reason) == ("failed", "ProgramFailed: killed by SIGKILL")
    assert first.curve.steps.tolist() == [1, 2, 3]
    second, whole = run("resumes"), run("never_stops")
    assert "resumed 1" in second.log
    assert "resumed 0" in whole.log
    assert (second.status, whole.status) == ("complete", "complete")
    assert second.curve.steps.tolist() == whole.curve.steps.tolist() == [1, 2, 3, 4, 5]
    assert second.curve.metrics["loss"].tobytes() == whole.curve.metrics["loss"].tobytes()


def stopped(run: Run, name: str, server: ForkServer, mark: Path) -> list[BaseException | Trial]:
    """How a trial ends whose server is interrupted as soon as `mark` is there."""
    ends: list[BaseException | Trial] = []

    def go() -> None:
        try:
            ends.append(run(name, through=server))
        except ServerClosed as error:
            ends.append(error)

    thread = Thread(target=go)
    thread.start()
    until = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.02)
    server.interrupt(grace=30)
    thread.join(60)
    return ends


@pytest.mark.prose
def test_a_program_is_told_when_its_machine_is_wanted_back_and_goes_on_another_time(
    run: Run, open_server: Callable[[], ForkServer], tmp_path: Path
) -> None:
    with open_server() as server:
        (end,) = stopped(run, "waits", server, tmp_path / "waits" / "work" / "mark")
    assert isinstance(end, ServerClosed)
    result = json.loads((tmp_path / "waits" / "result.json").read_text())
    assert (result["status"], result["reason"]) == ("interrupted", "the program was asked to stop")
    trial = run("waits")
    assert (trial.status, trial.curve.steps.tolist()) == ("complete", [1, 2, 3, 4, 5])


def test_what_a_program_started_may_save_though_the_program_itself_ends_at_once(
    run: Run, open_server: Callable[[], ForkServer], tmp_path: Path
) -> None:
    with open_server() as server:
        (end,) = stopped(run, "wraps", server, tmp_path / "wraps" / "work" / "mark")
    assert isinstance(end, ServerClosed)
    assert (tmp_path / "wraps" / "work" / "checkpoints" / "step").read_text() == "4\n"


def test_a_program_that_ends_its_training_while_it_is_asked_to_stop_is_done(
    run: Run, open_server: Callable[[], ForkServer], tmp_path: Path
) -> None:
    with open_server() as server:
        (end,) = stopped(run, "finishes_anyway", server, tmp_path / "finishes_anyway" / "work" / "mark")
    assert isinstance(end, Trial)
    assert (end.status, end.curve.steps.tolist()) == ("complete", [3, 9])


HOLDER = """
import os, sys, time
from pathlib import Path
from tasks.trials.command.program import Program
program = Program(["sleep", "600"], dict(os.environ), Path(sys.argv[1]))
print(program._process.pid, flush=True)
time.sleep(600)
"""


def test_a_program_dies_with_its_trial_even_where_nobody_is_left_to_kill_it(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=CONF.parent, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    pid = int(holder.stdout.readline())
    assert alive(pid)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert gone(pid)
