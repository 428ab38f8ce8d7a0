"""One arm against another: the evidence of their retrains at each look, and what it says."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit  # type: ignore[import-untyped]

from tasks.promote.boundaries import Boundaries
from tasks.record import Frozen

ArmName = Literal["finalist", "baseline", "incumbent"]
State = Literal["open", "better", "not better", "undecided", "void"]
Z_MAX = 8.0  # as sure as 64-bit tails can say; also what two arms without any noise get
NO_NOISE = 1e-12  # a standard error below this share of the values is rounding


class Look(Frozen):
    """The evidence after `retrains` retrains an arm; gains and SDs in the metric's unit.

    `gain` > 0: the candidate is better. `low` and `high` are the repeated confidence limits, valid although the
    gate stops early: `low` exceeds the minimum gain exactly where z reaches `upper`. `correlation` is that of the
    paired seeds; it is reported and not used.
    """

    retrains: int
    gain: float
    low: float
    high: float
    z: float
    upper: float
    lower: float
    sd_candidate: float
    sd_against: float
    correlation: float | None


class Comparison(Frozen):
    """`candidate` against `against`, and the looks taken so far; `void` where one of them has no sound evidence."""

    candidate: ArmName
    against: ArmName
    boundaries: Boundaries
    looks: tuple[Look, ...] = ()
    void: bool = False

    @property
    def state(self) -> State:
        """What the looks say: better by more than the minimum gain, not better, or not settled."""
        if self.void:
            return "void"
        if self.looks and self.last.z >= self.last.upper:
            return "better"
        if self.looks and self.last.z <= self.last.lower:
            return "not better"
        return "undecided" if len(self.looks) == len(self.boundaries.looks) else "open"

    @property
    def last(self) -> Look:
        """The last look; an IndexError before the first."""
        return self.looks[-1]


def look_at(
    mine: NDArray[np.float64], theirs: NDArray[np.float64], minimum_gain: float, upper: float, lower: float
) -> Look:
    """The look at the candidate's losses and the other arm's: (retrains,) float64, in pairs, lower is better.

    Welch's t of (theirs - mine - minimum gain): the SDs are unknown and may differ. Its one-sided p is
    turned into z, which is what the boundaries speak of. A test that pools the two variances promotes a noisy
    candidate too often, and one on the paired differences has half the degrees of freedom.
    """
    scale = float(max(np.abs(mine).max(), np.abs(theirs).max(), abs(minimum_gain))) or 1.0
    mine, theirs, n = mine / scale, theirs / scale, len(mine)  # a finite loss of 1e200 must not overflow
    gain = float(theirs.mean() - mine.mean())
    a, b = float(mine.var(ddof=1)) / n, float(theirs.var(ddof=1)) / n
    error = math.sqrt(a + b)
    margin = gain - minimum_gain / scale
    if error <= NO_NOISE:
        z, half = (Z_MAX if margin > NO_NOISE else -Z_MAX), 0.0
    else:
        freedom = (a + b) ** 2 / ((a**2 + b**2) / (n - 1))
        z = math.copysign(min(Z_MAX, -float(ndtri(stdtr(freedom, -abs(margin) / error)))), margin)
        half = -float(stdtrit(freedom, ndtr(-upper))) * error
    return Look(
        retrains=n,
        gain=gain * scale,
        low=(gain - half) * scale,
        high=(gain + half) * scale,
        z=z,
        upper=upper,
        lower=lower,
        sd_candidate=math.sqrt(a * n) * scale,
        sd_against=math.sqrt(b * n) * scale,
        correlation=_correlation(mine, theirs) if min(a, b) > NO_NOISE**2 else None,
    )


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Pearson's correlation of the pairs; None for two of them, which always lie on a line."""
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 else None
