"""Training curves: each planted fault is found, and its clean twin is let through."""

from collections.abc import Callable

import numpy as np
import pytest

from tasks.analyze.checks.curves.late_noise import late_noise
from tasks.analyze.checks.curves.overfitting import any_overfitting, overfitting
from tasks.analyze.checks.curves.steps import best_steps, saturated, saturation, still_improving
from tasks.analyze.checks.curves.training_loss import rising_training_loss
from tasks.analyze.study.curves import Shape
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Point
from tests.analyze.planted_curves import (
    Floats,
    Metrics,
    Rng,
    compared_round,
    falling,
    levels,
    one,
    overfits_under,
    planted_round,
    shipped_policy,
)

Plant = Callable[[Rng, int], Floats]
POLICY = shipped_policy()
ROUNDS = 80  # curves a family and length: an error rate of 5 % is then known to two points

CLEAN: dict[str, Plant] = {
    "falling": lambda rng, n: falling(rng, count=n),
    "fast": lambda rng, n: falling(rng, count=n, pace=0.05),
    "slow": lambda rng, n: falling(rng, count=n, pace=0.5),
}


def with_spike(rng: Rng, n: int) -> Floats:
    """A falling curve with one evaluation that went wrong late."""
    curve = falling(rng, count=n)
    curve[int(0.8 * n)] += 0.5
    return curve


def with_restart(rng: Rng, n: int) -> Floats:
    """A schedule that starts again half way: worse for a while, and on its way back at the end."""
    curve = falling(rng, count=n)
    curve[n // 2 :] += 0.25 * np.exp(-np.arange(n - n // 2) / (0.2 * n))
    return curve


def overfitted(rng: Rng, n: int) -> Floats:
    """A curve that turns at a third and loses a quarter of its descent until the end."""
    return falling(rng, count=n, rise=0.25)


def shapes(plant: Plant, count: int) -> list[Shape]:
    """The shapes of many curves of one family."""
    steps = 50 * np.arange(1, count + 1)
    return [Shape(steps=steps, losses=plant(np.random.default_rng(s), count), policy=POLICY) for s in range(ROUNDS)]


def saturation_seen(found: list[Shape]) -> list[bool]:
    """Of each three curves, as of the best three trials of a study, whether they are seen to have ended early."""
    threes = [saturation(found[i : i + 3]) for i in range(0, len(found) - 2, 3)]
    return [bool(s and s.shown) for s in threes]


@pytest.mark.playbook("F2", case="fires")
@pytest.mark.parametrize("count", [20, 40, 100])
def test_a_rise_of_a_quarter_of_the_descent_is_seen_through_moderate_noise(count: int) -> None:
    assert np.mean([s.rises for s in shapes(overfitted, count)]) >= 0.95


@pytest.mark.playbook("F2", case="silent")
@pytest.mark.parametrize("count", [10, 20, 40, 100])
@pytest.mark.parametrize("plant", [*CLEAN.values(), with_spike, with_restart])
def test_noise_a_spike_and_a_restart_are_no_rise(plant: Plant, count: int) -> None:
    assert np.mean([s.rises for s in shapes(plant, count)]) <= 0.05


@pytest.mark.playbook("F2", case="silent")
@pytest.mark.parametrize(("count", "rise"), [(5, 0.5), (6, 0.25)])
def test_a_rise_that_so_few_evaluations_cannot_tell_from_noise_is_not_checked(count: int, rise: float) -> None:
    """A curve as short that falls to its end is sound."""

    def told(rise: float) -> list[str]:
        return levels(
            overfitting(planted_round(lambda p, i, r: {"valid_error": _short(r, count, rise)}, evaluations=count))
        )

    assert told(rise) == ["na"]
    assert told(0.0) == ["ok"]


def _short(rng: Rng, count: int, rise: float) -> Floats:
    return falling(rng, count=count, pace=0.15, rise=rise, turn=0.4, noise=0.005)


@pytest.mark.parametrize("count", [10, 20, 40])
def test_even_strong_noise_is_rarely_taken_for_a_rise(count: int) -> None:
    loud = shapes(lambda rng, n: falling(rng, count=n, noise=0.1), count)
    assert np.mean([s.rises for s in loud]) <= 0.06


@pytest.mark.playbook("F8", case="fires")
@pytest.mark.parametrize("count", [20, 40, 100])
def test_a_slow_descent_is_seen_to_go_on(count: int) -> None:
    assert np.mean([s.improving for s in shapes(CLEAN["slow"], count)]) >= 0.95


@pytest.mark.playbook("F8", case="silent")
@pytest.mark.parametrize("count", [10, 20, 40, 100])
@pytest.mark.parametrize("plant", [CLEAN["falling"], CLEAN["fast"], with_spike, overfitted])
def test_a_descent_that_ended_is_not_seen_to_go_on(plant: Plant, count: int) -> None:
    assert np.mean([s.improving for s in shapes(plant, count)]) <= 0.05


@pytest.mark.playbook("F9", case="fires")
@pytest.mark.parametrize("count", [20, 40, 100])
def test_a_fast_descent_is_seen_to_have_ended_long_before(count: int) -> None:
    """Through noise of 1 % of the descent; of 2 % in 20 evaluations, a gain that matters may hide in it."""
    fast = shapes(lambda rng, n: falling(rng, count=n, pace=0.05, noise=0.01), count)
    assert np.mean(saturation_seen(fast)) >= 0.95


@pytest.mark.playbook("F9", case="silent")
@pytest.mark.parametrize("count", [10, 20, 40, 100])
@pytest.mark.parametrize("pace", [0.25, 0.5])
def test_a_descent_that_goes_on_past_half_way_has_not_ended(count: int, pace: float) -> None:
    going = shapes(lambda rng, n: falling(rng, count=n, pace=pace), count)
    assert np.mean(saturation_seen(going)) <= 0.05


def test_noise_that_would_hide_a_gain_forbids_to_say_that_nothing_was_gained() -> None:
    loud = shapes(lambda rng, n: falling(rng, count=n, pace=0.05, noise=0.15), 20)
    assert np.mean(saturation_seen(loud)) <= 0.05


@pytest.mark.parametrize("pace", [0.05, 0.12, 0.25, 0.5])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.1])
def test_no_curve_still_improves_and_is_saturated_at_once(pace: float, noise: float) -> None:
    every = shapes(lambda rng, n: falling(rng, count=n, pace=pace, noise=noise), 20)
    assert not any(s.improving and (found := saturation([s])) and found.shown for s in every)


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


