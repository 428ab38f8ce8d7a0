"""A training loss that rises in the best trial is a bug until shown otherwise."""

import pytest

from tasks.analyze.checks.curves.training_loss import rising_training_loss
from tasks.record import Point
from tests.analyze.planted_curves import (
    CLEAN,
    Metrics,
    Plant,
    Rng,
    falling,
    one,
    planted_round,
    with_restart,
    with_spike,
)


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
    assert (found.level, found.reason) == ("ok", "not_the_best")
    assert found.numbers["rising"] == len(found.trials) == 4


def test_without_a_training_loss_nothing_is_checked() -> None:
    found = one(rising_training_loss(planted_round(lambda p, i, rng: {"valid_error": falling(rng)})))
    assert found.reason == "not_reported"
