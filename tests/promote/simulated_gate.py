"""The gate asked of planted losses: a few by hand, or thousands of simulated rounds. All are seeded."""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from hypothesis import settings

from tasks.promote.decision import Decision
from tasks.promote.gate import gate

ROUNDS = 2000
STATED = 0.05


# two standard errors of a share of 0.05 in 2,000 rounds
NOISE = 2 * math.sqrt(STATED * (1 - STATED) / ROUNDS)
ARMS = ("finalist", "baseline", "incumbent")
quick = settings(max_examples=60, deadline=None, derandomize=True)


def ask(losses: Mapping[str, Sequence[float | None]], **changes: object) -> Decision:
    """The gate at the policy's defaults, but for `changes`."""
    asked = {"minimum_gain": 0.0, "error_rate": STATED, "budget": 8} | changes
    return gate(losses, **asked)  # type: ignore[arg-type]


@cache
def simulated(
    means: tuple[float, ...], sds: tuple[float, ...] = (1, 1, 1), budget: int = 8, seed: int = 0, **changes: object
) -> list[Decision]:
    """Decisions of simulated rounds: normal losses, a mean and an SD an arm; two means are finalist and incumbent."""
    names = ARMS if len(means) == 3 else ("finalist", "incumbent")
    noise = np.random.default_rng(seed).standard_normal((ROUNDS, len(means), budget))
    losses = noise * np.array(sds[: len(means)])[:, None] + np.array(means)[:, None]
    rounds = (dict(zip(names, round.tolist(), strict=True)) for round in losses)
    return [ask(round, budget=budget, **changes) for round in rounds]


def share(decisions: Sequence[Decision], outcome: str = "promote", winner: str | None = None) -> float:
    """The share of decisions with that outcome, and with that winner if one is named."""
    return float(np.mean([d.outcome == outcome and winner in (None, d.winner) for d in decisions]))


def clear(finalist: float, baseline: float, incumbent: float, n: int = 8) -> dict[str, list[float | None]]:
    """Losses with a little seeded noise around three means."""
    noise = np.random.default_rng(3).normal(0, 0.01, (3, n))
    means = (finalist, baseline, incumbent)
    return {name: (mean + row).tolist() for name, mean, row in zip(ARMS, means, noise, strict=True)}
