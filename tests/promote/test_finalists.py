"""Several finalists, retrains that were kept, what complexity costs, and patience. All simulations are seeded."""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pytest

from tasks.promote.decision import Decision
from tasks.promote.gate import gate
from tasks.promote.stopping import look_sizes, stopping_bounds

ROUNDS = 1500
STATED = 0.05
LUCK = 2 * math.sqrt(STATED * (1 - STATED) / ROUNDS)  # two standard errors of a share of 0.05
THREE = ("finalist", "finalist-2", "finalist-3", "incumbent")


def ask(losses: Mapping[str, Sequence[float | None]], **changes: object) -> Decision:
    """The gate at the policy's defaults and up to 16 retrains an arm, but for `changes`."""
    asked = {"minimum_gain": 0.0, "error_rate": STATED, "budget": 16} | changes
    return gate(losses, **asked)  # type: ignore[arg-type]


@cache
def raced(
    means: tuple[float, ...], sds: tuple[float, ...] = (1, 1, 1, 1), kept: int = 0, seed: int = 0
) -> list[Decision]:
    """Decisions of simulated races: the last mean is the incumbent's, whose first losses are the kept ones."""
    names = (*THREE[: len(means) - 1], "incumbent")
    noise = np.random.default_rng(seed).standard_normal((ROUNDS, len(means), 16 + kept))
    losses = noise * np.array(sds[: len(means)])[:, None] + np.array(means)[:, None]
    return [
        ask(dict(zip(names, round[:, :16].tolist(), strict=True)), kept=round[-1, 16:].tolist()) for round in losses
    ]


def share(decisions: Sequence[Decision], winner: str | None = None) -> float:
    """The share of decisions that promote, and that arm if one is named."""
    return float(np.mean([d.outcome == "promote" and winner in (None, d.winner) for d in decisions]))


def around(mean: float, n: int, seed: int) -> list[float]:
    """Losses with a little seeded noise."""
    return [float(mean + x) for x in np.random.default_rng(seed).normal(0, 0.01, n)]


# several finalists


@pytest.mark.playbook("G3", "G4", case="fires")
@pytest.mark.parametrize("sds", [(1, 1, 1, 1), (3, 3, 3, 1), (1, 1, 1, 3), (3, 1, 1, 1)])
def test_of_three_finalists_that_are_no_better_none_is_promoted_more_often_than_stated(sds: tuple[float, ...]) -> None:
    assert share(raced((0, 0, 0, 0), sds)) <= STATED + LUCK


@pytest.mark.playbook("G3", case="silent")
def test_of_three_finalists_the_one_that_is_better_is_found() -> None:
    assert share(raced((0, -1.5, 0, 0)), "finalist-2") >= 0.85


def test_as_many_finalists_each_at_the_error_rate_of_one_would_break_the_stated_one() -> None:
    alone = [
        [ask({"finalist": list(values), "incumbent": list(round[3])}).outcome == "promote" for values in round[:3]]
        for round in np.random.default_rng(0).standard_normal((400, 4, 16)).tolist()
    ]
    assert np.mean(np.any(alone, axis=1)) > STATED + 2 * math.sqrt(STATED / 400)


def test_of_finalists_that_pass_at_one_look_the_best_mean_is_promoted() -> None:
    losses = {name: around(mean, 16, i) for i, (name, mean) in enumerate(zip(THREE, (0.5, 0.3, 0.4, 1.0), strict=True))}
    decision = ask(losses)
    assert (decision.outcome, decision.winner, decision.lead) == ("promote", "finalist-2", "finalist-2")
    assert decision.gain == pytest.approx(0.7, abs=0.05)


def test_a_finalist_that_falls_behind_is_not_retrained_any_more() -> None:
    losses = {
        "finalist": [0.9, 1.1, 1.0],
        "finalist-2": [2.0, 2.1, 2.2],
        "finalist-3": [0.7, 1.2, 0.9],
        "incumbent": [1.0, 1.2, 1.1],
    }
    decision = ask(losses)
    assert decision.outcome == "continue"
    assert set(decision.needs) == {"finalist", "finalist-3", "incumbent"}


def test_a_finalist_that_diverged_leaves_the_race_to_the_others() -> None:
    losses: dict[str, list[float | None]] = {name: [*around(1.0, 16, 3)] for name in THREE}
    losses["finalist"][1] = None
    losses["finalist-3"] = [*around(0.5, 16, 4)]
    assert ask(losses).winner == "finalist-3"


def test_the_answer_is_no_only_when_every_finalist_lost_to_the_baseline() -> None:
    worse = {name: around(2.0, 16, i) for i, name in enumerate(THREE[:3])}
    level = {"baseline": around(1.0, 16, 8), "incumbent": around(1.0, 16, 9)}
    assert ask({**worse, **level}).answer == "no"
    one = ask({**worse, "finalist-3": around(0.5, 16, 5), **level})
    assert (one.answer, one.winner, one.lead) == ("yes", "finalist-3", "finalist-3")


# retrains that were kept


@pytest.mark.playbook("G3", "G6", case="fires")
@pytest.mark.parametrize("sds", [(1, 1), (3, 1), (1, 3)])
def test_kept_retrains_promote_no_more_often_than_stated(sds: tuple[float, ...]) -> None:
    assert share(raced((0, 0), sds, 16)) <= STATED + LUCK


@pytest.mark.playbook("G6", case="silent")
def test_kept_retrains_save_retrains_and_lose_no_power() -> None:
    cold, warm = raced((-1.25, 0), kept=0), raced((-1.25, 0), kept=16)
    assert share(warm) >= share(cold) - 0.03
    used = [np.mean([d.comparisons[0].last.retrains for d in decisions]) for decisions in (cold, warm)]
    assert used[1] < used[0] - 1


