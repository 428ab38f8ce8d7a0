"""The shape of a curve: its noise, its unit, its first value."""

import numpy as np
import pytest

from tasks.analyze.checks.curves.leaders import saturation
from tasks.analyze.study.curves import Shape
from tests.analyze.planted_curves import (
    POLICY,
    ROUNDS,
    Plant,
    falling,
    overfitted,
    saturation_seen,
    shapes,
)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e-6])
def test_the_noise_is_measured_whatever_the_trend(scale: float) -> None:
    steep = [scale * (falling(np.random.default_rng(s), count=40) - np.linspace(0, 1, 40)) for s in range(ROUNDS)]
    found = [Shape(steps=np.arange(1, 41), losses=c, policy=POLICY).noise for c in steep]
    assert np.mean(found) == pytest.approx(scale * 0.6 * 0.02, rel=0.1)


def test_a_constant_curve_neither_rises_nor_improves_nor_is_saturated() -> None:
    still = Shape(steps=np.arange(1, 21), losses=np.full(20, 0.9), policy=POLICY)
    assert (still.rises, still.improving, still.moved, saturation([still])) == (False, False, False, None)


def test_another_unit_of_the_metric_changes_no_judgement() -> None:
    steps = np.arange(1, 21)
    for seed in range(30):
        curve = falling(np.random.default_rng(seed), rise=0.1, noise=0.03)
        plain = Shape(steps=steps, losses=curve, policy=POLICY)
        other = Shape(steps=steps, losses=1e4 * curve - 3.0, policy=POLICY)
        assert (plain.rises, plain.improving) == (other.rises, other.improving)
        assert plain.gain_since_half == pytest.approx(other.gain_since_half)
        assert plain.turning_step == other.turning_step


@pytest.mark.playbook("F2", case="fires")
@pytest.mark.playbook("F9", case="silent")
def test_a_huge_first_evaluation_hides_nothing_that_came_after_it() -> None:
    """An overfitting curve, one that falls on, and one that has long ended, each after a first value of 50,000."""

    def after(plant: Plant) -> list[Shape]:
        return shapes(lambda rng, n: np.concatenate([[5e4], plant(rng, n - 1)]), 20)

    assert np.mean([s.rises for s in after(overfitted)]) >= 0.95
    assert np.mean(saturation_seen(after(lambda rng, n: falling(rng, count=n, pace=0.3, noise=0.005)))) <= 0.05
    assert np.mean(saturation_seen(after(lambda rng, n: falling(rng, count=n, pace=0.05, noise=0.005)))) >= 0.95
    assert np.mean([s.rises for s in after(lambda rng, n: falling(rng, count=n, pace=1e-3))]) <= 0.05
