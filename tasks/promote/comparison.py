"""One arm against another: the evidence of their retrains at each look, and what it says."""

import math
from collections.abc import Sequence
from typing import Literal

from scipy.special import ndtr, ndtri, stdtr, stdtrit  # type: ignore[import-untyped]

from tasks.promote.boundaries import Boundaries
from tasks.record import Frozen

Losses = Sequence[float]
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


def look_at(mine: Losses, theirs: Losses, minimum_gain: float, upper: float, lower: float) -> Look:
    """The look at the candidate's losses and the other arm's: in pairs, at least two, lower is better.

    Welch's t of (theirs - mine - minimum gain): the SDs are unknown and may differ. Its one-sided p is turned into
    z, which is what the boundaries speak of. A test that pools the two variances promotes a noisy candidate too
    often, and one on the paired differences has half the degrees of freedom.
    """
    scale = max(map(abs, (*mine, *theirs, minimum_gain))) or 1.0  # a finite loss of 1e200 must not overflow
    a, b, n = [x / scale for x in mine], [x / scale for x in theirs], len(mine)
    gain = mean(b) - mean(a)
    va, vb = variance(a) / n, variance(b) / n
    error = math.sqrt(va + vb)
    margin = gain - minimum_gain / scale
    if error <= NO_NOISE:
        z, half = (Z_MAX if margin > NO_NOISE else -Z_MAX), 0.0
    else:
        freedom = (va + vb) ** 2 / ((va**2 + vb**2) / (n - 1))
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
        sd_candidate=math.sqrt(va * n) * scale,
        sd_against=math.sqrt(vb * n) * scale,
        correlation=_correlation(a, b) if n > 2 and min(va, vb) > NO_NOISE**2 else None,
    )


def mean(values: Losses) -> float:
    """The mean; exact sums, so that no order of addition shows in a record."""
    return math.fsum(values) / len(values)


def variance(values: Losses) -> float:
    """The variance with one degree of freedom less than values."""
    middle = mean(values)
    return math.fsum((x - middle) * (x - middle) for x in values) / (len(values) - 1)


def _correlation(a: Losses, b: Losses) -> float:
    """Pearson's correlation of the pairs; of two pairs it would always be 1 or -1."""
    x, y = mean(a), mean(b)
    together = math.fsum((p - x) * (q - y) for p, q in zip(a, b, strict=True)) / (len(a) - 1)
    return together / math.sqrt(variance(a) * variance(b))
