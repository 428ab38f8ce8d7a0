"""A trial while it runs, in memory: what a workload sees, how it may end, and what a runner may be."""

import math
import os
from pathlib import Path
from typing import Any

import pytest

from tasks.scope.error import InputError
from tasks.scope.goal import Objective
from tasks.trials.inline import Memory, run_inline
from tasks.trials.local.child import BUSY, INTERRUPTED, MISSING, Folder
from tasks.trials.local.execute import classified
from tasks.trials.local.server_link import ExitStatus, environment
from tasks.trials.outcome import raised, returned
from tasks.trials.reports import read_reports
from tasks.trials.running import Infeasible, MissingMetric, ReadPoint, RunningTrial
from tasks.trials.settings import RunnerSettings
from tests.trials.example_trials import execution, plan

SEVEN = RunnerSettings(wall_timeout=7)
MINIMIZE = Objective(metric="loss", direction="minimize")


def running(sink: Any = None, objective: Objective = MINIMIZE) -> RunningTrial:
    """A trial of ten steps in memory."""
    return RunningTrial(
        point={"learning_rate": 0.1, "width": 64},
        seed=1,
        max_train_steps=10,
        eval_every_steps=5,
        objective=objective,
        sink=sink or Memory(),
    )


def exit_status(code: int | None = None, signal: int | None = None, timed_out: bool = False) -> ExitStatus:
    """How a process ended."""
    return ExitStatus(code=code, signal=signal, timed_out=timed_out, seconds=1.0)


def test_a_hyperparameter_that_nobody_reads_is_known_by_name() -> None:
    point = ReadPoint({"a": 1, "b": 2, "c": 3})
    unread = [point.unread]
    assert point["b"] == 2
    assert "z" not in point
    unread.append(point.unread)
    assert dict(point) == {"a": 1, "b": 2, "c": 3}
    assert [*unread, point.unread] == [("a", "b", "c"), ("a", "c"), ()]


@pytest.mark.prose
def test_a_hyperparameter_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(KeyError, match="'momentum' is no hyperparameter of this trial; it has learning_rate, width"):
        running().point["momentum"]


@pytest.mark.parametrize("step", [5, 4, 0])
@pytest.mark.prose
def test_steps_that_do_not_increase_are_refused(step: int) -> None:
    trial = running()
    trial.report(5, loss=0.1)
    with pytest.raises(ValueError, match=f"steps must increase: {step} was reported after 5"):
        trial.report(step, loss=0.1)
    trial.report(6, loss=0.1)


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.prose
def test_an_objective_that_is_not_a_number_ends_the_trial_and_stays_in_its_curve(value: float) -> None:
    sink = Memory()
    trial = running(sink)
    trial.report(1, loss=0.5, other=value)
    with pytest.raises(Infeasible, match=rf"loss is {value} at step 2"):
        trial.report(2, loss=value)
    assert list(sink.reports) == [1, 2]


@pytest.mark.prose
def test_only_the_first_evaluation_must_have_the_objective() -> None:
    trial = running()
    with pytest.raises(MissingMetric, match=r"'loss' is not among the metrics of the first evaluation \(accuracy\)"):
        trial.report(1, accuracy=0.5)
    trial = running()
    trial.report(1, loss=0.5)
    trial.report(2, accuracy=0.5)


@pytest.mark.parametrize(("direction", "loss"), [("minimize", 0.25), ("maximize", -0.25)])
def test_a_checkpoint_is_ranked_by_the_objective_of_its_own_step_as_a_loss(direction: Any, loss: float) -> None:
    class Ranks(Memory):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[tuple[int, float | None]] = []

        def saved(self, step: int, state: Any, objective: float | None) -> None:
            self.seen.append((step, objective))

    sink = Ranks()
    trial = running(sink, Objective(metric="loss", direction=direction))
    trial.report(5, loss=0.25)
    trial.save(5, {})
    trial.save(6, {})
    assert sink.seen == [(5, loss), (6, None)]


def test_a_checkpoint_in_memory_is_not_changed_by_what_comes_after() -> None:
    trial, state = running(), {"weights": [1]}
    assert trial.resume() == (0, None)
    trial.save(5, state)
    state["weights"].append(2)
    assert trial.resume() == (5, {"weights": [1]})


