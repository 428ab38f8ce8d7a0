"""A training set that is not fitted speaks against a regularizer."""

import numpy as np
import pytest

from tasks.analyze.checks.pipeline.training_fit import training_fit
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Metrics, Rng, clean, compared_round, one


def regularized(error: float | None, name: str = "regularizer") -> Evidence:
    """A comparison in which the training error comes down to that."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        known = clean(point, index, rng)
        return known if error is None else {**known, "train_error": error + 0.5 * np.linspace(1, 0, 20)}

    return compared_round(outcome, scientific={name: ["none", "dropout"]}, baseline={})


@pytest.mark.playbook("H9", case="fires")
def test_a_training_set_that_is_not_fitted_speaks_against_a_regularizer() -> None:
    assert one(training_fit(regularized(0.2))).reason == "not_fitted"


@pytest.mark.playbook("H9", case="silent")
def test_a_fitted_training_set_does_not_and_without_its_error_nothing_is_asked() -> None:
    assert one(training_fit(regularized(0.0))).reason == "fitted"
    assert one(training_fit(regularized(None))).reason == "not_reported"
    assert one(training_fit(regularized(0.2, "optimizer"))).reason == "not_the_question"
    assert one(training_fit(regularized(0.2, "gizmo"))).reason == "not_recognised"
