"""The gradient's norm against the step, and over all steps, as the trials reported it."""

from collections.abc import Mapping

import numpy as np
import pytest

from tasks.record import Record
from tasks.report.plots import all as plots
from tasks.report.plots.gradients import Norms, mass, norms_of
from tasks.trials.supervised.gradients import quantiles
from tasks.trials.trial import Curve
from tests.report.example_records import curves_of, example
from tests.report.plots.drawings import groups, texts

EDGES = np.linspace(-3.0, 3.0, 61)


def reporting(record: Record, keep: tuple[str, ...], **beside: float) -> dict[str, Curve]:
    """The curves of the record with only those metrics of the gradient, and others that stay the same."""
    found = {}
    for id, curve in curves_of(record).items():
        metrics = {n: v for n, v in curve.metrics.items() if not n.startswith("grad_norm") or n in keep}
        metrics |= {n: np.full(len(curve), value) for n, value in beside.items()}
        found[id] = Curve(steps=curve.steps, metrics=metrics)
    return found


def logged(norms: np.ndarray, every: int) -> Norms:
    """What is known of a trial that had those norms step by step and reported every so many."""
    parts = [norms[i : i + every].tolist() for i in range(0, len(norms), every)]
    reports: Mapping[int, Mapping[str, float]] = {
        (i + 1) * every: {"grad_norm": float(np.mean(p)), "grad_norm_max": max(p), **quantiles(p)}
        for i, p in enumerate(parts)
    }
    found = norms_of(example().trials[0], Curve.from_reports(reports))
    assert found is not None
    return found


@pytest.mark.playbook("I1", case="shows")
def test_the_norm_is_drawn_against_the_step_for_the_best_three_trials_of_each_study() -> None:
    record = example()
    svg = plots.gradient_norms_plot(record, curves_of(record))
    assert len(groups(svg, "norm")) == 2 * 3
    assert len(groups(svg, "largest-norm")) == len(groups(svg, "norm-band")) == 2
    assert {"gradient norm", "step"} <= set(texts(svg))
    assert groups(svg, "threshold") == []


@pytest.mark.playbook("I1", "I12", case="shows")
@pytest.mark.prose
def test_the_histogram_marks_the_90th_percentile_and_the_threshold_where_updates_are_clipped() -> None:
    record = example()
    plain = plots.gradient_histogram_plot(record, curves_of(record))
    assert len(groups(plain, "percentile")) == 2
    assert groups(plain, "threshold") == []
    clips = reporting(record, ("grad_norm", "grad_norm_p90"), clip_norm=0.5, grad_norm_p90=1.25)
    assert len(groups(plots.gradient_norms_plot(record, clips), "threshold")) == 2
    svg = plots.gradient_histogram_plot(record, clips)
    assert len(groups(svg, "threshold")) == 2
    assert "90 % of the steps below 1.25, clipped above 0.5" in texts(svg)


@pytest.mark.playbook("I1", case="shows")
def test_one_number_a_report_is_enough_and_no_norm_draws_nothing() -> None:
    record = example()
    for keep in (("grad_norm",), ("grad_norm_max",)):
        svg = plots.gradient_norms_plot(record, reporting(record, keep))
        assert len(groups(svg, "norm")) == 2 * 3
        assert groups(svg, "norm-band") == []
        assert plots.gradient_histogram_plot(record, reporting(record, keep))
    for curves in (reporting(record, ()), {}):
        assert plots.gradient_norms_plot(record, curves) == plots.gradient_histogram_plot(record, curves) == ""


@pytest.mark.playbook("I1", "I12", case="shows")
@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0])
def test_the_histogram_that_is_drawn_is_that_of_every_step(spread: float) -> None:
    rng = np.random.default_rng(0)
    norms = np.exp(spread * rng.standard_normal(2000)) * np.logspace(0.0, -1.5, 2000)
    true = np.histogram(np.log10(norms), EDGES)[0] / len(norms)
    found = logged(norms, 50)
    drawn = mass(found, EDGES)
    assert drawn.sum() == pytest.approx(1.0)
    assert np.abs(np.cumsum(drawn) - np.cumsum(true)).max() < 0.04
    assert found.typical == pytest.approx(np.quantile(norms, 0.9), rel=0.1)


def test_reports_count_by_the_steps_before_them_and_norms_of_zero_are_left_out() -> None:
    uneven = Curve(steps=np.array([900, 950, 1000]), metrics={"grad_norm": np.array([1.0, 100.0, 0.0])})
    found = norms_of(example().trials[0], uneven)
    assert found is not None
    assert mass(found, EDGES).max() == pytest.approx(900 / 950)
    assert norms_of(example().trials[0], Curve(steps=np.array([1]), metrics={"grad_norm": np.array([0.0])})) is None
