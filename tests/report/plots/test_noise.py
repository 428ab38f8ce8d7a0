"""The best of n trials: a median and a band for each study, named for what it is."""

import pytest

from tasks.report.plots import all as plots
from tests.report.example_records import example
from tests.report.plots.drawings import groups, texts


@pytest.mark.playbook("D13", case="shows")
def test_best_of_n_has_a_median_and_a_band_for_every_study() -> None:
    record = example()
    svg = plots.best_of_n_plot(record)
    assert len(groups(svg, "median")) == len(groups(svg, "band")) == 2
    assert {"optimizer = nesterov", "optimizer = adam"} <= set(texts(svg))


@pytest.mark.prose
def test_the_band_of_fewer_trials_says_that_it_is_resampled_and_not_the_luck_of_another_search() -> None:
    (picture,) = [p for p in plots.pictures(example(), {}) if p.name == "best-of-n"]
    assert "cannot show a value better than the best found" in picture.caption
    assert "5 to 95 % of searches resampled from these trials" in texts(picture.svg)
