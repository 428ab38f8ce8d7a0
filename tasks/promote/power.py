"""The smallest gain that a budget can tell from noise: the power of the gate, simulated before anything runs."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr  # type: ignore[import-untyped]

from tasks.promote.comparison import BASELINE, FINALIST, INCUMBENT, ArmName, Comparison, finalist
from tasks.promote.gate import gate
from tasks.promote.stopping import QUICK

SHARE = 0.8  # of the rounds in which a gain of that size is promoted
_ROUNDS = 4000  # simulated; a share is good to 0.6 points
_LARGEST = 12.0  # SDs of one retrain: what this does not show, no budget of retrains was made for
_HALVINGS = 9  # of the range: to 0.02 SD

Draws = NDArray[np.float64]


@lru_cache(maxsize=64)
def smallest_gain(
    *, budget: int, finalists: int, baseline: bool, error_rate: float, patience: float = QUICK, kept: int = 0
) -> float | None:
    """The gain that the gate promotes in `SHARE` of the rounds, in SDs of one retrain beyond the minimum gain.

    One finalist is better by so much than all other arms, which are equal; the losses of all arms are normal, with one
    SD. `budget`: retrains an arm at most. `baseline`: whether the arm without the change is in the race, too. `kept`:
    retrains of the incumbent from earlier rounds. None where no gain is shown: there are fewer than two retrains.

    Playbook: G4, D8
    """
    if budget < 2:
        return None
    names = [*(finalist(i) for i in range(finalists)), *([BASELINE] if baseline else []), INCUMBENT]
    draws = np.random.default_rng(0).standard_normal((3, _ROUNDS, max(budget, kept)))
    drawn = dict(zip((FINALIST, BASELINE, INCUMBENT), draws, strict=True))
    asked = [c for c in _comparisons(names, budget, error_rate, patience, kept) if c.candidate == FINALIST]
    if _power(_LARGEST, drawn, asked, kept) < SHARE:
        return None
    low, high = 0.0, _LARGEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _power(middle, drawn, asked, kept) >= SHARE else (middle, high)
    return high


def _comparisons(
    names: Iterable[ArmName], budget: int, error_rate: float, patience: float, kept: int
) -> tuple[Comparison, ...]:
    """Every comparison of a race with the bounds that the gate gives it."""
    begun = gate(
        dict.fromkeys(names, ()),
        minimum_gain=0.0,
        error_rate=error_rate,
        budget=budget,
        kept=[float(i % 2) for i in range(kept)],
        patience=patience,
    )
    return begun.comparisons


def _power(gain: float, drawn: dict[ArmName, Draws], asked: Iterable[Comparison], kept: int) -> float:
    """In how many of the simulated rounds the finalist beats every arm that it is held against."""
    won = np.ones(_ROUNDS, dtype=bool)
    for comparison in asked:
        won &= _better(drawn[FINALIST] - gain, drawn[comparison.against], comparison, kept)
    return float(won.mean())


def _better(mine: Draws, theirs: Draws, comparison: Comparison, kept: int) -> NDArray[np.bool_]:
    """(rounds,) bool: where the comparison leaves its bounds at the upper one."""
    bounds, known = comparison.boundaries, kept if comparison.against == INCUMBENT else 0
    better = np.zeros(len(mine), dtype=bool)
    still = np.ones(len(mine), dtype=bool)
    for n, upper, lower in zip(bounds.looks, bounds.upper, bounds.lower, strict=True):
        z = _z_scores(mine[:, :n], theirs[:, : max(n, known)])
        better |= still & (z >= upper)
        still &= (z < upper) & (z > lower)
    return better


def _z_scores(a: Draws, b: Draws) -> Draws:
    """(rounds,) float64: z as `comparison.look_at` has it, of many rounds at once."""
    n, m = a.shape[1], b.shape[1]
    va, vb = a.var(axis=1, ddof=1), b.var(axis=1, ddof=1)
    gain = b.mean(axis=1) - a.mean(axis=1)
    error = va / n + vb / m
    freedom = error**2 / ((va / n) ** 2 / (n - 1) + (vb / m) ** 2 / (m - 1))
    z = _z_of(gain / np.sqrt(error), freedom)
    if n == m:
        return z
    pooled = ((n - 1) * va + (m - 1) * vb) / (n + m - 2) * (1 / n + 1 / m)
    return np.minimum(z, _z_of(gain / np.sqrt(pooled), np.full(len(a), n + m - 2.0)))


def _z_of(t: Draws, freedom: Draws) -> Draws:
    """(rounds,) float64: z of the same one-sided p as t."""
    found: Draws = np.copysign(-ndtri(stdtr(freedom, -np.abs(t))), t)
    return found
