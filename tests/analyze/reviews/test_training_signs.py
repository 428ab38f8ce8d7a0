"""Signs of trouble in the optimisation, and a training set that is not fitted."""

import numpy as np
import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.checks.pipeline.training_fit import training_fit
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Point
from tests.analyze.planted_curves import Metrics, Rng, clean, compared_round, distance, falling, one, planted_round


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
def test_a_late_spike_of_the_gradient_and_a_rising_training_loss_are_signs() -> None:
    assert summed(100.0).level == "warn"
    assert "times its median" in summed(100.0).evidence
    assert "training loss that rises" in summed(None, rise=0.3).evidence


@pytest.mark.playbook("E11", case="silent")
def test_a_calm_study_shows_none_and_says_what_was_asked() -> None:
    assert summed(1.0).level == "ok"
    assert "F10, grad_norm" in summed(1.0).evidence
    assert "grad_norm" not in summed(None).evidence


def regularized(error: float | None, name: str = "regularizer") -> Evidence:
    """A comparison in which the training error comes down to that."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        known = clean(point, index, rng)
        return known if error is None else {**known, "train_error": error + 0.5 * np.linspace(1, 0, 20)}

    return compared_round(outcome, scientific={name: ["none", "dropout"]}, baseline={})


@pytest.mark.playbook("H9", case="fires")
def test_a_training_set_that_is_not_fitted_speaks_against_a_regularizer() -> None:
    assert one(training_fit(regularized(0.2))).level == "warn"


@pytest.mark.playbook("H9", case="silent")
def test_a_fitted_training_set_does_not_and_without_its_error_nothing_is_asked() -> None:
    assert one(training_fit(regularized(0.0))).level == "ok"
    assert one(training_fit(regularized(None))).level == "na"
    assert one(training_fit(regularized(0.2, "optimizer"))).level == "na"