def test_floats_come_back_from_a_childs_reports_as_they_went_in(tmp_path: Path) -> None:
    values = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, math.inf, -math.inf, 1 / 3]
    sink = Folder(tmp_path, "t", 1, math.inf)
    for step, value in enumerate(values):
        sink.reported(step, {"x": value})
        assert [repr(r["x"]) for r in read_reports(tmp_path / "reports.jsonl").values()] == list(
            map(repr, values[: step + 1])
        )
    sink.reported(99, {"x": math.nan})
    assert math.isnan(read_reports(tmp_path / "reports.jsonl")[99]["x"])
    sink.reports.close()


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("raises", "failed", "ValueError: shapes (3,) and (4,) do not match"),
        ("diverges", "infeasible", "loss is nan at step 3"),
        ("diverges_and_swallows", "infeasible", "loss is inf at step 2"),
        ("diverges_and_stumbles", "infeasible", "loss is nan at step 1"),
        ("exits", "failed", "called sys.exit(0)"),
        ("says_nothing", "failed", "no result: it ended without ever reporting loss"),
        ("eats_memory", "infeasible", "out of memory: cannot allocate 9 TiB"),
        ("steady", "complete", ""),
    ],
)
@pytest.mark.prose
def test_a_trial_ends_inline_as_it_would_in_a_child_process(name: str, status: str, reason: str) -> None:
    trial = run_inline(plan(), execution(f"endings.{name}"))
    assert (trial.status, trial.reason) == (status, reason)
    assert (trial.best_value is not None) == (status == "complete")
    assert ("Traceback" in trial.log) == (status == "failed" and name != "says_nothing")


@pytest.mark.prose
def test_a_wrong_metric_or_target_is_the_persons_to_correct_inline_too() -> None:
    with pytest.raises(InputError, match="'loss' is not among the metrics"):
        run_inline(plan(), execution("endings.reports_another_metric"))
    with pytest.raises(InputError, match="is not allowed"):
        run_inline(plan(), execution("os.system"))


def test_a_surface_without_a_model_runs_inline_and_touches_no_generator_but_its_own() -> None:
    import random

    random.seed(1)
    before = random.getstate()
    bowl = {"optimum": 0.1, "curvature": 1.0, "scale": "log"}
    wanted = execution("tasks.trials.workloads.synthetic.synthetic", own=None, bowls={"learning_rate": bowl})
    trial = run_inline(plan(), wanted)
    assert trial.status == "complete"
    assert trial.curve.steps.tolist() == [3, 6, 9]
    assert trial.unread == ("width",)
    assert random.getstate() == before


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (RuntimeError("CUDA out of memory. Tried"), "infeasible", "out of memory: CUDA out of memory. Tried"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "infeasible", "out of memory: Default"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "failed", "RuntimeError: mat1 and mat2"),
        (ValueError("out of memory"), "failed", "ValueError: out of memory"),
        (RuntimeError("\n  first\nsecond"), "failed", "RuntimeError: first"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt"),
        (SystemExit(), "failed", "called sys.exit()"),
        (SystemExit("why"), "failed", "called sys.exit('why')"),
        (InputError("batch_size: 0 will not do."), "failed", "batch_size: 0 will not do."),
        (Infeasible("two constraints are violated"), "infeasible", "two constraints are violated"),
        (MemoryError(), "infeasible", "out of memory"),
    ],
)
@pytest.mark.prose
def test_what_was_raised_says_whether_the_configuration_or_the_code_is_to_blame(
    error: BaseException, status: str, reason: str
) -> None:
    found = raised(error)
    assert found[0] == status
    assert found[1].startswith(reason)
    assert "\n" not in found[1]


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize(
    ("ended", "result", "reports", "status", "reason"),
    [
        (exit_status(0), {"status": "complete"}, {1: {"loss": 0.5}}, "complete", ""),
        (exit_status(0, timed_out=True), {"status": "complete"}, {1: {"loss": 0.5}}, "complete", ""),
        (
            exit_status(signal=9, timed_out=True),
            None,
            {1: {"loss": 0.5}},
            "infeasible",
            "wall timeout: not done after 7 s",
        ),
        (exit_status(timed_out=True), None, {}, "infeasible", "wall timeout: not done after 7 s"),
        (exit_status(signal=9), None, {}, "failed", "killed by SIGKILL"),
        (exit_status(signal=40), None, {}, "failed", "killed by signal 40"),
        (exit_status(signal=11), None, {1: {"loss": math.nan}}, "infeasible", "loss is nan at step 1"),
        (exit_status(2), None, {}, "failed", "ended without a result (exit 2)"),
        (exit_status(BUSY), None, {}, "failed", "a process of an earlier attempt still has its folder"),
        (exit_status(0), {"status": INTERRUPTED, "reason": "stopped"}, {1: {"loss": 0.5}}, "failed", "stopped"),
        (exit_status(0), {"status": "infeasible", "reason": "r"}, {}, "infeasible", "r"),
    ],
)
@pytest.mark.prose
def test_the_end_of_a_process_has_one_meaning(
    ended: ExitStatus, result: Any, reports: Any, status: str, reason: str
) -> None:
    assert classified(ended, result, reports, "loss", SEVEN) == (status, reason)


