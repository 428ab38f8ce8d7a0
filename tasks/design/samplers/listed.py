"""Explicit points, as the goal lists them (`goal.points`)."""

from collections.abc import Sequence
from typing import ClassVar

from tasks.design.samplers.sampler import Observation, Search
from tasks.record import Point
from tasks.scope.error import InputError


class Listed:
    """The points of the list, in its order."""

    adaptive: ClassVar[bool] = False

    def __init__(self, search: Search, /) -> None:
        if not search.points:
            raise InputError("sampler: points are listed by goal.points=[{...}, ...], and the goal lists none.")
        self._search = search

    def suggest(self, count: int, history: Sequence[Observation]) -> tuple[Point, ...]:
        """The next points of the list; fewer than `count` at its end."""
        return tuple({**self._search.held, **p} for p in self._search.points[len(history) : len(history) + count])
