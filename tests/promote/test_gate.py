"""The gate: what it promotes by luck, what it finds, and what it must never do. All simulations are seeded."""

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.promote.comparison import look_at
from tasks.promote.decision import Decision
from tasks.promote.gate import gate
from tasks.promote.stopping import look_sizes, stopping_bounds

ROUNDS = 2000
STATED = 0.05
# two standard errors of a share of 0.05 in 2,000 rounds
NOISE = 2 * math.sqrt(STATED * (1 - STATED) / ROUNDS)
ARMS = ("finalist", "baseline", "incumbent")
quick = settings(max_examples=60, deadline=None, derandomize=True)


def ask(losses: Mapping[str, Sequence[float | None]], **changes: object) -> Decision:
    """The gate at the policy's defaults, but for `changes`."""
    asked = {"minimum_gain": 0.0, "error_rate": STATED, "budget": 8, "kind": "improve"} | changes
    return gate(losses, **asked)  # type: ignore[arg-type]


@cache
def simulated(
    means: tuple[float, ...], sds: tuple[float, ...] = (1, 1, 1), budget: int = 8, seed: int = 0, **changes: object
) -> list[Decision]:
    """Decisions of simulated rounds: normal losses, a mean and an SD an arm; two means are finalist and incumbent."""
    names = ARMS if len(means) == 3 else ("finalist", "incumbent")
    noise = np.random.default_rng(seed).standard_normal((ROUNDS, len(means), budget))
    losses = noise * np.array(sds[: len(means)])[:, None] + np.array(means)[:, None]
    kind = "improve" if len(means) == 3 else "understand"
    rounds = (dict(zip(names, round.tolist(), strict=True)) for round in losses)
    return [ask(round, budget=budget, kind=kind, **changes) for round in rounds]


def share(decisions: Sequence[Decision], outcome: str = "promote", winner: str | None = None) -> float:
    """The share of decisions with that outcome, and with that winner if one is named."""
    return float(np.mean([d.outcome == outcome and winner in (None, d.winner) for d in decisions]))


def clear(finalist: float, baseline: float, incumbent: float, n: int = 8) -> dict[str, list[float | None]]:
    """Losses with a little seeded noise around three means."""
    noise = np.random.default_rng(3).normal(0, 0.01, (3, n))
    means = (finalist, baseline, incumbent)
    return {name: (mean + row).tolist() for name, mean, row in zip(ARMS, means, noise, strict=True)}


# what luck promotes


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


def test_a_gate_that_looks_often_without_paying_for_it_would_break_the_stated_error_rate() -> None:
    rng = np.random.default_rng(0)
    mine, theirs = rng.standard_normal((2, ROUNDS, 8))
    paid, unpaid = stopping_bounds(look_sizes(8), STATED).upper, 1.645
    z = np.array(
        [[look_at(a[:n], b[:n], 0.0, 2.0, 0.0).z for n in range(3, 9)] for a, b in zip(mine, theirs, strict=True)]
    )
    assert np.mean((z >= unpaid).any(axis=1)) > STATED + 2 * NOISE
    assert np.mean((z[:, [0, 2, 5]] >= np.array(paid)).any(axis=1)) <= STATED + NOISE


# what it finds


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


@pytest.mark.playbook("G4", case="fires")
def test_a_stricter_error_rate_does_not_promote_on_evidence_that_suffices_for_a_laxer_one() -> None:
    losses = {"finalist": [0.10, 0.12, 0.11, 0.13, 0.10], "incumbent": [0.13, 0.12, 0.14, 0.13, 0.12]}
    lax, strict = (ask(losses, budget=5, kind="understand", error_rate=e) for e in (0.1, 0.001))
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


def test_a_gain_of_exactly_the_minimum_is_promoted_no_more_often_than_the_stated_error_rate() -> None:
    assert share(simulated((-0.5, 0), minimum_gain=0.5)) <= STATED + NOISE


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
    assert "finalist: 1 of 8" in decision.reasons[0]


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
    decision = ask({"finalist": [None, 0.1, 0.1], "incumbent": [0.2, 0.2, 0.3]}, kind="understand")
    assert (decision.outcome, decision.needs) == ("keep", {})