def test_a_wrong_metric_ends_the_round_whatever_else_happened() -> None:
    with pytest.raises(InputError, match="the sentence"):
        classified(exit_status(0), {"status": MISSING, "reason": "the sentence"}, {}, "loss", SEVEN)


def test_a_code_that_returned_is_complete_only_with_a_sound_objective() -> None:
    assert returned({1: {"loss": 0.5}, 2: {"other": math.nan}}, "loss") == ("complete", "")
    assert returned({1: {"other": 0.5}}, "loss")[0] == "failed"
    assert returned({1: {"loss": 0.5}, 2: {"loss": math.nan}, 3: {"loss": 0.1}}, "loss")[0] == "infeasible"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("workers", 0, "runner.workers: 0 will not do; give a whole number above 0."),
        ("workers", 1.5, "runner.workers: 1.5 will not do; give a whole number above 0."),
        ("threads", None, "runner.threads: None will not do; give a whole number above 0."),
        ("threads", True, "runner.threads: True will not do; give a whole number above 0."),
        ("wall_timeout", math.nan, "runner.wall_timeout: nan will not do; give a number of seconds above 0."),
        ("wall_timeout", "soon", "runner.wall_timeout: 'soon' will not do; give a number of seconds above 0."),
        ("log_bytes", -1, "runner.log_bytes: -1 will not do; give a whole number above 0."),
        ("devices", (), "runner.devices: no device is named; list at least one, such as [cpu] or [cuda:0]."),
        ("devices", ("gpu",), "runner.devices: 'gpu' is no device; name cpu, cuda:0, cuda:1, … or mps."),
        (
            "devices",
            ("cuda:0", "cuda:0"),
            "runner.devices: cuda:0 stands twice; to share it, raise runner.workers instead.",
        ),
        (
            "environment",
            ("A=b",),
            "runner.environment: 'A=b' is no name of a variable; list names alone, such as [DATA_DIR].",
        ),
    ],
)
@pytest.mark.prose
def test_a_runner_that_cannot_be_is_refused_in_one_sentence(field: str, value: Any, said: str) -> None:
    with pytest.raises(InputError) as refused:
        RunnerSettings(**{field: value})
    assert str(refused.value) == said


def test_each_device_is_given_to_one_trial_at_a_time_unless_more_workers_are_asked_for() -> None:
    assert RunnerSettings(workers=3).slots == ("cpu",) * 3
    assert RunnerSettings(devices=("cuda:0", "cuda:1")).slots == ("cuda:0", "cuda:1")
    assert RunnerSettings(devices=("cuda:0", "cuda:1"), workers=3).slots == ("cuda:0", "cuda:1", "cuda:0")
    assert RunnerSettings(devices=("cuda:0", "cuda:1"), workers=1).slots == ("cuda:0",)


def test_the_cores_are_shared_between_the_threads_of_trials() -> None:
    cores = len(os.sched_getaffinity(0))
    assert len(RunnerSettings().slots) == cores
    assert len(RunnerSettings(threads=cores).slots) == len(RunnerSettings(threads=1000).slots) == 1


def test_the_environment_of_trials_holds_what_is_named_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_TOKEN", "DATA_DIR", "LC_ALL"):
        monkeypatch.setenv(name, "x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/theirs", ""]))
    plain, named = (
        environment(3, ()),
        environment(1, ("DATA_DIR",)),
    )
    assert not {"AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_TOKEN", "DATA_DIR"} & plain.keys()
    assert named["DATA_DIR"] == plain["LC_ALL"] == "x"
    assert plain["OMP_NUM_THREADS"] == plain["MKL_NUM_THREADS"] == "3"
    assert plain["PYTHONPATH"].split(os.pathsep) == ["/theirs", os.getcwd()]  # an empty entry is the working folder
