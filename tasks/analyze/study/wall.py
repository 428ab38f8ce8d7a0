"""An instability wall: a threshold of one hyperparameter, or of two together, beyond which trials are infeasible."""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.design.cube import from_unit
from tasks.record import Value
from tasks.scope.space import Parameter
from tasks.text import show

Floats = NDArray[np.float64]
Side = Literal["low", "high"]
SIDES: tuple[tuple[Side, int], ...] = (("low", -1), ("high", 1))

INSIDE = 0.85  # a narrowed range keeps its wall here, so that the next round can still see it
DIGITS = 9  # of a diagonal: two ints whose sum is equal must not be told apart by rounding


@dataclass(frozen=True, kw_only=True)
class Direction:
    """A way through the space: along one hyperparameter, or along the sum or the difference of two ranges.

    `columns`: of the study's space, one or two. `turn`: -1 where the second counts downward. One hyperparameter is
    measured in ranges. Two on log scales are measured in decades, so that the difference is their ratio whatever
    the width of the ranges; any other two in ranges.
    """

    columns: tuple[int, ...]
    parameters: tuple[Parameter, ...]
    turn: int = 1

    @property
    def single(self) -> bool:
        """Whether it is one hyperparameter's."""
        return len(self.columns) == 1

    @property
    def log(self) -> bool:
        """Whether it is a product or a ratio."""
        return all(p.scale == "log" for p in self.parameters)

    @property
    def reversed(self) -> "Direction":
        """The difference of the same two the other way round."""
        return Direction(columns=self.columns[::-1], parameters=self.parameters[::-1], turn=self.turn)

    @property
    def name(self) -> str:
        """The hyperparameter, `a / b` or `a * b` on log scales, and `a with b` where no arithmetic has a meaning."""
        if self.single:
            return self.parameters[0].name
        sign = "with" if not self.log else "*" if self.turn > 0 else "/"
        return f" {sign} ".join(p.name for p in self.parameters)

    def along(self, unit: Floats) -> Floats:
        """(points,) where points of the unit cube, (points, parameters), lie; NaN where a parameter does not exist."""
        if self.single:
            return unit[:, self.columns[0]]
        known = np.where(np.isfinite(unit), unit, np.nan)[:, self.columns]
        first, second = self.widths
        return np.asarray(np.round(first * known[:, 0] + self.turn * second * known[:, 1], DIGITS))

    @property
    def widths(self) -> tuple[float, ...]:
        """How long each range is in the direction's own measure."""
        return tuple(_decades(p)[1] if self.log and not self.single else 1.0 for p in self.parameters)

    @property
    def origin(self) -> float:
        """What `along` must be added to, to be the logarithm of the product or the ratio."""
        return sum(t * _decades(p)[0] for t, p in zip((1, self.turn), self.parameters, strict=False))


@dataclass(frozen=True, kw_only=True)
class Wall:
    """Trials beyond `position` in one direction are infeasible.

    `sign`: +1 on the high side. `position`: along the direction, half way between the outermost feasible trial and
    the first infeasible one. `beyond`: infeasible trials there. `chance`: how often infeasible trials scattered at
    random would lie as far out.
    """

    direction: Direction
    side: Side
    sign: int
    position: float
    beyond: int
    chance: float

    @property
    def parameter(self) -> Parameter:
        """The hyperparameter; of two the first."""
        return self.direction.parameters[0]

    @property
    def column(self) -> int:
        """Its column."""
        return self.direction.columns[0]

    @property
    def value(self) -> Value:
        """The position in the parameter's own unit, as a product or ratio, or in ranges where it is neither."""
        if self.direction.single:
            return from_unit(self.parameter, min(max(self.position, 0.0), 1.0))
        return float(10.0 ** (self.position + self.direction.origin)) if self.direction.log else self.position

    @property
    def shown(self) -> str:
        """The value in words; of a product or a ratio two digits, which is more than is known."""
        return show(self.value if self.direction.single else float(f"{self.value:.2g}"))

    @property
    def place(self) -> str:
        """Where the infeasible trials lie, in words."""
        if self.direction.single or self.direction.log:
            return f"{self.direction.name} {'above' if self.sign > 0 else 'below'} about {self.shown}"
        ends = ("high" if s > 0 else "low" for s in (self.sign, self.sign * self.direction.turn))
        return " with ".join(f"{end} {p.name}" for end, p in zip(ends, self.direction.parameters, strict=True))

    def depth(self, unit: Floats) -> Floats:
        """(points,) how far before the wall points of the unit cube lie; negative beyond it."""
        return self.sign * (self.position - self.direction.along(unit))


def diagonals(space: Iterable[Parameter]) -> Iterator[Direction]:
    """The sum and the difference of every two ranges: what diverges is often a product or a ratio, and neither alone.

    Playbook: E5, E10
    """
    ranges = [(j, p) for j, p in enumerate(space) if p.numeric and not p.constant]
    for (i, a), (j, b) in itertools.combinations(ranges, 2):
        for turn in (1, -1):
            yield Direction(columns=(i, j), parameters=(a, b), turn=turn)


def narrowed(wall: Wall) -> str | None:
    """The override that moves the range's end in so that the wall stands at 85 % of it; None where it does already.

    The wall stays inside on purpose: a range that ends below it forgets it, its best trial then stands at an edge
    that looks like a reason to expand, and the rounds go round in circles. A wall of two hyperparameters leaves no end
    of either range without feasible trials.

    Playbook: E4, E9
    """
    parameter = wall.parameter
    depth = wall.position if wall.sign > 0 else 1.0 - wall.position  # of the range that is feasible
    end = depth / INSIDE
    if not wall.direction.single or not parameter.numeric or end > 0.95 or depth <= 0.0:
        return None
    value = from_unit(parameter, end if wall.sign > 0 else 1.0 - end)
    if value in parameter.bounds:
        return None
    return f"space.{parameter.name}.{wall.side}={value if parameter.type == 'int' else f'{value:.3g}'}"


def _decades(parameter: Parameter) -> tuple[float, float]:
    """`(lowest, width)` of a log range in decades; an int owns its cell, from half below to half above it."""
    half = 0.5 if parameter.type == "int" else 0.0
    low, high = (math.log10(v) for v in (parameter.bounds[0] - half, parameter.bounds[1] + half))
    return low, high - low