@quick
@given(st.lists(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=8, max_size=8), min_size=3, max_size=3))
def test_no_arm_with_an_infeasible_retrain_wins_whatever_the_others_did(rows: list[list[float | None]]) -> None:
    losses = dict(zip(ARMS, rows, strict=True))
    decision = ask(losses)
    assert decision.winner is None or None not in losses[decision.winner] + losses["incumbent"]


# looks, needs and budgets


def played(losses: Mapping[str, Sequence[float]], **changes: object) -> tuple[Decision, list[dict[str, int]]]:
    """The last decision and every `needs`, when retrains are handed over only as the gate asks for them."""
    run: dict[str, list[float | None]] = {name: [] for name in losses}
    asked: list[dict[str, int]] = []
    while (decision := ask(run, **changes)).outcome == "continue":
        asked.append({str(name): more for name, more in decision.needs.items()})
        for name, more in decision.needs.items():
            run[name] = list(losses[name][: len(run[name]) + more])
    return decision, asked


@pytest.mark.playbook("G2", case="shows")
@pytest.mark.parametrize("budget", [2, 3, 4, 5, 8, 11, 16])
def test_retrains_are_asked_for_look_by_look_and_never_beyond_the_budget(budget: int) -> None:
    rng = np.random.default_rng(budget)
    for _ in range(40):
        losses = {name: rng.normal(loc, 1, budget).tolist() for name, loc in zip(ARMS, (-0.7, 0, 0), strict=True)}
        decision, asked = played(losses, budget=budget)
        assert all(min(needs.values()) > 0 for needs in asked)
        assert all(sum(needs.get(name, 0) for needs in asked) <= budget for name in ARMS)
        assert asked[0] == dict.fromkeys(ARMS, look_sizes(budget)[0])
        at_once = ask(losses, budget=budget)
        assert (decision.outcome, decision.winner, decision.reasons) == (
            at_once.outcome,
            at_once.winner,
            at_once.reasons,
        )


def test_an_arm_whose_questions_are_answered_is_not_retrained_any_more() -> None:
    losses = {"finalist": [1.0, 1.1, 1.2], "baseline": [0.0, 0.2, 0.3], "incumbent": [0.5, 0.0, 0.6]}
    decision = ask(losses)
    assert decision.answer == "no"
    assert decision.needs == {"baseline": 2, "incumbent": 2}


def test_a_finalist_that_the_baseline_refuses_is_not_retrained_although_it_may_beat_the_incumbent() -> None:
    losses = {"finalist": [1.0, 1.1, 1.2], "baseline": [0.9, 1.0, 1.1], "incumbent": [1.2, 1.0, 1.9]}
    decision = ask(losses)
    assert {(c.candidate, c.against): c.state for c in decision.comparisons} == {
        ("finalist", "incumbent"): "open",
        ("finalist", "baseline"): "not better",
        ("baseline", "incumbent"): "open",
    }
    assert decision.needs == {"baseline": 2, "incumbent": 2}


def test_looks_end_at_the_budget_and_none_stands_one_retrain_before_it() -> None:
    for budget in range(2, 80):
        at = look_sizes(budget)
        assert at[-1] == budget
        assert list(at) == sorted(set(at))
        assert budget - 1 not in at


@pytest.mark.playbook("G4", case="silent")
@pytest.mark.parametrize("budget", [2, 5, 8, 16, 40])
@pytest.mark.parametrize("error", [0.01, 0.05, 0.2])
def test_the_boundaries_spend_no_more_than_the_error_they_are_given(budget: int, error: float) -> None:
    at = stopping_bounds(look_sizes(budget), error)
    steps = np.diff([0, *at.looks])
    walk = np.cumsum(np.random.default_rng(0).standard_normal((40_000, len(steps))) * np.sqrt(steps), axis=1)
    z = walk / np.sqrt(at.looks)
    alive, crossed = np.ones(len(z), dtype=bool), 0.0
    for k in range(len(steps)):
        crossed += float(np.mean(alive & (z[:, k] >= at.upper[k])))
        alive &= (z[:, k] < at.upper[k]) & (z[:, k] > at.lower[k])
    assert crossed <= error * 1.05 + 2 * math.sqrt(error / len(z))
    assert crossed >= error * 0.95 - 2 * math.sqrt(error / len(z)) or budget > 8
    assert all(low < high for low, high in zip(at.lower, at.upper, strict=True))


