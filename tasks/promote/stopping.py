"""Stopping bounds: when the gate looks, and how large z must be there for the stated error rate.

One comparison is a random walk whose z is looked at after 3, 5, 7, … retrains of the candidate. It stops above `upper`
(better) or below `lower` (dropped for good: `upper` counts on that). `upper` spends the error rate as the information
grows, by recursive integration of the walk's density (Armitage, McPherson and Rowe 1969; Lan and DeMets 1983);
`lower` is a line in the square root of the information. Both come from a search over designs, simulated for this
project. Measured with unknown and unequal SDs in `tests/benchmarks/calibration/gate.py`.

Information is counted in retrains an arm: n of each give n; n of the candidate against m of the other give the harmonic
mean of both. So retrains of the incumbent that were kept from earlier rounds count.
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
SLOPE = 0.448  # of the dropping line; `patience` is how far below zero it would begin
QUICK = 0.456  # the patience that costs least retrains at gains of 1.25 SD
LATE = 1.2  # the error rate is spent as the information to this power: at 3 retrains t is least to be trusted
RIVALS = 0.16  # more patience for each further finalist: the best of several shows itself later
KEPT = 0.19  # less patience where the incumbent's noise is known: the candidate's own is half the matter
USUAL = 1.75  # z of the error rate at which the line was fitted; a laxer gate drops later
UNDECIDED = 0.5  # at least this much z between dropping and promoting


class StoppingBounds(Frozen):
    """The looks, in retrains of the candidate; z from `upper` on is better there, and up to `lower` it is dropped."""

    looks: tuple[int, ...]
    upper: tuple[float, ...]
    lower: tuple[float, ...]


def look_sizes(budget: int, kept: int = 0) -> tuple[int, ...]:
    """Retrains of the candidate at each look: 3, 5, 7, …, wider apart from 12 on, and the budget itself as the last.

    With more than three retrains of the other arm at hand each further one is looked at, up to 8: only the candidate
    pays. No look stands one retrain before the last: it would buy nothing.
    """
    found, n = [], FIRST
    while n <= budget - 2:
        found.append(n)
        n += 1 if kept > FIRST and n < 8 else max(2, n // 5)
    return (*found, budget)


@lru_cache(maxsize=64)
def stopping_bounds(
    at: tuple[int, ...], error: float, *, kept: int = 0, rivals: int = 0, patience: float = QUICK
) -> StoppingBounds:
    """The boundaries for these looks (the last at 2 retrains or more), crossed by chance in a share `error` of cases.

    `kept`: retrains of the other arm that are there from the start. `rivals`: other candidates in the same race.
    `patience`: in z; more of it drops later. `upper` is never below the z of one look at the same error: what `lower`
    saves by dropping is not spent on promoting for less than plain evidence. Rounded to four decimals, so that they
    are the same on every machine.

    Playbook: G4
    """
    known = [information(n, kept) for n in at]
    offset = patience + RIVALS * rivals - KEPT * standing(kept)
    upper: list[float] = []
    lower: list[float] = []
    alive = np.empty(0)
    for i, info in enumerate(known):
        before = known[i - 1] if i else 0.0
        density = _walked(alive, before, info)
        spent = _quantile_above(density, error * (info**LATE - before**LATE) / known[-1] ** LATE)
        upper.append(round(max(spent, float(-ndtri(error))), 4))
        lower.append(round(min(_line(info, offset, error), upper[-1] - UNDECIDED), 4) + 0.0)  # no reader wants "-0"
        alive = density * _share_of_cell_below(upper[-1]) * (1.0 - _share_of_cell_below(lower[-1]))
    return StoppingBounds(looks=at, upper=tuple(upper), lower=tuple(lower))


def information(n: int, kept: int) -> float:
    """What n retrains of the candidate tell, in retrains an arm, against n or all `kept` ones of the other."""
    return 2.0 / (1.0 / n + 1.0 / max(n, kept))


def standing(kept: int) -> float:
    """How much of the other arm is known from the start: 0 (nothing that the first look would not have) to 1."""
    return 1.0 - FIRST / max(kept, FIRST)


def _line(info: float, offset: float, error: float) -> float:
    """The z at or below which a candidate is dropped."""
    laxer = min(1.0, float(-ndtri(error)) / USUAL)
    return laxer * SLOPE * math.sqrt(info) - offset


def _walked(alive: NDArray[np.float64], before: float, info: float) -> NDArray[np.float64]:
    """The density of z at an information, of the walks that were still alive `before`. (grid,) float64."""
    if before == 0:
        return np.exp(-(GRID**2) / 2) / math.sqrt(2 * math.pi)
    old, new = math.sqrt(before / info), math.sqrt((info - before) / info)
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
