"""Study size: how much of a best is luck, and whether more trials would find better ones."""

import numpy as np
import pytest

from tasks.analyze.checks.search.study_size import few_trials, still_falling
from tasks.analyze.learned import learned
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tasks.text import number
from tests.analyze.planted_curves import (
    Metrics,
    distance,
    falling,
    one,
    planted_round,
)

SIX = {f"p{i}": {"low": 0.0, "high": 1.0} for i in range(6)}


def bowl(trials: int, *, dimensions: int = 1, noise: float = 0.0, seed: int = 0) -> Evidence:
    """One study over a bowl in so many hyperparameters; `noise` is that of every evaluation."""
    space = dict(list(SIX.items())[:dimensions])

    def outcome(point: Point, index: int, rng: np.random.Generator) -> Metrics:
        height = sum((float(point[name]) - 0.4) ** 2 for name in space)
        return {"valid_error": falling(rng, level=0.3 + height, noise=noise)}

    return planted_round(outcome, space=space, trials=trials, seed=seed)


@pytest.mark.playbook("D12", case="fires")
@pytest.mark.parametrize("trials", [8, 20])
@pytest.mark.prose
def test_a_study_of_twenty_trials_or_fewer_is_read_with_care(trials: int) -> None:
    found = one(few_trials(bowl(trials, noise=0.01)))
    assert (found.reason, found.level) == ("few_trials", "warn")
    assert found.remedy == (f"budget.trials={2 * trials}",)
    assert found.numbers["few_trials"] == 20
    assert float(found.numbers["late_noise"] or 0.0) == pytest.approx(0.006, rel=0.5)
    assert "in 9 of 10 cases" in found.evidence


@pytest.mark.prose
def test_the_luck_of_a_search_is_one_band_wherever_the_report_tells_it() -> None:
    evidence = bowl(20, noise=0.01)
    found = one(few_trials(evidence))
    told = f"another search like it: {number(found.numbers['low'])} to {number(found.numbers['high'])}"
    assert told in learned(evidence)[0]


@pytest.mark.playbook("D12", case="silent")
def test_a_study_of_more_trials_is_silent_and_still_says_its_spread() -> None:
    found = one(few_trials(bowl(24)))
    assert found.level == "ok"
    assert float(found.numbers["spread"] or 0.0) > 0.0


def test_the_spread_of_bests_shrinks_as_a_study_grows() -> None:
    spreads = [
        np.median([float(one(few_trials(bowl(n, dimensions=2, seed=s))).numbers["spread"] or 0.0) for s in range(5)])
        for n in (8, 16, 48)
    ]
    assert spreads[0] > spreads[1] > spreads[2]


def test_three_feasible_trials_and_given_points_are_not_judged() -> None:
    def outcome(point: Point, index: int, rng: np.random.Generator) -> Metrics | None:
        return {"valid_error": falling(rng)} if index < 3 else None

    few = planted_round(outcome)
    assert [f.reason for f in (*few_trials(few), *still_falling(few))] == ["too_few_trials"] * 2
    given = planted_round(
        lambda p, i, rng: {"valid_error": falling(rng)},
        points=tuple({"learning_rate": 10.0**-i} for i in range(1, 7)),
    )
    assert [f.reason for f in (*few_trials(given), *still_falling(given))] == ["listed_points"] * 2


@pytest.mark.playbook("D13", case="fires")
def test_eight_trials_in_three_dimensions_have_not_levelled_off() -> None:
    found = [one(still_falling(bowl(8, dimensions=3, seed=s))) for s in range(20)]
    assert [f.level for f in found].count("warn") >= 19
    assert found[0].remedy == ("budget.trials=16",)
    assert found[0].numbers["best_of_n_slope"] == 0.15


@pytest.mark.playbook("D13", case="silent")
@pytest.mark.parametrize(("trials", "dimensions"), [(48, 1), (32, 3)])
def test_a_bowl_that_was_searched_well_has(trials: int, dimensions: int) -> None:
    found = [one(still_falling(bowl(trials, dimensions=dimensions, seed=s))) for s in range(20)]
    assert [f.level for f in found].count("warn") <= 1


def test_a_fall_that_drowns_in_the_noise_of_one_trial_asks_for_no_more_trials() -> None:
    def outcome(point: Point, index: int, rng: np.random.Generator) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 + 0.001 * distance(point), noise=0.05)}

    found = one(still_falling(planted_round(outcome, trials=8)))
    assert (found.reason, found.level) == ("below_the_noise", "ok")


def test_the_unit_of_the_metric_changes_nothing() -> None:
    def outcome(point: Point, index: int, rng: np.random.Generator) -> Metrics:
        return {"valid_error": 1e3 * falling(rng, level=0.3 + 0.1 * distance(point), noise=0.001) - 50}

    def plain(point: Point, index: int, rng: np.random.Generator) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 + 0.1 * distance(point), noise=0.001)}

    scaled, known = one(still_falling(planted_round(outcome))), one(still_falling(planted_round(plain)))
    assert scaled.level == known.level
    assert scaled.numbers["relative_fall"] == pytest.approx(known.numbers["relative_fall"])
