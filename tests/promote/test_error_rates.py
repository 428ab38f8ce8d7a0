"""What luck promotes, and what the gate finds, in thousands of simulated rounds."""

import numpy as np
import pytest

from tests.promote.simulated_gate import NOISE, ROUNDS, STATED, ask, share, simulated


@pytest.mark.playbook("G3", "G4", case="fires")
@pytest.mark.parametrize("sds", [(1, 1, 1), (3, 1, 1), (1, 3, 1), (1, 1, 3), (3, 3, 1)])
def test_of_three_equal_arms_none_is_promoted_more_often_than_the_stated_error_rate(sds: tuple[float, ...]) -> None:
    assert share(simulated((0, 0, 0), sds)) <= STATED + NOISE


@pytest.mark.playbook("G3", case="fires")
@pytest.mark.parametrize("sds", [(1, 1), (2, 1), (3, 1), (1, 3)])
def test_of_two_equal_arms_none_is_promoted_more_often_than_the_stated_error_rate(sds: tuple[float, ...]) -> None:
    assert share(simulated((0, 0), sds)) <= STATED + NOISE


@pytest.mark.playbook("G3", case="fires")
def test_a_change_that_only_retuning_explains_is_not_adopted_and_the_retuned_baseline_is_promoted() -> None:
    decisions = simulated((-3, -3, 0))
    assert share(decisions, winner="finalist") <= STATED + NOISE
    assert share(decisions, winner="baseline") >= 0.95 - STATED


@pytest.mark.playbook("G3", "G4", case="silent")
def test_a_finalist_better_by_three_sds_than_both_is_promoted_and_the_answer_is_yes() -> None:
    decisions = simulated((-3, 0, 0))
    assert share(decisions, winner="finalist") >= 0.95
    assert np.mean([d.answer == "yes" and d.answer_conclusive for d in decisions]) >= 0.95


@pytest.mark.playbook("G3", case="silent")
def test_in_understand_a_gain_of_three_sds_is_promoted_and_half_of_one_sd_costs_no_more_than_the_budget() -> None:
    assert share(simulated((-3, 0))) >= 0.95
    assert 0.35 <= share(simulated((-1, 0), seed=2)) <= 0.6


def test_no_change_stops_early_most_of_the_time() -> None:
    used = [d.comparisons[0].last.retrains for d in simulated((0, 0))]
    assert np.mean(used) < 5


def test_a_gain_of_exactly_the_minimum_is_promoted_no_more_often_than_the_stated_error_rate() -> None:
    assert share(simulated((-0.5, 0), minimum_gain=0.5)) <= STATED + NOISE


@pytest.mark.playbook("G3", case="fires")
def test_a_metric_that_takes_two_values_promotes_no_more_often_than_stated_though_many_arms_are_all_ties() -> None:
    names = ("finalist", "finalist-2", "finalist-3", "incumbent")
    coins = np.random.default_rng(4).integers(0, 2, (ROUNDS, len(names), 8)) / 500
    rounds = [ask(dict(zip(names, round.tolist(), strict=True))) for round in coins]
    assert share(rounds) <= STATED + NOISE


@pytest.mark.parametrize(("finalist", "baseline"), [(0, 0), (-3, 0), (-3, -3)])
def test_the_answers_band_misses_the_true_gain_no_more_often_than_stated_on_either_side(
    finalist: int, baseline: int
) -> None:
    bands = [d.answer_band for d in simulated((finalist, baseline, 0))]
    true = baseline - finalist
    assert np.mean([b is not None and b[0] > true for b in bands]) <= STATED + NOISE
    assert np.mean([b is not None and b[1] < true for b in bands]) <= STATED + NOISE
