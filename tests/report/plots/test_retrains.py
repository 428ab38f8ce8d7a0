"""The retrains: every arm with its dots, its mean and its interval."""

import numpy as np
import pytest

from tasks.report.plots import all as plots
from tasks.report.plots.retrains import mean_interval
from tasks.report.retrains import retrain_arms
from tests.report.example_records import example
from tests.report.odd_records import with_arm
from tests.report.plots.drawings import groups, marks, texts
from tests.typed import arm_of


@pytest.mark.playbook("G2", case="shows")
def test_retrains_show_every_arm_with_a_dot_each_a_mean_and_an_interval() -> None:
    svg = plots.retrains_plot(example("promote"))
    assert len(marks(svg, "retrain")) == 27
    assert len(marks(svg, "mean")) == len(groups(svg, "interval")) == 3
    assert {"finalist", "baseline", "incumbent"} <= set(texts(svg))


@pytest.mark.playbook("G2", case="shows")
def test_without_retrains_there_is_no_picture_of_the_gate() -> None:
    assert plots.retrains_plot(example("redesign")) == ""


def test_arms_of_equal_points_are_one_arm_under_both_names() -> None:
    record = example("promote")
    known = arm_of(record, "incumbent")
    same = {"point": known.point, "trials": known.trials, "retrained_as": "incumbent"}
    arms = retrain_arms(with_arm(record, "baseline", **same))
    assert [(arm.name, len(arm.trials)) for arm in arms] == [("finalist", 9), ("baseline = incumbent", 9)]


def test_the_interval_of_the_mean_is_students() -> None:
    mean, half = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert mean == 2.0
    assert half == pytest.approx(4.30265 / np.sqrt(3), rel=1e-4)  # t of 2 degrees of freedom at 97.5 %, sd 1
    assert np.isnan(mean_interval(np.array([1.0]))[1])
