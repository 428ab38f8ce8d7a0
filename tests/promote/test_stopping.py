"""The looks of the gate: where they stand, what each may spend, and which retrains they ask for."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from tasks.promote.comparison import look_at
from tasks.promote.decision import Decision
from tasks.promote.stopping import look_sizes, stopping_bounds
from tests.promote.simulated_gate import ARMS, NOISE, ROUNDS, STATED, ask


def test_a_gate_that_looks_often_without_paying_for_it_would_break_the_stated_error_rate() -> None:
    rng = np.random.default_rng(0)
    mine, theirs = rng.standard_normal((2, ROUNDS, 8))
    paid, unpaid = stopping_bounds(look_sizes(8), STATED).upper, 1.645
    z = np.array(
        [[look_at(a[:n], b[:n], 0.0, 2.0, 0.0).z for n in range(3, 9)] for a, b in zip(mine, theirs, strict=True)]
    )
    assert np.mean((z >= unpaid).any(axis=1)) > STATED + 2 * NOISE
    assert np.mean((z[:, [0, 2, 5]] >= np.array(paid)).any(axis=1)) <= STATED + NOISE


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


def test_three_ties_an_arm_are_looked_at_again_and_five_decide() -> None:
    arms = {"finalist": [0.1] * 5, "incumbent": [0.3] * 5}
    three = ask({name: values[:3] for name, values in arms.items()})
    assert three.outcome == "continue"
    assert three.band is not None
    assert three.band[0] < 0.0 < 0.2 < three.band[1]
    assert ask(arms).outcome == "promote"