@pytest.mark.parametrize("check", [overfitting, rising_training_loss, still_improving, saturated, best_steps])
def test_four_evaluations_are_not_enough_points(check: Callable[[Evidence], list[Finding]]) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, count=4), "train_loss": falling(rng, count=4)}

    assert levels(check(compared_round(outcome))) == ["na", "na"]


@pytest.mark.parametrize(
    "check",
    [overfitting, any_overfitting, rising_training_loss, still_improving, saturated, best_steps, late_noise],
)
def test_a_round_without_a_feasible_trial_is_not_checked(check: Callable[[Evidence], list[Finding]]) -> None:
    found = check(compared_round(lambda point, index, rng: None))
    assert found
    assert set(levels(found)) == {"na"}


def gap_round(gap: float, seed: int, direction: str = "minimize") -> Evidence:
    """Two arms whose bests lie `gap` standard deviations of the late noise apart."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        ahead = 0.012 * gap * (point["optimizer"] == "adam")
        far = 0.3 * (index % 2 > 0)  # one trial an arm stands out, so that luck does not choose another
        return {"valid_error": falling(rng, count=40, pace=0.05, level=0.3 + far - ahead)}

    return compared_round(outcome, trials=2, evaluations=40, seed=seed)


@pytest.mark.playbook("F7", case="fires")
def test_arms_that_are_closer_than_the_late_noise_are_hard_to_compare() -> None:
    assert np.mean([one(late_noise(gap_round(0.0, s))).level == "warn" for s in range(100)]) >= 0.95


@pytest.mark.playbook("F7", case="silent")
def test_arms_that_are_far_apart_are_not() -> None:
    assert np.mean([one(late_noise(gap_round(3.0, s))).level == "warn" for s in range(60)]) <= 0.05


def test_in_a_single_study_the_best_is_held_against_the_second() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 + 0.02 * index, noise=0.002)}

    found = one(late_noise(planted_round(outcome)))
    assert found.level == "ok"
    assert found.numbers["gap"] == pytest.approx(0.02, abs=0.005)


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


@pytest.mark.playbook("F7", case="silent")
def test_two_trials_at_the_ceiling_that_do_not_move_are_no_noise() -> None:
    """Where they move and are as good, noise decides."""
    steady = planted_round(lambda p, i, r: {"accuracy": np.minimum(np.arange(1, 21) / 10, 1.0)}, metric="accuracy")
    assert levels(late_noise(steady)) == ["ok"]
    moving = planted_round(lambda p, i, r: {"valid_error": falling(r, noise=0.02)})
    assert levels(late_noise(moving)) == ["warn"]


@pytest.mark.playbook("F10", case="fires")
def test_a_training_loss_that_rises_in_the_best_trial_is_a_bug_until_shown_otherwise() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng), "train_loss": falling(rng, rise=0.3)}

    found = [one(rising_training_loss(planted_round(outcome, seed=s))).level for s in range(20)]
    assert found.count("fail") >= 19


@pytest.mark.playbook("F10", case="silent")
@pytest.mark.parametrize("plant", [*CLEAN.values(), with_spike, with_restart])
def test_a_training_loss_that_falls_is_silent_spikes_and_restarts_included(plant: Plant) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng), "train_loss": plant(rng, 20)}

    found = [one(rising_training_loss(planted_round(outcome, seed=s))).level for s in range(20)]
    assert found.count("fail") <= 1


def test_poor_trials_may_come_apart_without_blocking_the_round() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        poor = index % 3 == 0
        return {"valid_error": falling(rng, level=0.6 if poor else 0.3), "train_loss": falling(rng, rise=0.4 * poor)}

    found = one(rising_training_loss(planted_round(outcome)))
    assert (found.level, found.numbers["rising"]) == ("ok", 4)


def test_without_a_training_loss_nothing_is_checked() -> None:
    found = one(rising_training_loss(planted_round(lambda p, i, rng: {"valid_error": falling(rng)})))
    assert found.level == "na"
    assert "train_loss" in found.evidence


@pytest.mark.parametrize("check", [overfitting, any_overfitting, still_improving, saturated, late_noise, best_steps])
def test_turning_the_metric_over_changes_no_level(check: Callable[[Evidence], list[Finding]]) -> None:
    def upside_down(point: Point, index: int, rng: Rng) -> Metrics:
        right = overfits_under("adam")(point, index, rng)
        return {**right, "valid_error": -right["valid_error"]}

    down = compared_round(upside_down, direction="maximize")
    assert levels(check(down)) == levels(check(compared_round(overfits_under("adam"))))