def test_one_retrain_an_arm_decides_nothing_and_says_so() -> None:
    decision = ask({"finalist": [0.1], "incumbent": [0.2]}, budget=1, kind="understand")
    assert decision.outcome == "retrain"
    assert "budget.retrains" in decision.reasons[0]


def test_without_a_candidate_there_is_nothing_to_promote_and_nothing_to_run() -> None:
    decision = ask({"incumbent": []})
    assert (decision.outcome, decision.needs, decision.gain) == ("retrain", {}, None)


def test_understand_has_no_baseline_arm_even_if_one_was_retrained() -> None:
    losses = clear(0.5, 0.0, 1.0)
    plain = {name: losses[name] for name in ("finalist", "incumbent")}
    assert ask(losses, kind="understand") == ask(plain, kind="understand")


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
    decision = ask({"finalist": [0.1 if better else 0.3] * 8, "incumbent": [0.3] * 8}, kind="understand")
    assert decision.outcome == ("promote" if better else "keep")


@pytest.mark.playbook("G3", case="fires")
def test_a_metric_that_takes_two_values_promotes_no_more_often_than_stated_though_many_arms_are_all_ties() -> None:
    names = ("finalist", "finalist-2", "finalist-3", "incumbent")
    coins = np.random.default_rng(4).integers(0, 2, (ROUNDS, len(names), 8)) / 500
    rounds = [ask(dict(zip(names, round.tolist(), strict=True)), kind="understand") for round in coins]
    assert share(rounds) <= STATED + NOISE


def test_three_ties_an_arm_are_looked_at_again_and_five_decide() -> None:
    arms = {"finalist": [0.1] * 5, "incumbent": [0.3] * 5}
    three = ask({name: values[:3] for name, values in arms.items()}, kind="understand")
    assert three.outcome == "continue"
    assert three.band is not None
    assert three.band[0] < 0.0 < 0.2 < three.band[1]
    assert ask(arms, kind="understand").outcome == "promote"


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


@pytest.mark.parametrize(("finalist", "baseline"), [(0, 0), (-3, 0), (-3, -3)])
def test_the_answers_band_misses_the_true_gain_no_more_often_than_stated_on_either_side(
    finalist: int, baseline: int
) -> None:
    bands = [d.answer_band for d in simulated((finalist, baseline, 0))]
    true = baseline - finalist
    assert np.mean([b is not None and b[0] > true for b in bands]) <= STATED + NOISE
    assert np.mean([b is not None and b[1] < true for b in bands]) <= STATED + NOISE


def test_the_reasons_carry_the_numbers_and_paired_correlation_is_told_apart() -> None:
    decision = ask(clear(0.0, 1.0, 1.0))
    assert any("gain 1" in reason and "3 retrains each" in reason for reason in decision.reasons)
    assert -1 <= float(decision.noise["finalist-incumbent.3.correlation"] or 0) <= 1
    assert decision.answer_sentence.startswith("Yes")


def test_equal_arms_are_told_without_a_negative_zero() -> None:
    losses = {"finalist": [0.1, 0.2, 0.3], "incumbent": [0.1, 0.2, 0.3]}
    (said,) = ask(losses, budget=3, kind="understand", minimum_gain=0.0).reasons
    assert "z 0 is not above" in said
    falls = {"finalist": [0.2, 0.3, 0.4], "incumbent": [0.1, 0.2, 0.3]}
    (said,) = ask(falls, budget=3, kind="understand", price={"incumbent": 0.1}).reasons
    assert "z -0 " not in said
