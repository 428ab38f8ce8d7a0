"""Every kind of end that a trial can come to: classified with its reason, alone, and with no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tasks.design.study import Planned
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import Budget, Objective, Workload
from tasks.trials.execute import run_trial
from tasks.trials.forkserver import ForkServer, ServerDied, environment
from tasks.trials.inline import run_inline
from tasks.trials.runner import Execution, Runner
from tasks.trials.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import ctypes, math, os, random, subprocess, sys, time

def fine(trial):
    noise = random.Random(trial.seed)
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        trial.report(step, loss=trial.point["x"] + 1 / step + noise.random() / 7, extra=step ** 0.5)

def raises(trial):
    trial.report(10, loss=1.0)
    raise ValueError("a broken line of code")

def not_a_number(trial):
    trial.report(10, loss=1.0)
    trial.report(20, loss=math.nan)

def segfault(trial):
    trial.report(10, loss=1.0)
    ctypes.string_at(0)

def leaves(trial):
    trial.report(10, loss=1.0)
    os._exit(0)

def hangs(trial):
    trial.report(10, loss=1.0)
    while True:
        time.sleep(1)

def calls_exit(trial):
    trial.report(10, loss=1.0)
    sys.exit(0)

def says_nothing(trial):
    pass

def runs_out_of_memory(trial):
    raise MemoryError("no room for this width")

def unknown_name(trial):
    trial.point["learnin_rate"]

def other_metric(trial):
    trial.report(10, accuracy=1.0, time=2.0)

def has_children(trial):
    child = subprocess.Popen(["sleep", "1000"])
    print("grandchild", child.pid, flush=True)
    trial.report(10, loss=1.0)

def talks(trial):
    print("x" * 1_000_000)
    print("the last line")
    trial.report(10, loss=1.0)

def looks_around(trial):
    print(sorted(os.environ), sys.stdin.read(), os.getcwd())
    trial.report(10, loss=1.0)

def reads_x_alone(trial):
    trial.report(10, loss=trial.point["x"])
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("own")
    (folder / "ends.py").write_text(PROGRAM)
    yield folder
    sys.modules.pop("ends", None)
    sys.path[:] = [p for p in sys.path if p != str(folder)]


@pytest.fixture(scope="module")
def server(own: Path) -> Iterator[ForkServer]:
    with ForkServer(Runner(), own=str(own), preload=("tasks.trials.child",)) as started:
        yield started


def execution(own: Path, name: str, wall_timeout: float = 60.0) -> Execution:
    return Execution(
        workload=Workload(
            name="ends",
            target=f"ends.{name}",
            objective=Objective(metric="loss", direction="minimize"),
            baseline={"x": 0.5},
        ),
        budget=Budget(trials=1, retrains=1, max_train_steps=50, eval_every_steps=10),
        runner=Runner(wall_timeout=wall_timeout),
        own=str(own),
    )


def plan(name: str, seed: int = 7) -> Planned:
    point: dict[str, Value] = {"x": 0.25, "y": "unused"}
    return Planned(id=f"trial-{name}", study="s", purpose="search", index=0, point=point, seed=seed)


@pytest.fixture
def run(own: Path, server: ForkServer, tmp_path: Path) -> Callable[..., Trial]:
    def run(name: str, wall_timeout: float = 60.0) -> Trial:
        return run_trial(plan(name), execution(own, name, wall_timeout), server, tmp_path / name, "cpu")

    return run


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether the process is gone by then."""
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def descendants(pid: int) -> set[int]:
    """Every process whose ancestor is `pid`."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(stat.read_text().rsplit(")", 1)[1].split()[1]), []).append(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, waiting = set(), [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


ENDS = [
    ("fine", "complete", ""),
    ("raises", "failed", "ValueError: a broken line of code"),
    ("not_a_number", "infeasible", "loss is nan at step 20"),
    ("segfault", "failed", "killed by SIGSEGV"),
    ("leaves", "failed", "ended by itself with exit code 0"),
    ("calls_exit", "failed", "called sys.exit(0)"),
    ("says_nothing", "failed", "without ever reporting loss"),
    ("runs_out_of_memory", "infeasible", "out of memory: no room for this width"),
    ("unknown_name", "failed", "'learnin_rate' is no hyperparameter of this trial; it has x, y"),
]


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize(("name", "status", "reason"), ENDS, ids=[e[0] for e in ENDS])
def test_each_kind_of_end_has_its_status_and_its_reason(
    run: Callable[..., Trial], name: str, status: str, reason: str
) -> None:
    trial = run(name)
    assert trial.status == status
    assert reason in trial.reason
    assert (trial.best_value is None) == (status != "complete")


def test_a_trial_that_hangs_is_killed_at_its_wall_timeout_and_is_infeasible(run: Callable[..., Trial]) -> None:
    trial = run("hangs", wall_timeout=1.0)
    assert (trial.status, trial.reason) == ("infeasible", "wall timeout: not done after 1 s")
    assert trial.seconds >= 1.0
    assert trial.curve.steps.tolist() == [10]


def test_a_failed_trial_keeps_its_traceback_and_its_curve(run: Callable[..., Trial]) -> None:
    trial = run("raises")
    assert 'raise ValueError("a broken line of code")' in trial.log
    assert trial.curve.metrics["loss"].tolist() == [1.0]


def test_all_others_complete_when_every_kind_of_failure_runs_beside_them(
    own: Path, server: ForkServer, tmp_path: Path
) -> None:
    names = ["fine", "raises", "segfault", "fine", "leaves", "hangs", "calls_exit", "fine", "not_a_number", "fine"]

    def one(i: int) -> Trial:
        return run_trial(plan(names[i]), execution(own, names[i], 2.0), server, tmp_path / str(i), "cpu")

    with ThreadPoolExecutor(4) as pool:
        trials = list(pool.map(one, range(len(names))))
    assert [t.status for t, n in zip(trials, names, strict=True) if n == "fine"] == ["complete"] * 4
    assert all(t.status != "complete" for t, n in zip(trials, names, strict=True) if n != "fine")
    assert descendants(server._process.pid) == set()


def test_what_a_trial_started_ends_with_it(run: Callable[..., Trial]) -> None:
    trial = run("has_children")
    assert trial.status == "complete"
    assert gone(int(trial.log.split()[1]))


def test_a_metric_that_is_never_reported_names_those_that_were(run: Callable[..., Trial]) -> None:
    with pytest.raises(InputError, match=r"'loss' is not among .*accuracy, time"):
        run("other_metric")


def test_only_the_tail_of_a_flood_of_output_is_kept(run: Callable[..., Trial]) -> None:
    trial = run("talks")
    assert len(trial.log) <= Runner().log_bytes
    assert trial.log.endswith("the last line\n")


def test_a_trial_sees_no_secrets_and_no_input_and_works_in_its_own_folder(
    run: Callable[..., Trial], tmp_path: Path
) -> None:
    log = run("looks_around").log
    assert str(tmp_path / "looks_around") in log
    assert "'OMP_NUM_THREADS'" in log


def test_the_environment_of_trials_leaves_secrets_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("LC_TIME", "C")
    found = environment(Runner(threads=3), "/own")
    assert "AWS_SECRET_ACCESS_KEY" not in found
    assert (found["LC_TIME"], found["OMP_NUM_THREADS"]) == ("C", "3")


def test_a_hyperparameter_that_nobody_reads_is_named(run: Callable[..., Trial]) -> None:
    assert run("reads_x_alone").unread == ("y",)


def test_a_child_process_and_this_process_give_the_same_curve_to_the_last_bit(
    run: Callable[..., Trial], own: Path
) -> None:
    child, here = run("fine"), run_inline(plan("fine"), execution(own, "fine"))
    assert child.curve.steps.tolist() == here.curve.steps.tolist()
    for name, values in here.curve.metrics.items():
        assert np.array_equal(child.curve.metrics[name], values)
    assert (child.best_step, child.best_value) == (here.best_step, here.best_value)


def test_killing_the_coordinator_leaves_no_process(own: Path, tmp_path: Path) -> None:
    script = (
        "import sys, threading\n"
        "from tasks.trials.forkserver import ForkServer\n"
        "from tasks.trials.runner import Runner\n"
        f"server = ForkServer(Runner(), own={str(own)!r}, preload=('tasks.trials.child',)).__enter__()\n"
        "request = dict(folder=sys.argv[1], threads=1, target='ends.hangs', arguments={}, point={}, seed=1,\n"
        f"    own={str(own)!r}, max_train_steps=50, eval_every_steps=10, trial='t', device='cpu', keep_best=1,\n"
        "    objective={'metric': 'loss', 'direction': 'minimize'})\n"
        "server.run(request, 1000)\n"
    )
    coordinator = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (tmp_path / "reports.jsonl").exists() or not (tmp_path / "reports.jsonl").read_text():
        assert time.monotonic() < deadline
        assert coordinator.poll() is None
        time.sleep(0.02)
    left = descendants(coordinator.pid)
    assert len(left) == 2  # the server and the trial
    os.kill(coordinator.pid, signal.SIGKILL)
    coordinator.wait()
    assert all(gone(pid) for pid in left)


def test_a_trial_whose_server_is_gone_says_so_and_does_not_wait(own: Path, tmp_path: Path) -> None:
    with ForkServer(Runner(), own=str(own), preload=("tasks.trials.child",)) as server:
        os.kill(server._process.pid, signal.SIGKILL)
        with pytest.raises(ServerDied):
            run_trial(plan("fine"), execution(own, "fine"), server, tmp_path / "x", "cpu")
