"""Where a value stands on an axis, what is visible, and which ticks are written; no drawing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.record import Value
from tasks.scope.space import Parameter, same
from tasks.text import number

Floats = NDArray[np.float64]
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, kw_only=True)
class Ruler:
    """One axis. Positions are log10 of the value where `log`, else the value itself.

    `limits` and `ticks` are positions; `bounds` are the ends of the search space, None where there are none.
    """

    limits: tuple[float, float]
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    log: bool = False
    bounds: tuple[float, float] | None = None
    categories: tuple[Value, ...] = ()

    def at(self, values: ArrayLike) -> Floats:
        """Positions of numbers, same shape; NaN where the axis has no place for one."""
        array = np.asarray(values, dtype=np.float64)
        if not self.log:
            return array
        return np.log10(np.where(array > 0, array, np.nan))

    def cell(self, value: Value) -> int | None:
        """The place of a listed value, None where it is not listed."""
        return next((i for i, v in enumerate(self.categories) if same(v, value)), None)


@dataclass(frozen=True, kw_only=True)
class ObjectiveRuler:
    """The objective's axis: robust to outliers, with a strip at its worse end for infeasible trials.

    `beyond`: position of the caret of a value that is out of sight; `strip`: position of the crosses, `fence` where
    their strip begins. Values past `edge` are out of sight.
    """

    ruler: Ruler
    beyond: float
    strip: float
    fence: float
    edge: float
    upward: bool  # whether worse is up

    def shown(self, values: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
        """`(positions, clipped)` of objective values: a clipped one stands at the edge, to be drawn as a caret."""
        at = self.ruler.at(values)
        clipped = at > self.edge if self.upward else at < self.edge
        if self.ruler.log:
            clipped = clipped | ((np.asarray(values) <= 0) & (not self.upward))
        return np.where(clipped, self.beyond, at), clipped


def objective_ruler(values: ArrayLike, *, minimize: bool, strip: bool, extra: Sequence[float] = ()) -> ObjectiveRuler:
    """The axis for these objective values: the worst twentieth leaves the sight when it would squeeze all others.

    `extra` values (ends of bands) are always in sight. Positive values over more than a factor of eight go on a
    log axis. `strip` keeps room for infeasible trials at the worse end.

    Playbook: E8
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    kept = np.concatenate([_in_sight(known, minimize), np.asarray(list(extra), dtype=np.float64)])
    if not len(kept):
        return _blank(minimize)
    log = bool(kept.min() > 0 and kept.max() / kept.min() > 8)
    low, high = (float(v) for v in ((np.log10(kept) if log else kept).min(), (np.log10(kept) if log else kept).max()))
    span = (high - low) or abs(high) * 0.1 or 1.0
    pad, room = 0.07 * span, 0.15 * span if strip else 0.0
    limits = (low - pad, high + pad + room) if minimize else (low - pad - room, high + pad)
    edge = high + 0.5 * pad if minimize else low - 0.5 * pad
    ticks, labels = log_ticks(low, high) if log else linear_ticks(low, high, 4)
    return ObjectiveRuler(
        ruler=Ruler(limits=limits, ticks=ticks, labels=labels, log=log),
        beyond=edge,
        strip=limits[1] - 0.45 * room if minimize else limits[0] + 0.45 * room,
        fence=limits[1] - room if minimize else limits[0] + room,
        edge=edge,
        upward=minimize,
    )


def _blank(minimize: bool) -> ObjectiveRuler:
    """An axis without a value on it: no ticks, for there is nothing to read off; room for crosses all the same."""
    ends = (0.93, 0.85, 0.8) if minimize else (0.07, 0.15, 0.2)
    ruler = Ruler(limits=(0.0, 1.0), ticks=(), labels=())
    return ObjectiveRuler(ruler=ruler, beyond=ends[2], strip=ends[0], fence=ends[1], edge=ends[2], upward=minimize)


def _in_sight(known: Floats, minimize: bool) -> Floats:
    """The values without the worst ones, where those alone would take more than a third of the axis.

    The worst twentieth may go, and whatever is worse than the median by three times the median's distance to the
    best: a reader compares the good trials, and a caret still counts the others.
    """
    if len(known) < 8:
        return known
    losses = known if minimize else -known
    best, median = float(losses.min()), float(np.median(losses))
    cut = min(float(np.quantile(losses, 0.95)), median + 3 * (median - best))
    kept = known[losses <= cut]
    return kept if np.ptp(known) > 1.5 * np.ptp(kept) else known


