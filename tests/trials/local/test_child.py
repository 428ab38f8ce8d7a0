"""A trial in a child process: whatever it does, it ends alone, with a reason, and leaves nothing behind."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.scope.error import InputError
from tasks.trials.inline import run_inline
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.server_link import GRACE
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Trial
from tests.trials.example_trials import execution, plan
from tests.trials.local.processes import alive, children_of, gone_in_time, written

SECRET = "TUNEBOOK_TEST_SECRET"
PATIENT = RunnerSettings(wall_timeout=120, environment=("TUNEBOOK_TEST_ALLOWED",))
HASTY = RunnerSettings(wall_timeout=1)


# How each program of own/endings.py ends: status, the beginning of the reason, the objective's curve, in its log.
ENDINGS: dict[str, tuple[str, str, list[float], str]] = {
    "raises": ("failed", "ValueError: shapes (3,) and (4,) do not match", [0.5, 0.4], "Traceback"),
    "diverges": ("infeasible", "loss is nan at step 3", [0.5, 0.4], ""),
    "diverges_and_swallows": ("infeasible", "loss is inf at step 2", [0.5, 0.3], "never mind"),
    "diverges_and_stumbles": ("infeasible", "loss is nan at step 1", [], "no file to close"),
    "faults": ("failed", "killed by SIGSEGV", [0.5], "Segmentation fault"),
    "vanishes": ("failed", "ended without a result (exit 0)", [0.5], ""),
    "exits": ("failed", "called sys.exit(0)", [0.5], "SystemExit"),
    "hangs": ("infeasible", "wall timeout: not done after 1 s", [0.5], ""),
    "stops": ("infeasible", "wall timeout: not done after 1 s", [0.5], ""),
    "closes_its_streams": ("failed", "ValueError: unheard", [0.5], ""),
    "forks": ("failed", "ended without a result (exit 4)", [0.5], "the fork's own trouble"),
    "says_nothing": ("failed", "no result: it ended without ever reporting loss", [], ""),
    "eats_memory": ("infeasible", "out of memory: cannot allocate 9 TiB", [], "MemoryError"),
    "eats_device_memory": ("infeasible", "out of memory: CUDA out of memory", [], "OutOfMemoryError"),
    "asks_for_more": ("failed", "KeyError: \"'momentum' is no hyperparameter of this trial", [], "Traceback"),
    "leaves_confusing_files": ("failed", "ended without a result (exit 3)", [0.5], ""),
    "says_what_is_no_text": ("failed", r"ValueError: bad \udcff", [0.5], "Traceback"),
    "counts_too_far": ("failed", "ValueError: a step has 64 bits: 1e+25 is none", [0.5], ""),
    "writes_our_files": ("failed", "ended without a result (exit 3)", [0.5], ""),
    "stops_unasked": ("failed", "it was asked to stop, and did", [0.5], ""),
    "does_not_exist": (
        "failed",
        "workload._target_: there is no callable at 'endings.does_not_exist'",
        [],
        "InputError",
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """One server for the module, in an environment that holds a secret."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET, "hunter2")
        patch.setenv("TUNEBOOK_TEST_ALLOWED", "1")
        with ForkServer(PATIENT, preload=("tasks.trials.local.child", "no.such.module")) as server:
            yield server


@pytest.fixture
def run(server: ForkServer, tmp_path: Path) -> Callable[..., Trial]:
    """Runs one program of own/endings.py."""

    def one(name: str, runner: RunnerSettings = PATIENT, seed: int = 5, **arguments: Any) -> Trial:
        wanted = execution(f"endings.{name}", runner, **arguments)
        return run_trial(plan(name, seed=seed), wanted, server, tmp_path / name, "cpu")

    return one


