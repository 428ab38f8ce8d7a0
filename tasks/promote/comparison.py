"""One arm against another at each look of the gate: gain, standard error, z."""

import math
from collections.abc import Sequence
from typing import Final

from scipy.special import ndtr, ndtri, stdtr, stdtrit  # type: ignore[import-untyped]

from tasks.promote.stopping import StoppingBounds
from tasks.record import Frozen
from tasks.verdict import State

Losses = Sequence[float]
ArmName = str
"""`finalist`, `finalist-2`, … in the order of their search, `baseline` or `incumbent`."""
FINALIST: Final = "finalist"
BASELINE: Final = "baseline"
INCUMBENT: Final = "incumbent"
Z_MAX = 8.0  # as sure as 64-bit tails can say
NO_NOISE = 1e-12  # a standard error below this share of the values is rounding


class Look(Frozen):
    """The evidence after `retrains` retrains of the candidate and `against` of the other; gains in the metric's unit.

    `gain` > 0: the candidate is better. `low` and `high` are the repeated confidence limits, valid although the
    gate stops early: `low` exceeds the minimum gain exactly where z reaches `upper`. `correlation` is that of the
    paired seeds, None where the seeds are not paired; it is reported and not used.
    """

    retrains: int
    against: int
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
    """`candidate` against `against`, and the looks taken so far; `void` where one of them has no sound evidence.

    `margin`: what the candidate must gain at least, in the metric's unit; below zero where it is the simpler one.
    """

    candidate: ArmName
    against: ArmName
    boundaries: StoppingBounds
    margin: float
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


def finalist(place: int) -> ArmName:
    """The name of the finalist that was number `place`, from 0, in its search."""
    return FINALIST if place == 0 else f"{FINALIST}-{place + 1}"


def is_finalist(name: ArmName) -> bool:
    """Whether the arm has the change that is asked about."""
    return name not in (BASELINE, INCUMBENT)


def look_at(mine: Losses, theirs: Losses, margin: float, upper: float, lower: float, *, paired: bool = True) -> Look:
    """The look at the candidate's losses and the other arm's: at least two each, lower is better.

    Welch's t of (theirs - mine - margin): the SDs are unknown and may differ. Its one-sided p is turned into z, which
    is what the boundaries speak of. A test that pools the two variances promotes a noisy candidate too often, and one
    on the paired differences has half the degrees of freedom. Of two unequal numbers of retrains the pooled test is
    asked, too, and the lesser z counts: Welch's alone is wrong there for few retrains of a skewed candidate.
    """
    scale = max(map(abs, (*mine, *theirs, margin))) or 1.0  # a finite loss of 1e200 must not overflow
    a, b = [x / scale for x in mine], [x / scale for x in theirs]
    gain = mean(b) - mean(a)
    beyond = gain - margin / scale
    errors = [_welch(a, b)] if len(a) == len(b) else [_welch(a, b), _pooled(a, b)]
    if errors[0][0] <= NO_NOISE:
        z = _z_of_ties(len(a), len(b)) if beyond > NO_NOISE else -Z_MAX
        half = beyond * upper / z if 0 < z < upper else 0.0  # ties that may be luck have no band of width 0
    else:
        z = min(_z(beyond / error, freedom) for error, freedom in errors) + 0.0  # no reader wants "-0"
        half = max(-float(stdtrit(freedom, ndtr(-upper))) * error for error, freedom in errors)
    va, vb = variance(a), variance(b)
    return Look(
        retrains=len(a),
        against=len(b),
        gain=gain * scale,
        low=(gain - half) * scale,
        high=(gain + half) * scale,
        z=z,
        upper=upper,
        lower=lower,
        sd_candidate=math.sqrt(va) * scale,
        sd_against=math.sqrt(vb) * scale,
        correlation=_correlation(a, b) if paired and len(a) > 2 and min(va, vb) / len(a) > NO_NOISE**2 else None,
    )


def _z_of_ties(mine: int, theirs: int) -> float:
    """The z of two arms that each gave one value alone: as sure as that luck did not deal them so.

    A metric that counts a few mistakes often takes two values only, and three equal ones are then soon dealt.
    """
    return min(Z_MAX, -float(ndtri(1 / math.comb(mine + theirs, mine))))


def _z(t: float, freedom: float) -> float:
    return math.copysign(min(Z_MAX, -float(ndtri(stdtr(freedom, -abs(t))))), t)


def _welch(a: Losses, b: Losses) -> tuple[float, float]:
    """`(standard error, degrees of freedom)` of the difference of means, each arm with a variance of its own."""
    va, vb = variance(a) / len(a), variance(b) / len(b)
    if va + vb == 0:
        return 0.0, 1.0
    return math.sqrt(va + vb), (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))


def _pooled(a: Losses, b: Losses) -> tuple[float, float]:
    """The same with one variance for both."""
    freedom = len(a) + len(b) - 2
    common = ((len(a) - 1) * variance(a) + (len(b) - 1) * variance(b)) / freedom
    return math.sqrt(common * (1 / len(a) + 1 / len(b))), freedom


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
