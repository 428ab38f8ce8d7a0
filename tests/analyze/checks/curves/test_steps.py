"""Too few steps, too many steps, and never both."""

from collections.abc import Callable

import numpy as np
import pytest

from tasks.analyze.checks.curves.compute_bound import stingy_steps
from tasks.analyze.checks.curves.leaders import saturation
from tasks.analyze.checks.curves.steps import best_steps, saturated, still_improving
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import (
    CLEAN,
    Floats,
    Metrics,
    Plant,
    Rng,
    distance,
    falling,
    levels,
    one,
    overfitted,
    planted_round,
    saturation_seen,
    shapes,
    with_spike,
)


def study_of(shape: Callable[[Rng], Floats], **changes: object) -> Evidence:
    """One study; every trial has the shape, shifted by how far off its learning rate is."""
    return planted_round(lambda p, i, rng: {"valid_error": shape(rng) + 0.02 * distance(p)}, **changes)  # type: ignore[arg-type]


@pytest.mark.playbook("F8", "H3", case="fires")
@pytest.mark.prose
def test_a_study_that_ends_too_soon_is_told_to_train_longer_by_both_checks() -> None:
    slow = study_of(lambda rng: falling(rng, pace=0.5, noise=0.005))
    improving, steps = one(still_improving(slow)), one(best_steps(slow))
    assert (improving.level, steps.level) == ("warn", "warn")
    assert improving.remedy == steps.remedy == ("budget.max_train_steps=2000",)
    assert (improving.reason, steps.reason) == ("improving", "mostly_late")
    assert "retune the decay" in steps.evidence
    assert one(saturated(slow)).level == "ok"


@pytest.mark.playbook("F8", "H3", case="silent")
def test_a_study_of_the_right_length_is_told_nothing() -> None:
    right = study_of(lambda rng: falling(rng, pace=0.15, noise=0.01))
    assert levels([*still_improving(right), *saturated(right), *best_steps(right)]) == ["ok", "ok", "ok"]


@pytest.mark.playbook("F8", "F9", "H3", "H4", case="silent")
def test_trials_that_were_stopped_early_are_not_judged_by_steps_that_they_never_ran() -> None:
    """Their twin ran all of the steps; and trials that were cut off while they fell are told to run on."""

    def stopped(pace: float, at: int) -> Evidence:
        return study_of(lambda rng: falling(rng, count=at, pace=pace, noise=0.002), evaluations=20)

    calm = stopped(0.05, 12)
    judged = [*still_improving(calm), *saturated(calm), *best_steps(calm), *stingy_steps(calm)]
    assert [f.reason for f in judged] == ["done", "cut_short", "cut_short", "cut_short"]
    assert judged[1].numbers["ended"] == 600
    assert one(saturated(stopped(0.05, 20))).level == "warn"
    cut = one(still_improving(stopped(0.5, 12)))
    assert (cut.reason, cut.remedy) == ("cut_off_while_improving", ())


@pytest.mark.playbook("F9", case="fires")
def test_a_study_that_goes_on_long_after_its_end_could_be_shorter() -> None:
    found = one(saturated(study_of(lambda rng: falling(rng, pace=0.05, noise=0.01))))
    assert (found.level, found.reason) == ("warn", "saturated")
    assert found.remedy == ("budget.max_train_steps=500",)


@pytest.mark.playbook("F9", case="silent")
def test_a_training_loss_that_still_falls_is_not_saturated() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, pace=0.05, noise=0.01), "train_loss": falling(rng, pace=0.5, noise=0.01)}

    assert one(saturated(planted_round(outcome))).level == "ok"


@pytest.mark.playbook("F9", case="silent")
def test_noise_that_may_hide_a_late_gain_is_never_taken_for_saturation() -> None:
    """The pace of a sound study, under more and more noise: silent throughout, and in the end not asked."""
    found = [
        one(saturated(study_of(lambda rng, n=noise: falling(rng, pace=0.15, noise=n), seed=seed)))  # type: ignore[misc]
        for noise in (0.02, 0.05, 0.2)
        for seed in range(20)
    ]
    assert sum(f.level == "warn" for f in found) <= 3
    assert {f.reason for f in found[-20:]} == {"too_noisy"}


def test_a_late_gain_under_a_decayed_learning_rate_is_told_as_such() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, pace=0.5, noise=0.005), "learning_rate": np.linspace(1.0, 0.01, 20)}

    assert one(still_improving(planted_round(outcome))).reason == "improving_after_decay"


@pytest.mark.playbook("H3", case="fires")
def test_best_steps_in_the_first_tenth_alone_mean_far_too_many_steps() -> None:
    def early(rng: Rng) -> Floats:
        return np.concatenate([[0.9, 0.3], 0.4 + 0.1 * np.linspace(0, 1, 38)]) + 0.001 * rng.standard_normal(40)

    found = one(best_steps(study_of(early, evaluations=40)))
    assert (found.level, found.reason) == ("warn", "all_early")
    assert found.remedy == ("budget.max_train_steps=400", "budget.eval_every_steps=10")


@pytest.mark.playbook("H3", case="silent")
def test_best_steps_at_the_end_of_a_decay_that_gained_little_are_no_warning() -> None:
    def decayed(rng: Rng) -> Floats:
        return falling(rng, pace=0.1, noise=0.0) - 0.004 * np.linspace(0, 1, 20) + 1e-4 * rng.standard_normal(20)

    found = one(best_steps(study_of(decayed)))
    assert found.numbers["late_share"] == 1.0
    assert (found.level, found.reason) == ("ok", "late_and_gained_little")


def test_no_study_is_told_to_be_longer_and_shorter_at_once() -> None:
    for seed, pace in enumerate((0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 1.0) * 2):
        for rise in (0.0, 0.15):
            study = study_of(lambda rng, p=pace, r=rise: falling(rng, pace=p, rise=r), seed=seed, trials=8)  # type: ignore[misc]
            told = [r for f in (*still_improving(study), *saturated(study), *best_steps(study)) for r in f.remedy]
            sizes = {int(r.partition("=")[2]) for r in told if r.startswith("budget.max_train_steps")}
            assert not (any(n > 1000 for n in sizes) and any(n < 1000 for n in sizes))


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
