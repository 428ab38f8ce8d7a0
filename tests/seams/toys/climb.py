"""A third sampler for the tests of the seam: an adaptive one that this program does not ship."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tasks.design.cube import coordinates, point_at
from tasks.design.samplers.sampler import Observation, Search
from tasks.record import Point


class Climb:
    """Every third point is drawn anew; the others lie near the best one so far, as far as that is known."""

    adaptive: ClassVar[bool] = True

    def __init__(self, search: Search, /) -> None:
        self.search = search

    def suggest(self, count: int, history: Sequence[Observation]) -> tuple[Point, ...]:
        """Each drawn from its index, the seed, and the best that `history` knows."""
        known = [o for o in history if o.value is not None]
        best = min(known, key=lambda o: o.value or 0.0).point if known else None
        return tuple(self._next(len(history) + i, best) for i in range(count))

    def _next(self, index: int, best: Point | None) -> Point:
        rng = np.random.default_rng([self.search.seed, index])
        row = rng.random(len(self.search.space))
        if best is not None and index % 3:
            here = coordinates(self.search.space, (best,))[0]
            row = np.where(np.isnan(here), row, np.clip(here + 0.1 * (row - 0.5), 0.0, 1.0))
        return point_at(self.search.space, row, self.search.held)
