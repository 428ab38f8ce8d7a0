"""The gate: what it adopts and what it must never do."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.promote.simulated_gate import ARMS, ask, clear, quick, simulated


@pytest.mark.playbook("G4", case="fires")
def test_a_stricter_error_rate_does_not_promote_on_evidence_that_suffices_for_a_laxer_one() -> None:
    losses = {"finalist": [0.10, 0.12, 0.11, 0.13, 0.10], "incumbent": [0.13, 0.12, 0.14, 0.13, 0.12]}
    lax, strict = (ask(losses, budget=5, error_rate=e) for e in (0.1, 0.001))
    assert (lax.outcome, strict.outcome) == ("promote", "retrain")
    assert strict.suggested_retrains is not None
    assert 5 < strict.suggested_retrains <= 20


# the minimum gain


@pytest.mark.playbook("G3", case="fires")
def test_a_certain_gain_below_the_minimum_is_not_promoted() -> None:
    decision = ask(clear(0.0, 0.2, 0.2), minimum_gain=0.3)
    assert (decision.outcome, decision.winner, decision.answer) == ("keep", None, "no")


@pytest.mark.playbook("G3", case="silent")
def test_a_certain_gain_above_the_minimum_is_promoted_and_its_band_lies_above_the_minimum() -> None:
    decision = ask(clear(0.0, 0.2, 0.2), minimum_gain=0.1)
    assert decision.winner == "finalist"
    assert decision.band is not None
    assert decision.answer_band is not None
    assert min(decision.band[0], decision.answer_band[0]) > 0.1


def test_the_minimum_gain_is_a_shift_of_the_candidate() -> None:
    plain, shifted = simulated((-1, 0)), simulated((-1.25, 0), minimum_gain=0.25)
    assert [d.outcome for d in plain] == [d.outcome for d in shifted]


# infeasible retrains


@pytest.mark.playbook("G2", case="shows")
@pytest.mark.parametrize("gone", [None, math.nan])
def test_a_finalist_with_an_infeasible_retrain_is_never_promoted(gone: float | None) -> None:
    losses = clear(0.0, 1.0, 1.0)
    losses["finalist"][1] = gone
    decision = ask(losses)
    assert decision.winner is None
    assert decision.outcome == "keep"
    assert not decision.answer_conclusive
    assert (decision.reason, decision.infeasible) == (
        "no_sound_retrains",
        {"finalist": 1, "baseline": 0, "incumbent": 0},
    )


def test_a_baseline_that_beats_the_incumbent_is_promoted_although_the_finalist_diverged() -> None:
    losses = clear(0.0, 0.5, 1.0)
    losses["finalist"][0] = None
    assert ask(losses).winner == "baseline"


@pytest.mark.parametrize("arm", ["baseline", "incumbent"])
def test_nothing_is_adopted_over_an_arm_that_diverged_and_the_verdict_is_retrain(arm: str) -> None:
    losses = clear(0.0, 1.0, 1.0)
    losses[arm][2] = None
    decision = ask(losses)
    assert (decision.outcome, decision.winner) == ("retrain", None)


def test_more_retrains_are_not_bought_for_a_finalist_that_diverged() -> None:
    decision = ask({"finalist": [None, 0.1, 0.1], "incumbent": [0.2, 0.2, 0.3]})
    assert (decision.outcome, decision.needs) == ("keep", {})


@quick
@given(st.lists(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=8, max_size=8), min_size=3, max_size=3))
def test_no_arm_with_an_infeasible_retrain_wins_whatever_the_others_did(rows: list[list[float | None]]) -> None:
    losses = dict(zip(ARMS, rows, strict=True))
    decision = ask(losses)
    assert decision.winner is None or None not in losses[decision.winner] + losses["incumbent"]


def test_without_a_candidate_there_is_nothing_to_promote_and_nothing_to_run() -> None:
    decision = ask({"incumbent": []})
    assert (decision.outcome, decision.needs, decision.gain) == ("retrain", {}, None)


# arms that are one configuration


def test_a_baseline_that_is_the_incumbent_shares_its_retrains_and_is_never_promoted() -> None:
    losses = {**clear(0.0, 0.0, 1.0), "baseline": []}
    decision = ask(losses, shared={"baseline": "incumbent"})
    assert (decision.winner, decision.answer) == ("finalist", "yes")
    assert decision.answer_gain == decision.gain
    assert ask({name: [] for name in ARMS}, shared={"baseline": "incumbent"}).needs == {"finalist": 3, "incumbent": 3}


def test_a_finalist_that_is_the_incumbent_may_win_the_answer_but_not_a_promotion() -> None:
    losses = {**clear(0.0, 1.0, 0.0), "finalist": []}
    decision = ask(losses, shared={"finalist": "incumbent"})
    assert (decision.outcome, decision.winner, decision.answer) == ("keep", None, "yes")


# laws


@quick
@given(st.integers(0, 10_000), st.permutations(ARMS))
def test_the_order_of_the_arms_and_equal_inputs_change_nothing(seed: int, order: list[str]) -> None:
    rng = np.random.default_rng(seed)
    losses = {name: rng.normal(loc, 1, 8).tolist() for name, loc in zip(ARMS, (-1, 0, 0), strict=True)}
    assert ask(losses) == ask({name: losses[name] for name in order})


@quick
@given(st.integers(0, 10_000), st.sampled_from([1e-6, 0.01, 7.0, 1e5, 1e200]), st.sampled_from([-3.0, 0.0, 11.0]))
def test_the_metrics_unit_and_origin_change_no_decision(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    losses = {name: rng.normal(loc, 1, 8) for name, loc in zip(ARMS, (-1, -0.5, 0), strict=True)}
    moved = {name: ((values + shift) * scale).tolist() for name, values in losses.items()}
    plain, other = (
        ask({n: v.tolist() for n, v in losses.items()}, minimum_gain=0.1),
        ask(moved, minimum_gain=0.1 * scale),
    )
    assert (plain.outcome, plain.winner, plain.answer) == (other.outcome, other.winner, other.answer)
    assert other.gain == pytest.approx((plain.gain or 0.0) * scale)


@pytest.mark.parametrize("better", [True, False])
def test_arms_without_any_noise_are_told_apart_and_ties_keep_the_incumbent(better: bool) -> None:
    decision = ask({"finalist": [0.1 if better else 0.3] * 8, "incumbent": [0.3] * 8})
    assert decision.outcome == ("promote" if better else "keep")


def test_every_pair_of_winner_and_outcome_is_consistent_with_its_comparisons() -> None:
    grid = itertools.product((-2.0, -0.6, 0.0), repeat=2)
    for seed, (finalist, baseline) in enumerate(grid):
        rng = np.random.default_rng(seed)
        for _ in range(30):
            arms = zip(ARMS, (finalist, baseline, 0.0), strict=True)
            decision = ask({name: rng.normal(loc, 1, 8).tolist() for name, loc in arms})
            state = {(c.candidate, c.against): c.state for c in decision.comparisons}
            adopted = state["finalist", "incumbent"] == state["finalist", "baseline"] == "better"
            assert (decision.winner == "finalist") == adopted
            assert (decision.winner == "baseline") == (not adopted and state["baseline", "incumbent"] == "better")
