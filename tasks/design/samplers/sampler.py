"""What a sampler is: a class that suggests points, from the trials before them where it is adaptive."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from tasks.record import Frozen, Point, Value
from tasks.scope.space import Space


class Observation(Frozen):
    """One earlier trial of a study, as a sampler sees it.

    `value`: its best loss over training, lower is better; None where it is infeasible, failed or `pending`. A pending
    one may have ended: the sampler sees no later result than its lag allows, so that its points do not depend on which
    trial ended first. `metrics`: the last finite value of everything that it reported. `seconds_a_step`: measured, and
    so no two runs have the same; points that depend on it are the same only because they are stored.
    """

    point: dict[str, Value]
    value: float | None
    infeasible: bool
    pending: bool
    metrics: dict[str, float] = {}
    seconds_a_step: float | None = None


class Search(Frozen):
    """What a sampler is made from: the space, the values that every point `held`, a seed, how many trials there are.

    `points`: the explicit ones, where the goal lists them.
    """

    space: Space
    held: dict[str, Value]
    seed: int
    count: int
    points: tuple[dict[str, Value], ...] = ()


class Sampler(Protocol):
    """Suggests the points of one study, in their order.

    `adaptive`: whether a point depends on the results before it. One that does not goes on at `len(history)`.
    """

    adaptive: ClassVar[bool]

    def __init__(self, search: Search, /) -> None: ...

    def suggest(self, count: int, history: Sequence[Observation]) -> tuple[Point, ...]:
        """The next `count` points after those of `history`, the study's trials in the order of their index.

        Equal histories give equal points: what a sampler draws depends on its seed and on `history` alone.
        """
