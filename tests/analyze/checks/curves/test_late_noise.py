"""F7: whether the late noise of the best trials can decide which of them is ahead."""

import numpy as np
import pytest

from tasks.analyze.checks.curves.late_noise import late_noise
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Metrics, Rng, compared_round, falling, one, planted_round


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
    assert (found.level, found.reason) == ("ok", "steady")
    assert len(set(found.trials)) == 2
    assert found.numbers["gap"] == pytest.approx(0.02, abs=0.005)


@pytest.mark.playbook("F7", case="silent")
def test_two_trials_at_the_ceiling_that_do_not_move_are_no_noise() -> None:
    """Where they move and are as good, noise decides."""
    steady = planted_round(lambda p, i, r: {"accuracy": np.minimum(np.arange(1, 21) / 10, 1.0)}, metric="accuracy")
    assert one(late_noise(steady)).reason == "equal_and_steady"
    moving = planted_round(lambda p, i, r: {"valid_error": falling(r, noise=0.02)})
    assert (one(late_noise(moving)).level, one(late_noise(moving)).reason) == ("warn", "noise_decides")
