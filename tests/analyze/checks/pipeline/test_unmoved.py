"""An objective that never moves is not computed of what was trained."""

import numpy as np
import pytest

from tasks.analyze.checks.pipeline.unmoved import unmoved
from tasks.record import Point
from tests.analyze.planted_curves import Metrics, Rng, clean, compared_round, one


def constant(value: float, moving: int = -1) -> str:
    """What is said where every evaluation is that value, but in the trial at the index `moving`."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        known = clean(point, index, rng)
        return known if index == moving else {**known, "valid_error": np.full(20, value)}

    return one(unmoved(compared_round(outcome))).reason


@pytest.mark.playbook("E10", case="fires")
def test_one_number_at_every_evaluation_of_every_trial_is_a_bug() -> None:
    assert constant(0.9) == "never_moves"
    assert constant(float(np.log(10))) == "never_moves"


@pytest.mark.playbook("E10", case="silent")
def test_one_trial_that_moves_a_perfect_metric_and_a_sound_round_are_none() -> None:
    assert constant(0.9, moving=0) == "moves"
    assert constant(0.0) == "nothing_varies"
    assert one(unmoved(compared_round(clean))).reason == "moves"
