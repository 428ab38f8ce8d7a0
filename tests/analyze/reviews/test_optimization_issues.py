"""Signs of trouble in the optimisation, summed over the checks."""

import numpy as np
import pytest

from tasks.analyze.analysis import analyze
from tasks.record import Finding, Point
from tests.analyze.planted_curves import Metrics, Rng, distance, falling, planted_round


def summed(spike: float | None, rise: float = 0.0) -> Finding:
    """E11 of a study with that spike late in the gradient's norm, and that rise of the training loss."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        norms = np.exp(0.3 * rng.standard_normal(20))
        norms[15] *= spike or 1.0
        level = {"valid_error": falling(rng, level=0.3 + 0.05 * distance(point)), "train_loss": falling(rng, rise=rise)}
        return level if spike is None else {**level, "grad_norm": norms}

    (found,) = [f for f in analyze(planted_round(outcome, trials=32)).findings if f.row == "E11"]
    return found


@pytest.mark.playbook("E11", case="fires")
@pytest.mark.prose
def test_a_late_spike_of_the_gradient_and_a_rising_training_loss_are_signs() -> None:
    assert (summed(100.0).level, summed(100.0).reason) == ("warn", "signs")
    assert "times its median" in summed(100.0).evidence
    assert "training loss that rises" in summed(None, rise=0.3).evidence


@pytest.mark.playbook("E11", case="silent")
def test_a_calm_study_shows_none_and_says_what_was_asked() -> None:
    assert (summed(1.0).level, summed(1.0).reason) == ("ok", "no_signs")
    assert "F10, grad_norm" in summed(1.0).evidence
    assert "grad_norm" not in summed(None).evidence
