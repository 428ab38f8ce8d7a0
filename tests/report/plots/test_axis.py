"""The axis plot: everything varied is shown, infeasible trials are red crosses, and findings are named."""

import re

import pytest

from tasks.record import Record
from tasks.report.plots import all as plots
from tests.report.example_records import example
from tests.report.plots.drawings import groups, heights, marks, texts


def without_the_lost(record: Record) -> Record:
    """The same round, had every trial come to something."""
    kept = tuple(t for t in record.trials if t.status == "complete")
    return record.model_copy(update={"trials": kept})


@pytest.mark.playbook("E13", case="shows")
def test_every_varied_parameter_of_every_study_has_a_panel() -> None:
    record = example()
    svg = plots.axis_plot(record)
    names = [name for study in record.studies for name in study.space]
    assert len(names) == 8
    assert len(groups(svg, "panel")) == len(names)
    shown = texts(svg)
    assert all(shown.count(name) == names.count(name) for name in names)


def test_a_parameter_with_one_possible_value_has_no_panel() -> None:
    record = example()
    pinned = record.studies[0].model_copy(
        update={"space": {**record.studies[0].space, "pin": {"low": 2.0, "high": 2.0}}}
    )
    svg = plots.axis_plot(record.model_copy(update={"studies": (pinned, record.studies[1])}))
    assert len(groups(svg, "panel")) == 8
    assert "pin" not in texts(svg)


@pytest.mark.playbook("E8", case="shows")
def test_each_infeasible_trial_is_a_red_cross_in_every_panel_of_its_study() -> None:
    record = example()
    svg = plots.axis_plot(record)
    lost = [t for t in record.trials if t.status != "complete"]
    crosses = marks(svg, "infeasible")
    assert len(crosses) == 4 * len(lost) > 0
    assert all("var(--plot-infeasible)" in str(g.get("style")) for g in groups(svg, "infeasible"))
    red = re.findall(r"--plot-infeasible:(#[0-9a-f]{6})", svg)
    assert all(int(c[1:3], 16) > 180 and int(c[3:5], 16) < 120 and int(c[5:], 16) < 120 for c in red)


@pytest.mark.playbook("E8", case="shows")
def test_without_an_infeasible_trial_there_is_no_red_mark_at_all() -> None:
    svg = plots.axis_plot(without_the_lost(example("promote")))
    assert marks(svg, "feasible")
    assert not marks(svg, "infeasible")
    assert "var(--plot-infeasible)" not in svg


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize(("direction", "worse_is_up"), [("minimize", True), ("maximize", False)])
def test_crosses_stand_at_the_worse_end_of_the_axis(direction: str, worse_is_up: bool) -> None:
    record = example(direction=direction)
    svg = plots.axis_plot(record.model_copy(update={"studies": record.studies[:1]}))
    crosses, dots = (heights(marks(svg, gid)) for gid in ("infeasible", "feasible"))
    gap = min(dots) - max(crosses) if worse_is_up else min(crosses) - max(dots)  # y grows downward in an SVG
    assert gap > 6  # points: a strip of their own


def test_a_conditional_parameter_shows_only_the_trials_in_which_it_exists() -> None:
    record = example()
    trial = record.trials[0]
    orphan = trial.model_copy(update={"point": {k: v for k, v in trial.point.items() if k != "nesterov.learning_rate"}})
    whole, less = (
        sum(len(marks(svg, gid)) for svg in [plots.axis_plot(r)] for gid in ("feasible", "beyond"))
        for r in (record, record.model_copy(update={"trials": (orphan, *record.trials[1:])}))
    )
    assert whole - less == 1


def test_the_best_trial_of_each_study_is_ringed_once_a_panel() -> None:
    assert len(marks(plots.axis_plot(example()), "best")) == 8
    assert not marks(plots.axis_plot(example(feasible=False)), "best")


@pytest.mark.playbook("E13", case="shows")
def test_a_finding_stands_over_the_panel_it_speaks_of() -> None:
    assert "fail E2" in texts(plots.axis_plot(example("redesign")))
    assert "fail E2" not in texts(plots.axis_plot(example("promote")))


@pytest.mark.playbook("E4", case="shows")
def test_a_trial_that_was_kept_of_an_earlier_round_has_a_white_centre_and_the_legend_says_so() -> None:
    record = example()
    good = [t for t in record.trials if t.status == "complete" and t.study == record.studies[0].id][:5]
    kept = {t.id for t in good} | {next(t.id for t in record.trials if t.status != "complete")}
    changed = [t.model_copy(update={"kept": f"r1/{t.id}"}) if t.id in kept else t for t in record.trials]
    svg = plots.axis_plot(record.model_copy(update={"trials": tuple(changed)}))
    centres = [use.get("data-t") for use in marks(svg, "kept")]
    assert set(centres) <= {t.id for t in good}
    assert len(centres) > 4
    assert texts(svg).count("kept of an earlier round") == 1
    assert len(marks(svg, "feasible")) == len(marks(plots.axis_plot(record), "feasible"))
    plain = plots.axis_plot(record)
    assert not marks(plain, "kept")
    assert "kept of an earlier round" not in texts(plain)
