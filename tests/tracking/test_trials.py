"""Trials in a real MLflow store: whole curves, found again by tag, nothing twice, nothing that MLflow would bend."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.record import TrialRow
from tasks.tracking import Handle, Tracking, project_trial
from tasks.tracking.names import NAME_LENGTH, fitting_names, fitting_points, fitting_text, model_name

STEPS = np.arange(10, 310, 10)
CURVE = {"valid_error": 1.0 / STEPS, "train_loss": 2.0 / STEPS}
Open = Callable[[str], Handle]
Row = Callable[..., TrialRow]


def stored(handle: Handle) -> tuple[int, int, int]:
    """How many runs, points and parameters the round has in MLflow."""
    runs = handle.client.search_runs([handle.experiment], f"tags.`tunebook.round` = '{handle.round_id}'")
    points = sum(len(handle.client.get_metric_history(r.info.run_id, name)) for r in runs for name in r.data.metrics)
    return len(runs), points, sum(len(r.data.params) for r in runs)


@pytest.mark.playbook("J13", case="shows")
def test_a_trial_is_a_child_run_with_its_whole_curve_and_everything_it_ran_on(open_round: Open, make_row: Row) -> None:
    handle = open_round("whole")
    run = handle.client.get_run(project_trial(handle, make_row(0), STEPS, CURVE, started=1_700_000_000.0))
    assert run.data.tags["mlflow.parentRunId"] == handle.parent
    assert run.data.params == {
        "optimizer": "adam",
        "adam.learning_rate": "0.1",
        "width": "64",
        "nesterov": "True",
        "seed": "7",
    }
    tags = {k.removeprefix("tunebook."): v for k, v in run.data.tags.items() if k.startswith("tunebook.")}
    assert tags == {
        "kind": "trial",
        "round": "whole",
        "trial": "t0000",
        "study": "s-1",
        "purpose": "search",
        "status": "complete",
        "best_value": "0.2",
        "best_step": "20",
    }
    history = handle.client.get_metric_history(run.info.run_id, "valid_error")
    assert [(m.step, m.value) for m in history] == [(int(s), 1.0 / s) for s in STEPS]
    assert (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_001_500)
    assert run.info.run_name == "t0000"


@pytest.mark.parametrize(
    ("status", "shown"), [("complete", "FINISHED"), ("infeasible", "KILLED"), ("failed", "FAILED")]
)
@pytest.mark.prose
def test_a_trial_keeps_its_status_and_its_reason(open_round: Open, make_row: Row, status: str, shown: str) -> None:
    handle = open_round(f"status-{status}")
    reason = "" if status == "complete" else "out of memory\nat step 3"
    run_id = project_trial(handle, make_row(0, status=status, reason=reason), (), {})
    run = handle.client.get_run(run_id)
    assert run.info.status == shown
    assert run.data.tags.get("tunebook.reason", "") == reason


@pytest.mark.playbook("E4", case="shows")
def test_a_trial_that_was_kept_of_an_earlier_round_says_whence(open_round: Open, make_row: Row) -> None:
    handle = open_round("kept")
    run = handle.client.get_run(project_trial(handle, make_row(0, kept="r1/t9"), STEPS, CURVE))
    assert run.data.tags["tunebook.kept"] == "r1/t9"


def test_projecting_a_trial_twice_adds_nothing(open_round: Open, make_row: Row) -> None:
    first = open_round("twice")
    runs = [project_trial(first, make_row(i), STEPS, CURVE) for i in range(2)]
    before = stored(first)
    assert before == (3, 120, 10)
    again = open_round("twice")
    assert [project_trial(again, make_row(i), STEPS, CURVE) for i in range(2)] == runs
    assert (again.parent, stored(again)) == (first.parent, before)


def test_a_trial_that_a_kill_left_half_written_is_completed_in_its_own_run(
    open_round: Open, make_row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = open_round("half")
    for call in ("log_batch", "set_terminated"):  # as killed just before each

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(handle.client, call, killed)
            with pytest.raises(KeyboardInterrupt):
                project_trial(handle, make_row(0), STEPS, CURVE)
        handle = open_round("half")
    project_trial(handle, make_row(0), STEPS, CURVE)
    assert stored(handle) == (2, 60, 5)


@pytest.mark.prose
def test_what_is_not_a_number_is_left_out_and_what_is_infinite_is_named(open_round: Open, make_row: Row) -> None:
    values = np.array([1.0, math.nan, math.inf, -math.inf])
    handle = open_round("infinite")
    run_id = project_trial(handle, make_row(0), [1, 2, 3, 4], {"loss": values, "never": np.full(4, math.nan)})
    run = handle.client.get_run(run_id)
    assert [(m.step, m.value) for m in handle.client.get_metric_history(run_id, "loss")] == [(1, 1.0)]
    assert run.data.tags["tunebook.infinite"] == "loss +inf at step 3; loss -inf at step 4"
    assert "never" not in run.data.metrics


def test_a_clean_trial_has_no_tag_of_what_had_to_give_way(open_round: Open, make_row: Row) -> None:
    handle = open_round("clean")
    tags = handle.client.get_run(project_trial(handle, make_row(0), STEPS, CURVE)).data.tags
    assert not {"tunebook.infinite", "tunebook.renamed", "tunebook.reason"} & set(tags)


def test_names_and_texts_that_mlflow_refuses_are_made_to_fit_and_noted(open_round: Open, make_row: Row) -> None:
    names = ["a/../b", "/root", "größe", "x" * 400, "tab\there", "a", "valid/error"]
    handle = open_round("names")
    point = {**dict.fromkeys(names, 1.5), "long": "y" * 9000}
    run_id = project_trial(handle, make_row(0, point=point), [1], {name: [float(i)] for i, name in enumerate(names)})
    run = handle.client.get_run(run_id)
    assert len(run.data.metrics) == len(names)
    assert len(run.data.params) == len(point) + 1
    assert run.data.metrics["valid/error"] == 6.0
    assert "größe" in run.data.tags["tunebook.renamed"] or "gr\\u00f6\\u00dfe" in run.data.tags["tunebook.renamed"]


def test_a_long_curve_is_sent_whole_in_calls_that_a_server_takes(open_round: Open, make_row: Row) -> None:
    handle = open_round("long")
    steps = np.arange(1, 2001)
    run_id = project_trial(handle, make_row(0, point={f"p{i}": i for i in range(200)}), steps, {"loss": 1.0 / steps})
    assert len(handle.client.get_metric_history(run_id, "loss")) == 2000
    assert len(handle.client.get_run(run_id).data.params) == 201


def test_the_store_lies_under_its_root_wherever_the_process_stands(tracking: Tracking, open_round: Open) -> None:
    experiment = open_round("where").client.get_experiment_by_name("digits")
    assert experiment is not None
    assert experiment.artifact_location == f"file://{tracking.root}/artifacts"
    assert tracking.address == f"sqlite:///{tracking.root}/mlflow.db"
    assert Tracking(root="mlruns").address.startswith("sqlite:////")
    assert Tracking(root="mlruns", uri="http://127.0.0.1:5000").address == "http://127.0.0.1:5000"


@given(st.lists(st.text(max_size=300), max_size=8, unique=True))
def test_every_name_fits_and_two_names_never_become_one(names: list[str]) -> None:
    fitted = fitting_names(names)
    assert list(fitted) == names
    assert len(set(fitted.values())) == len(names)
    for name in fitted.values():
        assert 0 < len(name) <= NAME_LENGTH
        assert not name.startswith(("/", ".."))
        assert "//" not in name
    assert 0 < len(model_name("".join(names))) <= NAME_LENGTH


@given(st.lists(st.floats(), max_size=20))
def test_every_finite_value_is_kept_to_the_last_bit_and_no_other(values: list[float]) -> None:
    points, note = fitting_points(range(len(values)), {"m": values})
    assert points == [("m", v, i) for i, v in enumerate(values) if math.isfinite(v)]
    assert bool(note) == any(math.isinf(v) for v in values)


def test_a_text_is_cut_only_where_it_must_be() -> None:
    assert fitting_text("x" * 5000) == "x" * 5000
    assert len(fitting_text("x" * 5001)) == 5000
