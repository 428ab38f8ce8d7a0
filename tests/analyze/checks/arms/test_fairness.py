"""Arms of which many trials did not come back were not tuned as well as the others."""

import pytest

from tasks.analyze.checks.arms.fairness import equally_tuned
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Metrics, Rng, clean, compared_round, one, planted_round


def losing(share: float, seed: int = 0, arm: str = "nesterov") -> Evidence:
    """Two optimizers; of one of them that share of the trials is infeasible."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics | None:
        return None if point["optimizer"] == arm and rng.random() < share else clean(point, index, rng)

    return compared_round(outcome, trials=32, seed=seed)


@pytest.mark.playbook("F13", case="fires")
def test_a_baseline_that_lost_most_of_its_trials_was_not_tuned_as_well() -> None:
    found = one(equally_tuned(losing(0.75)))
    assert (found.level, found.reason) == ("warn", "unevenly_tuned")
    assert "the baseline" in found.evidence
    assert found.numbers["most"] == 32
    assert one(equally_tuned(losing(0.75, arm="adam"))).level == "warn"
    assert one(equally_tuned(losing(1.0))).level == "warn"


@pytest.mark.playbook("F13", case="silent")
def test_a_few_lost_trials_leave_the_comparison_fair() -> None:
    assert {one(equally_tuned(losing(0.2, seed))).level for seed in range(10)} == {"ok"}


def test_ranges_and_rounds_that_compare_nothing_are_not_asked() -> None:
    assert one(equally_tuned(planted_round(clean))).reason == "not_the_question"
    assert one(equally_tuned(planted_round(clean, scientific={"learning_rate": "range"}))).reason == "not_the_question"
    assert one(equally_tuned(compared_round(lambda p, i, rng: None))).reason == "too_few_trials"


@pytest.mark.playbook("F13", case="fires")
@pytest.mark.prose
def test_an_arm_that_had_few_trials_and_lost_none_is_not_said_to_be_infeasible() -> None:
    both = compared_round(clean)
    few = {t.id for t in both.round.studies[0].trials[2:]}
    first = both.round.studies[0].model_copy(update={"trials": both.round.studies[0].trials[:2], "count": 2})
    round = both.round.model_copy(update={"studies": (first, *both.round.studies[1:])})
    found = one(equally_tuned(Evidence(round=round, trials={k: t for k, t in both.trials.items() if k not in few})))
    assert found.level == "warn"
    assert "infeasible" not in found.evidence
    assert "give both as many." in found.evidence
