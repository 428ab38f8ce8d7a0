"""The isolation plot: the best of each value with its number and its band."""

import pytest

from tasks.report.plots import all as plots
from tests.report.example_records import example
from tests.report.odd_records import joint
from tests.report.plots.drawings import groups, marks, texts


@pytest.mark.playbook("F11", "F14", case="shows")
def test_isolation_shows_the_best_of_each_value_with_its_number_and_band() -> None:
    record = example()
    svg = plots.isolation_plot(record)
    shown = texts(svg)
    assert {"nesterov", "adam", "optimizer"} <= set(shown)
    assert all(f"{row.best_value:.4g}" in shown for row in record.isolation)
    assert len(groups(svg, "band")) == 2
    bare = tuple(row.model_copy(update={"band": None}) for row in record.isolation)
    assert not groups(plots.isolation_plot(record.model_copy(update={"isolation": bare})), "band")


@pytest.mark.playbook("F12", case="shows")
def test_isolation_of_a_continuous_parameter_has_a_bar_for_each_bucket() -> None:
    svg = plots.isolation_plot(joint())
    assert len(groups(svg, "isolated")) == 5
    assert len(groups(svg, "band")) == 5


def test_isolation_shows_the_mean_of_the_retrains_where_there_are_any() -> None:
    assert len(marks(plots.isolation_plot(example("promote")), "retrained")) == 2
    assert not marks(plots.isolation_plot(example("redesign")), "retrained")
