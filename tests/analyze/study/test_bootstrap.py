"""The luck of a search: best-of-n curves and the band around a study's best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.analyze.study.bootstrap import best_band, best_of_n, expected_best, repeated_bests
from tasks.design.samplers.halton import Halton

Floats = NDArray[np.float64]
LOSSES = st.lists(st.one_of(st.floats(-10, 10, width=32), st.just(float("nan"))), min_size=1, max_size=20)


@pytest.mark.playbook("D13", case="shows")
def test_the_quantiles_are_those_of_a_bootstrap_that_really_draws() -> None:
    rng = np.random.default_rng(0)
    losses = np.append(rng.random(20), [np.nan] * 4)
    sizes = np.array([1, 3, 8, 24])
    exact = best_of_n(losses, sizes)
    for row, m in zip(exact, sizes, strict=True):
        drawn = np.where(np.isnan(losses), np.inf, losses)[rng.integers(0, 24, (40_000, m))].min(axis=1)
        for q, value in zip((0.05, 0.5, 0.95), row, strict=True):
            wanted = np.quantile(drawn, q, method="inverted_cdf")
            below = np.mean(drawn <= (value if np.isfinite(value) else np.inf))
            assert value == wanted or (np.isnan(value) and np.isinf(wanted)) or abs(below - q) < 0.01


def test_the_best_of_one_has_the_quantiles_of_the_losses_themselves() -> None:
    assert best_of_n(np.arange(100.0), np.array([1]))[0].tolist() == [4.0, 49.0, 94.0]


def test_infeasible_trials_are_drawn_but_never_best() -> None:
    half = np.array([1.0, 2.0, np.nan, np.nan])
    one, many = best_of_n(half, np.array([1, 50]))
    assert one[0] == 1.0
    assert np.isnan(one[2])
    assert many.tolist() == [1.0, 1.0, 1.0]


def test_a_study_without_a_feasible_trial_has_no_best() -> None:
    nothing = np.full(5, np.nan)
    assert np.isnan(best_of_n(nothing, np.array([1, 5]))).all()
    assert np.isnan(expected_best(nothing, 3))
    assert best_band(nothing, np.random.default_rng(0), 100) is None


@settings(max_examples=80, deadline=None)
@given(LOSSES)
def test_more_trials_are_never_worse_and_never_better_than_the_best(losses: list[float]) -> None:
    known = np.array(losses)
    curve = np.nan_to_num(best_of_n(known, np.arange(1, 12)), nan=np.inf)
    assert (curve[1:] <= curve[:-1]).all()
    if np.isfinite(known).any():
        assert (curve >= np.nanmin(known)).all()
        assert expected_best(known, 8) <= expected_best(known, 4) + 1e-9


def test_the_expected_best_is_the_mean_of_many_draws() -> None:
    rng = np.random.default_rng(1)
    losses = rng.random(12)
    drawn = losses[rng.integers(0, 12, (100_000, 5))].min(axis=1).mean()
    assert expected_best(losses, 5) == pytest.approx(drawn, abs=0.002)


def bowl(seed: int, count: int, dimensions: int, noise: float) -> Floats:
    """(count,) float64: a quadratic bowl at quasi-random points, with noise of `noise` per trial."""
    unit = Halton.unit(count, dimensions, np.random.default_rng(seed))
    weights = np.array([1.0, 0.5, 0.3, 0.2, 0.1])[:dimensions]
    losses: Floats = ((unit - 0.35) ** 2 * weights).sum(axis=1)
    return losses + noise * np.random.default_rng(seed).standard_normal(count)


@pytest.mark.playbook("F14", "G7", case="shows")
@pytest.mark.parametrize("dimensions", [1, 2, 4])
@pytest.mark.parametrize("noise", [0.02, 0.1])
@pytest.mark.parametrize("count", [8, 24])
def test_the_band_holds_the_best_of_another_study_nine_times_out_of_ten(
    count: int, noise: float, dimensions: int
) -> None:
    studies = [bowl(s, count, dimensions, noise) for s in range(150)]
    bests = np.array([losses.min() for losses in studies])
    bands = [best_band(losses, np.random.default_rng(s), 400) for s, losses in enumerate(studies)]
    covered = np.mean([[low <= best <= high for best in bests] for low, high in filter(None, bands)])
    assert 0.84 <= covered <= 1.0


def test_a_plain_bootstrap_of_the_minimum_covers_less_than_half_as_often_as_it_says() -> None:
    studies = [bowl(s, 24, 2, 0.1) for s in range(150)]
    bests = np.array([losses.min() for losses in studies])
    plain = [best_of_n(losses, np.array([24]))[0] for losses in studies]
    assert np.mean([[low <= best <= high for best in bests] for low, _, high in plain]) < 0.5


@pytest.mark.playbook("G7", case="silent")
def test_equal_values_are_told_apart_in_at_most_one_round_of_twenty() -> None:
    rng = np.random.default_rng(0)
    draws = [repeated_bests(bowl(s, 24, 2, 0.1), rng, 400) for s in range(300)]
    pairs = zip(draws[::2], draws[1::2], strict=True)
    ends = [np.quantile(a - b, (0.05, 0.95)) for a, b in pairs]
    assert np.mean([low > 0 or high < 0 for low, high in ends]) <= 0.05


@pytest.mark.playbook("G7", case="fires")
def test_values_that_differ_by_eight_times_the_spread_of_bests_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    losses = [bowl(s, 24, 2, 0.1) for s in range(100)]
    gap = 8 * np.std([known.min() for known in losses])
    gains = [repeated_bests(known + gap, rng, 400) - repeated_bests(known, rng, 400) for known in losses]
    assert np.mean([np.quantile(g, 0.05) > 0 for g in gains]) >= 0.95


def test_the_band_moves_and_stretches_with_the_metric() -> None:
    losses = bowl(3, 16, 2, 0.02)
    low, high = best_band(losses, np.random.default_rng(0), 400) or (0.0, 0.0)
    moved = best_band(100 * losses + 7, np.random.default_rng(0), 400)
    assert moved == pytest.approx((100 * low + 7, 100 * high + 7))


def test_three_feasible_trials_have_no_band() -> None:
    few = np.array([0.1, 0.2, 0.3, np.nan, np.nan])
    assert best_band(few, np.random.default_rng(0), 100) is None
    assert best_band(np.append(few, 0.4), np.random.default_rng(0), 100) is not None


@pytest.mark.parametrize("loss", [0.25, 0.0, -0.0, 0.1])  # an accuracy of 0 everywhere is a loss of -0.0
def test_equal_losses_have_a_band_without_width(loss: float) -> None:
    assert best_band(np.full(9, loss), np.random.default_rng(0), 100) == pytest.approx((loss, loss))