@pytest.fixture(scope="module")
def together(server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    """Every ending beside as many sound trials, four at once."""
    folder = tmp_path_factory.mktemp("together")

    def one(id: str, name: str) -> Trial:
        runner = HASTY if name in ("hangs", "stops") else PATIENT
        return run_trial(plan(id), execution(f"endings.{name}", runner), server, folder / id, "cpu")

    pairs = [pair for i, name in enumerate(ENDINGS) for pair in ((name, name), (f"steady{i}", "steady"))]
    with ThreadPoolExecutor(4) as pool:
        return {t.id: t for t in pool.map(lambda pair: one(*pair), pairs)}


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.prose
def test_a_trial_that_ends_badly_has_a_status_a_reason_its_curve_and_its_words(
    name: str, together: dict[str, Trial]
) -> None:
    status, reason, curve, words = ENDINGS[name]
    trial = together[name]
    assert (trial.status, trial.reason[: len(reason)]) == (status, reason)
    assert trial.curve.of("loss")[1].tolist() == curve
    assert words in trial.log
    assert trial.best_value is None
    assert "\n" not in trial.reason


@pytest.mark.playbook("E8", case="shows")
def test_the_trials_beside_those_that_ended_badly_notice_nothing(together: dict[str, Trial]) -> None:
    sound = [t for t in together.values() if t.id.startswith("steady")]
    alone = run_inline(plan(), execution("endings.steady"))
    assert len(sound) == len(ENDINGS)
    for trial in sound:
        assert (trial.status, trial.reason, trial.log) == ("complete", "", "")
        assert np.array_equal(trial.curve.metrics["loss"], alone.curve.metrics["loss"])


def test_when_all_have_ended_the_server_has_no_process_left(server: ForkServer, together: dict[str, Trial]) -> None:
    assert together
    assert gone_in_time(lambda: children_of(server.pid))


def test_a_curve_is_the_same_bit_for_bit_inline_and_in_a_child(run: Callable[..., Trial]) -> None:
    child, inline = run("steady", scale=2.5), run_inline(plan(), execution("endings.steady", scale=2.5))
    assert child.curve.steps.tolist() == inline.curve.steps.tolist() == [3, 6, 9]
    assert child.curve.metrics.keys() == inline.curve.metrics.keys() == {"loss", "extra"}
    for name, values in child.curve.metrics.items():
        assert values.tobytes() == inline.curve.metrics[name].tobytes()
    assert (child.best_step, child.best_value) == (inline.best_step, inline.best_value)
    assert child.unread == inline.unread == ("width",)


def test_processes_that_a_trial_left_behind_are_killed_even_in_a_session_of_their_own(
    run: Callable[..., Trial], tmp_path: Path
) -> None:
    trial = run("leaves_children", pids=str(tmp_path / "pids"))
    pids = {int(p) for p in (tmp_path / "pids").read_text().split()}
    assert trial.status == "complete"
    assert len(pids) == 2
    assert gone_in_time(lambda: {p for p in pids if alive(p)})


@pytest.mark.prose
def test_what_a_trial_left_in_its_process_group_goes_while_others_still_run(
    server: ForkServer, run: Callable[..., Trial], tmp_path: Path
) -> None:
    beside = execution("endings.sleeps", pids=str(tmp_path / "beside"))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_trial, plan(), beside, server, tmp_path / "t", "cpu")
        living = written(tmp_path / "beside")
        run("leaves_children", pids=str(tmp_path / "pids"))
        near, _ = (int(p) for p in (tmp_path / "pids").read_text().split())
        assert gone_in_time(lambda: alive(near))
        assert all(alive(pid) for pid in living)
        os.kill(living[0], signal.SIGKILL)
        assert waiting.result().reason == "killed by SIGKILL"


def test_a_trial_that_hangs_is_killed_at_its_timeout_and_not_only_given_up(together: dict[str, Trial]) -> None:
    assert all(1 <= together[name].seconds < GRACE for name in ("hangs", "stops"))


def test_a_trial_that_goes_elsewhere_has_its_result_all_the_same(run: Callable[..., Trial]) -> None:
    trial = run("wanders")
    assert (trial.status, trial.reason, trial.best_value) == ("complete", "", 0.5)


def test_a_flood_of_output_leaves_its_last_words_and_little_on_disk(run: Callable[..., Trial]) -> None:
    trial = run("floods", megabytes=32)
    assert trial.status == "complete"
    assert trial.log.endswith("the last words\n")
    assert len(trial.log) == PATIENT.log_bytes
    assert (Path(trial.folder) / "log.txt").stat().st_size <= 2 * PATIENT.log_bytes


def test_a_trial_sees_its_own_folder_no_secret_no_input_and_one_thread(run: Callable[..., Trial]) -> None:
    trial = run("looks_around", secret=SECRET)
    seen = {name: float(values[0]) for name, values in trial.curve.metrics.items()}
    wanted = {"secret": 0, "allowed": 1, "typed": 0, "leader": 1, "threads": 1, "folder": 1}
    assert seen == {"loss": 0.5, **wanted}


@pytest.mark.parametrize("generator", ["loss", "numpy"])
def test_a_program_that_never_seeds_repeats_with_its_seed_and_differs_with_another(
    generator: str, run: Callable[..., Trial]
) -> None:
    first, again, other = (run("never_seeds", seed=s).curve.metrics[generator][0] for s in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.prose
def test_an_objective_that_is_never_reported_ends_the_round_at_the_first_trial(run: Callable[..., Trial]) -> None:
    with pytest.raises(InputError, match=r"'loss' is not among the metrics of the first evaluation \(accuracy\)"):
        run("reports_another_metric")


def test_what_an_earlier_attempt_left_is_not_taken_for_this_ones(run: Callable[..., Trial], tmp_path: Path) -> None:
    folder = tmp_path / "vanishes"
    folder.mkdir()
    (folder / "result.json").write_text('{"status": "complete", "reason": "", "unread": []}')
    (folder / "reports.jsonl").write_text('{"step": 9, "metrics": {"loss": 0.0}}\n')
    trial = run("vanishes")
    assert trial.status == "failed"
    assert trial.curve.of("loss")[1].tolist() == [0.5]
