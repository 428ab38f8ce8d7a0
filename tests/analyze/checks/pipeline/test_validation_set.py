"""What a validation set of so many examples can carry, and what a test on it is worth."""

from collections.abc import Callable

import numpy as np
import pytest

from tasks.analyze.checks.pipeline.validation_set import fair_sample, significance_alone, validation_size
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Metrics, Rng, clean, compared_round, falling, one, planted_round


def apart(gap: float, *, luck: float = 0.0, spread: float = 0.02) -> Callable[[Point, int, Rng], Metrics]:
    """Adam is better by `gap`; nuisances cost up to `spread`, and one of adam's twelve trials gains `luck`."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        level = 0.2 - gap * (point["optimizer"] == "adam") + spread * rng.random() - luck * (index == 15)
        return {"valid_error": np.full(20, level)}

    return outcome


@pytest.mark.playbook("J8", case="fires")
@pytest.mark.parametrize(("sought", "examples"), [(0.01, 400), (0.002, 4000)])
def test_a_minimum_gain_below_the_luck_of_the_examples_cannot_be_measured(sought: float, examples: int) -> None:
    found = one(validation_size(compared_round(clean, examples=examples, minimum_gain=sought)))
    assert (found.level, found.reason) == ("warn", "too_small")
    assert found.numbers["standard_error"] == pytest.approx(np.sqrt(0.3 * 0.7 / examples), rel=0.1)
    assert found.numbers["reads"] == 24 * 20


@pytest.mark.playbook("J8", case="silent")
@pytest.mark.parametrize(("sought", "examples"), [(0.05, 400), (0.01, 4000)])
def test_a_validation_set_that_is_large_enough_is_told_as_such(sought: float, examples: int) -> None:
    assert one(validation_size(compared_round(clean, examples=examples, minimum_gain=sought))).level == "ok"


def test_without_a_minimum_gain_the_lead_is_what_must_be_measured() -> None:
    assert one(validation_size(compared_round(apart(0.004, spread=0.0), examples=400))).level == "warn"
    assert one(validation_size(compared_round(apart(0.1, spread=0.0), examples=400))).level == "ok"


def test_the_examples_that_it_names_would_do() -> None:
    def rounds(examples: int) -> Evidence:
        return compared_round(clean, examples=examples, minimum_gain=0.003)

    text = one(validation_size(rounds(400))).evidence
    enough = float(text.partition("; take about ")[2].partition(". ")[0])
    assert one(validation_size(rounds(int(1.1 * enough)))).level == "ok"
    assert one(validation_size(rounds(int(0.9 * enough)))).level == "warn"


def test_what_is_no_share_of_known_examples_is_not_asked() -> None:
    assert one(validation_size(compared_round(clean))).reason == "not_declared"
    losses = compared_round(lambda p, i, rng: {"valid_error": falling(rng, level=1.5)}, examples=400, minimum_gain=0.1)
    assert one(validation_size(losses)).reason == "not_a_share"
    assert one(validation_size(compared_round(lambda p, i, rng: None, examples=400))).reason == "no_feasible_trial"
    assert one(validation_size(planted_round(clean, examples=400))).reason == "not_the_question"  # nothing is compared
    assert one(significance_alone(compared_round(clean))).reason == "not_declared"
    assert one(significance_alone(planted_round(clean, examples=400))).reason == "not_the_question"
    assert one(fair_sample(compared_round(clean, examples=400))).reason == "not_reported"


def sampled(shift: float) -> Evidence:
    """Every fifth evaluation is on all examples too, which are harder than the sample by `shift`."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        valid = falling(rng, level=0.2 + 0.02 * rng.random())
        full = np.where(np.arange(1, 21) % 5 == 0, valid + shift + 0.005 * rng.standard_normal(20), np.nan)
        return {"valid_error": valid, "full_valid_error": full}

    return compared_round(outcome, examples=400)


@pytest.mark.playbook("J8", case="fires")
def test_a_sample_that_is_not_like_the_whole_set_is_skewed() -> None:
    assert one(fair_sample(sampled(0.08))).reason == "skewed"
    assert one(fair_sample(sampled(-0.08))).level == "warn"


@pytest.mark.playbook("J8", case="silent")
def test_a_sample_drawn_at_random_is_not_skewed() -> None:
    assert one(fair_sample(sampled(0.02))).reason == "like_the_whole"


def lucky(seed: int, kind: str) -> Evidence:
    """Two equal optimizers, one of which has a lucky trial."""
    return compared_round(apart(0, luck=0.1), examples=50_000, seed=seed, kind=kind)


@pytest.mark.playbook("G8", case="fires")
@pytest.mark.prose
def test_a_lead_that_one_lucky_trial_made_is_not_made_evidence_by_a_test_on_many_examples() -> None:
    for seed in range(5):
        found = one(significance_alone(lucky(seed, "understand")))
        assert (found.level, found.row, found.reason) == ("warn", "G8", "significance_alone")
        assert "is no evidence by itself" in found.evidence


@pytest.mark.playbook("G8", case="silent")
def test_where_fresh_retrains_decide_nobody_is_warned() -> None:
    found = one(significance_alone(lucky(0, "improve")))
    assert (found.level, found.reason) == ("ok", "retrains_decide")


@pytest.mark.playbook("G8", case="silent")
def test_where_searches_and_examples_agree_nothing_is_said() -> None:
    assert one(significance_alone(compared_round(apart(0.1), examples=50_000))).level == "ok"
    assert one(significance_alone(compared_round(apart(0.001), examples=200))).level == "ok"
