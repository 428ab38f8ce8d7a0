"""What holds of every check of training curves: too little is not judged, and the direction changes nothing."""

from collections.abc import Callable

import pytest

from tasks.analyze.checks.curves.late_noise import late_noise
from tasks.analyze.checks.curves.overfitting import any_overfitting, overfitting
from tasks.analyze.checks.curves.steps import best_steps, saturated, still_improving
from tasks.analyze.checks.curves.training_loss import rising_training_loss
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Point
from tests.analyze.planted_curves import (
    Metrics,
    Rng,
    compared_round,
    falling,
    levels,
    overfits_under,
)


@pytest.mark.parametrize("check", [overfitting, rising_training_loss, still_improving, saturated, best_steps])
def test_four_evaluations_are_not_enough_points(check: Callable[[Evidence], list[Finding]]) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, count=4), "train_loss": falling(rng, count=4)}

    assert [f.reason for f in check(compared_round(outcome))] == ["too_few_evaluations"] * 2


@pytest.mark.parametrize(
    "check",
    [overfitting, any_overfitting, rising_training_loss, still_improving, saturated, best_steps, late_noise],
)
def test_a_round_without_a_feasible_trial_is_not_checked(check: Callable[[Evidence], list[Finding]]) -> None:
    found = check(compared_round(lambda point, index, rng: None))
    assert {f.reason for f in found} == {"no_feasible_trial"}


@pytest.mark.parametrize("check", [overfitting, any_overfitting, still_improving, saturated, late_noise, best_steps])
def test_turning_the_metric_over_changes_no_level(check: Callable[[Evidence], list[Finding]]) -> None:
    def upside_down(point: Point, index: int, rng: Rng) -> Metrics:
        right = overfits_under("adam")(point, index, rng)
        return {**right, "valid_error": -right["valid_error"]}

    down = compared_round(upside_down, direction="maximize")
    assert levels(check(down)) == levels(check(compared_round(overfits_under("adam"))))
