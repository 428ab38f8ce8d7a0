"""A training set that is not fitted speaks against a regularizer."""

import numpy as np
import pytest

from tasks.analyze.checks.pipeline.training_fit import training_fit
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Metrics, Rng, clean, compared_round, one, overfits_under


def regularized(error: float | None, name: str = "regularizer") -> Evidence:
    """A comparison in which the training error comes down to that."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        known = clean(point, index, rng)
        return known if error is None else {**known, "train_error": error + 0.5 * np.linspace(1, 0, 20)}

    return compared_round(outcome, scientific={name: ["none", "dropout"]}, baseline={})


@pytest.mark.playbook("H9", case="fires")
def test_a_training_set_that_is_not_fitted_speaks_against_a_regularizer() -> None:
    assert one(training_fit(regularized(0.2))).reason == "not_fitted"


def overfitting_with(**told: float) -> Evidence:
    """A comparison of optimizers that overfit, whose trials report these numbers of the training set at their end."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        ends = {name.replace("__", "/"): np.linspace(0.5 * end, end, 20) for name, end in told.items()}
        return {**overfits_under("adam")(point, index, rng), **ends}

    return compared_round(outcome)


@pytest.mark.playbook("H9", case="fires")
@pytest.mark.parametrize(
    "told",
    [{"train_accuracy": 0.8}, {"train__acc": 80.0}, {"training_error": 0.4}, {"train_acc": 60.0}, {"train__err": 40.0}],
)
def test_where_trials_overfit_it_is_asked_before_a_regularizer_is_proposed(told: dict[str, float]) -> None:
    found = one(training_fit(overfitting_with(**told)))
    assert (found.level, found.reason, found.where.parameter) == ("warn", "not_fitted", None)
    assert 0.19 < float(found.numbers["train_error"] or 0) < 0.41
    assert len(found.evidence) <= 160


@pytest.mark.playbook("H9", case="silent")
def test_a_training_set_that_is_fitted_where_trials_overfit_is_told_by_any_usual_name() -> None:
    for told in ({"train__accuracy": 0.99}, {"training_acc": 99.0}, {"train_error": 0.0}):
        assert one(training_fit(overfitting_with(**told))).reason == "fitted"
    missing = one(training_fit(overfitting_with(accuracy=0.99)))
    assert missing.reason == "not_reported"
    assert "train_error" in missing.evidence
    assert "train_accuracy" in missing.evidence


@pytest.mark.playbook("H9", case="silent")
def test_a_fitted_training_set_does_not_and_without_its_error_nothing_is_asked() -> None:
    assert one(training_fit(regularized(0.0))).reason == "fitted"
    assert one(training_fit(regularized(None))).reason == "not_reported"
    assert one(training_fit(regularized(0.2, "optimizer"))).reason == "not_the_question"
    assert one(training_fit(regularized(0.2, "gizmo"))).reason == "not_recognised"