@pytest.mark.playbook("G3", "G6", case="fires")
@pytest.mark.parametrize("sds", [(1, 1), (3, 1)])
def test_kept_retrains_promote_no_more_often_than_stated_on_a_small_budget_either(sds: tuple[float, ...]) -> None:
    rounds = 6000
    noise = np.random.default_rng(11).standard_normal((rounds, 2, 9 + 8)) * np.array(sds)[:, None]
    losses = [({"finalist": a[:9].tolist(), "incumbent": b[:9].tolist()}, b[9:].tolist()) for a, b in noise]
    assert share([ask(arms, budget=9, kept=kept) for arms, kept in losses]) <= STATED + LUCK / 2


def test_a_baseline_that_is_the_known_incumbent_is_known_as_well_and_no_pairs_are_told_of() -> None:
    losses = {"finalist": around(0.9, 8, 0), "baseline": [], "incumbent": around(1.0, 8, 1)}
    decision = ask(losses, kept=around(1.0, 16, 2), shared={"baseline": "incumbent"})
    over_incumbent, over_baseline = decision.comparisons
    assert over_incumbent.looks == over_baseline.looks
    assert over_baseline.last.correlation is None
    assert decision.answer_gain == decision.gain


@pytest.mark.prose
def test_an_incumbent_that_is_known_is_not_retrained_before_the_finalist_overtakes_it() -> None:
    decision = ask({"finalist": [], "incumbent": []}, kept=around(1.0, 5, 0))
    assert decision.needs == {"finalist": 3}
    near = ask({"finalist": [0.9, 1.1, 1.0, 0.8, 1.0], "incumbent": []}, kept=[1.0, 1.2, 0.9, 1.1, 1.05])
    assert near.needs == {"finalist": 1, "incumbent": 1}
    assert near.kept == 5
    assert any("5 retrains of the incumbent from earlier rounds" in said for said in near.reasons)


def test_without_kept_retrains_the_boundaries_are_those_of_a_cold_start() -> None:
    assert stopping_bounds(look_sizes(16), 0.04, kept=3) == stopping_bounds(look_sizes(16), 0.04)


# the price of complexity


@pytest.mark.playbook("G5", case="fires")
def test_a_gain_that_does_not_pay_for_the_complexity_is_not_promoted() -> None:
    losses = {"finalist": around(0.9, 16, 0), "incumbent": around(1.0, 16, 1)}
    assert ask(losses).outcome == "promote"
    assert ask(losses, price={"finalist": 0.2}).outcome == "keep"


@pytest.mark.playbook("G5", case="silent")
@pytest.mark.prose
def test_a_simpler_finalist_need_not_be_better_and_may_not_be_much_worse() -> None:
    price = {"finalist": 0.0, "incumbent": 0.2}
    level = {"finalist": around(1.05, 16, 0), "incumbent": around(1.0, 16, 1)}
    decision = ask(level, price=price, minimum_gain=0.1)
    assert decision.outcome == "promote"
    assert "its simplicity is worth" in decision.reasons[0]
    worse = {"finalist": around(1.3, 16, 0), "incumbent": around(1.0, 16, 1)}
    assert ask(worse, price=price, minimum_gain=0.1).outcome == "keep"


@pytest.mark.playbook("G5", case="fires")
def test_a_hair_of_simplicity_does_not_let_a_finalist_off_the_minimum_gain() -> None:
    losses = {"finalist": around(0.95, 16, 0), "incumbent": around(1.0, 16, 1)}
    for price in ({}, {"incumbent": 1e-9}, {"finalist": 0.3, "incumbent": 0.1 + 0.2}):
        assert ask(losses, minimum_gain=0.1, price=price).outcome == "keep"
    assert ask(losses, minimum_gain=0.1, price={"incumbent": 0.2}).outcome == "promote"


def test_what_is_asked_of_a_finalist_falls_steadily_with_its_simplicity() -> None:
    losses = {"finalist": around(1.0, 16, 0), "incumbent": around(1.0, 16, 1)}
    worth = (0.0, 0.01, 0.05, 0.1, 0.2, 0.4)
    asked = [ask(losses, minimum_gain=0.1, price={"incumbent": w}).comparisons[0].margin for w in worth]
    assert asked == pytest.approx([0.1, 0.08, 0.0, -0.1, -0.2, -0.4])


def test_of_finalists_that_pass_at_one_look_a_dearer_one_must_be_better_by_its_price() -> None:
    means = (0.50, 0.55, 0.7, 1.0)
    losses = {name: around(mean, 16, i) for i, (name, mean) in enumerate(zip(THREE, means, strict=True))}
    assert ask(losses).winner == "finalist"
    assert ask(losses, price={"finalist": 0.1}).winner == "finalist-2"
    assert ask(losses, price={"finalist": 0.02}).winner == "finalist"


# patience


def test_a_thorough_policy_finds_more_of_the_gains_of_one_sd() -> None:
    noise = np.random.default_rng(2).standard_normal((800, 2, 20)) - np.array([1.0, 0.0])[:, None]
    arms = [dict(zip(("finalist", "incumbent"), round.tolist(), strict=True)) for round in noise]
    quick = np.mean([ask(a, budget=20).outcome == "promote" for a in arms])
    thorough = np.mean([ask(a, budget=20, patience=1.0).outcome == "promote" for a in arms])
    assert thorough >= 0.77
    assert thorough > quick
