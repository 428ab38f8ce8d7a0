"""Signs of trouble in the optimisation, summed over the checks."""

from collections.abc import Callable

import numpy as np
import pytest

from tasks.analyze.analysis import analyze
from tasks.record import Finding, Point
from tests.analyze.planted_curves import Floats, Metrics, Rng, distance, falling, planted_round

EVALUATIONS = 20
Norms = Callable[[Rng], Floats]


def calm(rng: Rng, spread: float = 0.3) -> Floats:
    """A norm that stays where it is, but for its noise."""
    noise: Floats = np.exp(spread * rng.standard_normal(EVALUATIONS))
    return noise


def decaying(rng: Rng) -> Floats:
    """A norm that falls smoothly by three decades, as where the training error reaches 0."""
    return calm(rng, 0.1) * np.logspace(0.0, -3.0, EVALUATIONS)


def to_zero(rng: Rng) -> Floats:
    """A norm under a learning rate that goes to zero."""
    return calm(rng) * 0.5 * (1.0 + np.cos(np.pi * np.arange(EVALUATIONS) / EVALUATIONS))


def dropping(rng: Rng) -> Floats:
    """A norm that drops for good by two decades at a tenfold smaller learning rate."""
    return calm(rng, 0.2) * np.where(np.arange(EVALUATIONS) < EVALUATIONS // 2, 1.0, 0.01)


def spiked(norms: Norms, at: int, times: float = 60.0) -> Norms:
    """The same norms with one report that many times as high."""

    def spoilt(rng: Rng) -> Floats:
        values = norms(rng)
        values[at] *= times
        return values

    return spoilt


def every_sign(norms: Norms | None, *, rise: float = 0.0, **beside: Norms) -> list[Finding]:
    """E11 of a study with those norms, and that rise of the training loss."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        level = {"valid_error": falling(rng, level=0.3 + 0.05 * distance(point)), "train_loss": falling(rng, rise=rise)}
        logged = {} if norms is None else {"grad_norm": norms(rng)}
        return {**level, **logged, **{name: values(rng) for name, values in beside.items()}}

    return [f for f in analyze(planted_round(outcome, trials=32)).findings if f.row == "E11"]


def summed(norms: Norms | None, *, rise: float = 0.0, **beside: Norms) -> Finding:
    """The first of them: the sum."""
    return every_sign(norms, rise=rise, **beside)[0]


@pytest.mark.playbook("E11", case="fires")
@pytest.mark.parametrize(
    ("norms", "at"), [(calm, 1), (calm, 10), (calm, 18), (to_zero, 1), (to_zero, 15), (dropping, 5), (decaying, 6)]
)
def test_a_spike_of_the_gradient_is_a_sign_wherever_it_stands(norms: Norms, at: int) -> None:
    found = summed(spiked(norms, at))
    assert (found.level, found.reason) == ("warn", "signs")
    assert found.numbers["spike_step"] == 50 * (at + 1)
    assert found.trials


@pytest.mark.playbook("E11", case="silent")
@pytest.mark.parametrize("norms", [calm, decaying, to_zero, dropping, lambda rng: calm(rng, 0.6)])
def test_norms_that_fall_by_decades_follow_the_learning_rate_or_wander_are_no_sign(norms: Norms) -> None:
    found = summed(norms)
    assert (found.level, found.reason) == ("ok", "no_signs")
    assert found.trials == ()


@pytest.mark.playbook("E11", case="silent")
def test_a_jump_at_a_level_far_below_the_usual_norm_is_no_sign() -> None:
    def far_down(rng: Rng) -> Floats:
        return calm(rng, 0.1) * np.logspace(0.0, -5.0, EVALUATIONS)

    found = summed(spiked(far_down, 18, times=100.0))
    assert found.level == "ok"
    assert summed(spiked(far_down, 7, times=100.0)).level == "warn"


@pytest.mark.playbook("E11", case="fires")
def test_a_spike_of_one_step_is_seen_in_the_largest_norm_though_the_mean_hides_it() -> None:
    assert summed(spiked(calm, 12, times=3.0)).level == "ok"
    assert summed(spiked(calm, 12, times=3.0), grad_norm_max=spiked(calm, 12)).level == "warn"


@pytest.mark.playbook("E11", case="silent")
def test_a_norm_that_is_large_at_initialisation_is_no_sign_and_one_that_rose_from_there_is() -> None:
    first = spiked(calm, 0)
    assert summed(first).level == "ok"
    assert summed(first, grad_norm_first=first).level == "ok"
    assert summed(first, grad_norm_first=calm).level == "warn"


@pytest.mark.prose
def test_a_spike_and_a_rising_training_loss_are_told_with_number_and_step() -> None:
    told = summed(spiked(calm, 1)).evidence
    assert "gradient spike at step 100" in told
    assert "The gradient norm at step 100 early in training is " in told
    assert "early" not in summed(spiked(calm, 15)).evidence
    assert "rising training loss" in summed(None, rise=0.3).evidence


@pytest.mark.playbook("E11", case="silent")
def test_where_no_norm_is_logged_that_is_said_to_be_unchecked() -> None:
    whole, unseen = every_sign(None)
    assert (whole.level, unseen.level, unseen.reason) == ("ok", "na", "not_reported")
    assert "gradient norm" not in whole.evidence
    assert [f.level for f in every_sign(calm)] == ["ok"]


@pytest.mark.playbook("E11", case="fires")
def test_updates_that_are_mostly_clipped_are_a_sign() -> None:
    assert summed(calm, clipped=lambda rng: np.full(EVALUATIONS, 1.0)).level == "warn"
    assert summed(calm, clipped=lambda rng: np.full(EVALUATIONS, 0.1)).level == "ok"
