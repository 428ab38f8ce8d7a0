"""A grid, for one or two hyperparameters: all combinations of evenly spaced values, both ends included."""

import itertools
import math
from collections.abc import Sequence
from typing import ClassVar

from tasks.design.cube import point_at
from tasks.design.samplers.sampler import Observation, Search
from tasks.record import Point, canonical
from tasks.scope.error import InputError
from tasks.scope.space import Parameter, Space

MOST = 2  # dimensions; in more a grid repeats each value so often that most of its trials teach nothing new


class Grid:
    """Every combination of each parameter's levels, the last parameter's changing fastest.

    A listed parameter has its values as levels, an int at most its whole numbers. The ranges get as many levels as fit
    into `search.count` trials, so a grid may have fewer points than that. A point without some conditional parameter is
    there once.

    Playbook: D7
    """

    adaptive: ClassVar[bool] = False

    def __init__(self, search: Search, /) -> None:
        varied = [p for p in search.space if not p.constant]
        if len(varied) > MOST:
            raise InputError(
                f"sampler: a grid is for one or two hyperparameters (D7), and here {len(varied)} vary "
                f"({', '.join(p.name for p in varied)}); say sampler=halton, or fix all but two."
            )
        rows = itertools.product(*_levels(tuple(search.space), search.count))
        every = (_with_ends(search.space, row, point_at(search.space, row, search.held)) for row in rows)
        self._points = tuple({canonical(dict(point)): point for point in every}.values())

    def suggest(self, count: int, history: Sequence[Observation]) -> tuple[Point, ...]:
        """The next points of the grid; fewer than `count` at its end."""
        return self._points[len(history) : len(history) + count]


def _with_ends(space: Space, row: tuple[float, ...], point: Point) -> Point:
    """The point, its values at an end of a range to the last digit as the range has them."""
    ends = {p.name: p.bounds[int(u)] for p, u in zip(space, row, strict=True) if p.type == "float" and u in (0.0, 1.0)}
    return {name: ends.get(name, value) for name, value in point.items()}


def _levels(space: tuple[Parameter, ...], count: int) -> list[tuple[float, ...]]:
    """The coordinates of each parameter's levels, in the order of the space."""
    levels = {p.name: 1 if p.constant else len(p.values) for p in space if p.constant or not p.numeric}
    listed = math.prod(levels.values())
    if listed > count:
        raise InputError(
            f"sampler: a grid of the listed values has {listed} points, and budget.trials is {count}; raise it to "
            f"{listed}, or say sampler=halton."
        )
    left = count // listed
    ranges = [p for p in space if p.name not in levels]
    levels |= dict(zip((p.name for p in ranges), _shares(left, [_most(p) for p in ranges]), strict=True))
    return [_spaced(p, levels[p.name]) for p in space]


def _shares(count: int, most: list[int]) -> tuple[int, ...]:
    """The levels of each of at most two ranges: one has twice the other's at most, unless that one can have no more.

    Of such grids the largest, of equals the squarest.
    """
    if len(most) < MOST:
        return tuple(min(count, m) for m in most)
    grids = [(a, min(count // a, most[1])) for a in range(1, min(count, most[0]) + 1)]
    fair = [(a, b) for a, b in grids if (a <= 2 * b or b == most[1]) and (b <= 2 * a or a == most[0])]
    return max(fair, key=lambda grid: (math.prod(grid), -abs(grid[0] - grid[1]), grid[0]))


def _most(parameter: Parameter) -> int:
    """The levels that a range can have at most."""
    low, high = parameter.bounds
    return int(high - low) + 1 if parameter.type == "int" else 2**31


def _spaced(parameter: Parameter, levels: int) -> tuple[float, ...]:
    """Evenly spaced from end to end in the parameter's scale; the middle where there is one level."""
    if levels == 1:
        return (0.5,)
    if not parameter.numeric:
        return tuple((i + 0.5) / levels for i in range(levels))
    return tuple(i / (levels - 1) for i in range(levels))
