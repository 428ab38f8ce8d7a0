"""Listed values dealt evenly to the points of a sequence, so that each combination gets its equal share of trials."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tasks.design.cube import point_at
from tasks.design.samplers.sampler import Observation
from tasks.design.samplers.sequence import PointSequence, Unit
from tasks.record import Point


class Dealt:
    """A sequence of points, with the `listed` parameters dealt so that every combination gets its equal share.

    A sequence is uniform in the limit only; counts of a few dozen trials are made equal (to one) by allocation: in
    each block of as many trials as there are combinations, each combination has one. Which trial gets which follows
    from the listed parameters' own coordinates, by rank, so each value's trials are spread as evenly as the whole.
    Dealt round robin instead, a value would get every k-th point of the sequence, and those share their first digit
    in some dimension: with 9 values Halton's base 3 leaves each a ninth of that parameter's range.

    Playbook: D3, D4
    """

    adaptive: ClassVar[bool] = False

    def __init__(self, sequence: PointSequence, listed: tuple[str, ...]) -> None:
        space = sequence.search.space
        self._sequence = sequence
        self._columns = [(space.names.index(name), len(space[name].values)) for name in listed]

    def suggest(self, count: int, history: Sequence[Observation]) -> tuple[Point, ...]:
        """The `count` points after the first `len(history)`."""
        search, start = self._sequence.search, len(history)
        block = math.prod(cells for _, cells in self._columns)
        cube = self._sequence.rows(-(-(start + count) // block) * block)
        for first in range(0, len(cube), block):
            _deal(cube, np.arange(first, first + block), self._columns)
        return tuple(point_at(search.space, row, search.held) for row in cube[start : start + count])


def _deal(cube: Unit, rows: NDArray[np.intp], left: list[tuple[int, int]]) -> None:
    """Sets the rows' `(column, cells)` one column after the other: the rows by rank, in equal parts, a part a cell."""
    if not left:
        return
    (column, cells), *rest = left
    ranked = rows[np.argsort(cube[rows, column], kind="stable")]
    for cell, part in enumerate(np.array_split(ranked, cells)):
        cube[part, column] = (cell + 0.5) / cells
        _deal(cube, part, rest)
