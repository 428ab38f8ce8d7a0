"""When the gate looks, and how large z must be there: a spent error rate, exact for normal data.

One comparison is a random walk whose z is looked at after 3, 5, 7, … retrains an arm. It stops above `upper`
(better) or below `lower` (dropped for good: `upper` counts on that). `upper` spends the error rate in proportion
to the retrains, by recursive integration of the walk's density (Armitage, McPherson and Rowe 1969; Lan and DeMets
1983); `lower` is a line in the square root of the retrains, fitted to the quick design that came out best of
those simulated for this project. Measured with unknown and unequal SDs in `tests/benchmarks/gate_calibration.py`.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri  # type: ignore[import-untyped]

from tasks.record import Frozen

FIRST = 3  # with two retrains the SD has one degree of freedom, and no early stop is worth having
GRID = np.linspace(-8.0, 8.0, 641)
STEP = float(GRID[1] - GRID[0])
# z below SLOPE * sqrt(retrains) - OFFSET is an observed gain below 0.26 SD at 3 retrains and 0.45 SD at 13
SLOPE, OFFSET = 0.448, 0.456
CAP = 16  # with more retrains than this to come, smaller gains are sought, and the line flattens
USUAL = 1.75  # z of the error rate at which the line was fitted; a laxer gate drops later
UNDECIDED = 0.5  # at least this much z between dropping and promoting


class Boundaries(Frozen):
    """The looks, in retrains an arm; z at or above `upper` is better there, z at or below `lower` is dropped."""

    looks: tuple[int, ...]
    upper: tuple[float, ...]
    lower: tuple[float, ...]


def looks(budget: int) -> tuple[int, ...]:
    """Retrains an arm at each look: 3, 5, 7, …, wider apart from 12 on, and the budget itself as the last.

    No look stands one retrain before the last: it would buy nothing.
    """
    found, n = [], FIRST
    while n <= budget - 2:
        found.append(n)
        n += max(2, n // 5)
    return (*found, budget)


@lru_cache(maxsize=64)
def boundaries(budget: int, error: float) -> Boundaries:
    """The boundaries for at most `budget` (>= 2) retrains an arm, crossed by chance in a share `error` of comparisons.

    `upper` is never below the z of one look at the same error: what `lower` saves by dropping is not spent on
    promoting for less than plain evidence. Rounded to four decimals, so that they are the same on every machine.

    Playbook: G4
    """
    at = looks(budget)
    upper: list[float] = []
    lower: list[float] = []
    alive = np.empty(0)
    for i, n in enumerate(at):
        before = at[i - 1] if i else 0
        density = _walked(alive, before, n)
        spent = _quantile_above(density, error * (n - before) / budget)
        upper.append(round(max(spent, float(-ndtri(error))), 4))
        lower.append(round(min(_line(n, budget, error), upper[-1] - UNDECIDED), 4))
        alive = density * _share_of_cell_below(upper[-1]) * (1.0 - _share_of_cell_below(lower[-1]))
    return Boundaries(looks=at, upper=tuple(upper), lower=tuple(lower))


def _line(n: int, budget: int, error: float) -> float:
    """The z at or below which a candidate is dropped after `n` retrains."""
    laxer = min(1.0, float(-ndtri(error)) / USUAL)
    return laxer * SLOPE * math.sqrt(n * min(1.0, CAP / budget)) - OFFSET


def _walked(alive: NDArray[np.float64], before: int, n: int) -> NDArray[np.float64]:
    """The density of z after `n` retrains, of the walks that were still alive after `before`. (grid,) float64."""
    if before == 0:
        return np.exp(-(GRID**2) / 2) / math.sqrt(2 * math.pi)
    old, new = math.sqrt(before / n), math.sqrt((n - before) / n)
    away = (GRID[:, None] - old * GRID[None, :]) / new
    kernel: NDArray[np.float64] = np.exp(-(away**2) / 2) / (new * math.sqrt(2 * math.pi))
    return kernel @ (alive * STEP)


def _quantile_above(density: NDArray[np.float64], mass: float) -> float:
    """The z above which the density holds `mass`."""
    cells = (density[1:] + density[:-1]) / 2 * STEP
    above = np.append(np.cumsum(cells[::-1])[::-1], 0.0)
    return float(np.interp(-mass, -above, GRID))


def _share_of_cell_below(z: float) -> NDArray[np.float64]:
    """(grid,) float64: how much of each grid cell lies below `z`, 0 to 1."""
    return np.clip((z - GRID) / STEP + 0.5, 0.0, 1.0)
