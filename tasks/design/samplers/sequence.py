"""`PointSequence`: what the samplers share whose points are one seeded sequence in the unit cube."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tasks.design.cube import point_at
from tasks.design.samplers.sampler import Observation, Search
from tasks.record import Point

Unit = NDArray[np.float64]


class PointSequence(ABC):
    """A fixed sequence of points; each parameter owns one coordinate, whether it exists at a point or not.

    So adding a conditional child moves no other value, and two seeds give two sequences.
    """

    adaptive: ClassVar[bool] = False

    def __init__(self, search: Search, /) -> None:
        self.search = search

    @staticmethod
    @abstractmethod
    def unit(count: int, dimensions: int, rng: np.random.Generator) -> Unit:
        """(count, dimensions) float64 in [0, 1): the first points; fewer points are the same ones."""

    def rows(self, count: int) -> Unit:
        """(count, parameters) float64 in [0, 1): the first `count` points of the sequence.

        Playbook: D5, D6
        """
        dimensions = len(self.search.space)
        if dimensions == 0:
            return np.zeros((count, 0))
        return self.unit(count, dimensions, np.random.default_rng(self.search.seed))

    def suggest(self, count: int, history: Sequence[Observation]) -> tuple[Point, ...]:
        """The `count` points after the first `len(history)`.

        Playbook: C10, D6
        """
        start = len(history)
        return tuple(point_at(self.search.space, row, self.search.held) for row in self.rows(start + count)[start:])