def parameter_ruler(parameter: Parameter, values: Sequence[Value]) -> Ruler:
    """The axis of a parameter in the scale in which it is sampled, a little wider than its bounds and its values."""
    if not parameter.numeric:
        return category_ruler((*parameter.values, *(v for v in values if not parameter.holds(v))))
    log = parameter.scale == "log"
    half = 0.5 if parameter.type == "int" else 0.0  # an int owns its cell, from half below to half above it
    ends = (parameter.bounds[0] - half, parameter.bounds[1] + half)
    low, high = (math.log10(v) if log else v for v in ends)
    at = Ruler(limits=(0, 1), ticks=(), labels=(), log=log).at([v for v in values if not isinstance(v, str)])
    at = at[np.isfinite(at)]
    seen = (min([low, *at]), max([high, *at]))
    pad = 0.06 * ((seen[1] - seen[0]) or abs(seen[1]) or 1.0)
    if log:
        ticks, labels = log_ticks(*seen)
    else:
        ticks, labels = linear_ticks(*seen, 4, whole=parameter.type == "int")
    return Ruler(limits=(seen[0] - pad, seen[1] + pad), ticks=ticks, labels=labels, log=log, bounds=(low, high))


def category_ruler(values: Sequence[Value], room: int = 34) -> Ruler:
    """One place for each listed value, in order; all their texts together have room for that many letters."""
    distinct: list[Value] = []
    for v in values:
        if not any(same(v, w) for w in distinct):
            distinct.append(v)
    length = max(3, room // max(len(distinct), 1))
    texts = tuple(t if len(t := str(number(v))) <= length else t[: length - 1] + "…" for v in distinct)
    places = tuple(float(i) for i in range(len(distinct)))
    return Ruler(limits=(-0.6, len(distinct) - 0.4), ticks=places, labels=texts, categories=tuple(distinct))


def linear_ticks(
    low: float, high: float, count: int, *, whole: bool = False
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Round positions between low and high, about `count`, and their texts."""
    if high <= low:
        return (low,), (number(low),)
    raw = (high - low) / count
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(s * size for s in (1, 2, 2.5, 5, 10) if s * size >= raw * 0.999)
    step = max(1.0, math.ceil(step)) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple(float(i * step) for i in range(first, last + 1))
    digits = max(0, -math.floor(math.log10(step)) + (1 if step / size == 2.5 else 0))
    plain = step >= 1e-4 and max(abs(low), abs(high)) < 1e7
    return ticks, tuple(f"{t:,.{digits}f}".replace("-", "\u2212") if plain else number(t) for t in ticks)


def log_ticks(low: float, high: float) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Positions (log10) from low to high and their texts: powers of ten, and numbers between where few of those fit."""
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    decades = list(range(first, last + 1))
    if len(decades) >= 3:
        decades = decades[:: math.ceil(len(decades) / 5)]
        plain = decades[0] > -3 and decades[-1] <= 3
        return tuple(map(float, decades)), tuple(f"{10.0**d:g}" if plain else _power(d) for d in decades)
    for steps in ((1, 3),) if len(decades) == 2 else ((1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        values = [s * 10.0**d for d in range(math.floor(low), math.ceil(high) + 1) for s in steps]
        inside = [v for v in values if low - 1e-9 <= math.log10(v) <= high + 1e-9]
        if len(inside) >= 2:
            return tuple(math.log10(v) for v in inside), tuple(number(v) for v in inside)
    ticks, _ = linear_ticks(10.0**low, 10.0**high, 3)
    return tuple(math.log10(t) for t in ticks if t > 0), tuple(number(t) for t in ticks if t > 0)


def _power(exponent: int) -> str:
    return "1" if exponent == 0 else "10" + str(exponent).translate(SUPERSCRIPTS)


def spread(count: int, width: float = 0.6) -> Floats:
    """(count,) float64 in ±width/2: a jitter by the golden ratio, the same at every drawing and without clumps."""
    return np.asarray((np.arange(count) * 0.6180339887498949 % 1.0 - 0.5) * width, dtype=np.float64)
