"""Where a planted study's optimum, walls and valleys lie: the half of a scenario that depends on the point."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tasks.record import Point
from tests.analyze.planted_curves import Floats, Rng

WELL = 0.08  # ranges: half the width of a needle's well
DEEP = 6.0  # effects: what a plateau costs, and what a bowl comes to where it levels off


@dataclass(frozen=True, kw_only=True)
class Land:
    """Where a study's optimum and walls lie, in ranges of the first hyperparameter (its learning rate).

    `optimum` and `wall` are intervals to draw from. `softness` blurs the wall; `diagonal` puts it across learning rate
    and one minus momentum: `wall` is then of the difference of their coordinates, and so is the optimum, in this
    interval. `breaks` of the trials end infeasible wherever they lie.
    `needle`: a plateau with one well around one of the trials. `valley`: at its half-width, along a diagonal of the
    first two, one effect is lost; the plain costs `DEEP`. `levels`: the bowl levels off at `DEEP`. `flat`: no place is
    better than another. `stuck`: what lies beyond the wall ends where a guesser is, and is not infeasible.
    """

    optimum: tuple[float, float] = (0.25, 0.75)
    either_side: bool = False
    wall: tuple[float, float] | None = None
    softness: float = 0.0
    diagonal: tuple[float, float] | None = None
    breaks: float = 0.0
    needle: bool = False
    valley: tuple[float, float] | None = None
    levels: bool = False
    flat: bool = False
    stuck: bool = False


@dataclass(frozen=True, kw_only=True)
class Ground:
    """One draw of a land: its centre, how many ninths of an effect a range costs, its wall and its valley's width."""

    land: Land
    centre: Floats
    bends: Floats
    wall: float | None
    width: float

    def away(self, u: Floats) -> float:
        """How many effects the place is worse than the best one."""
        apart = u - self.centre
        if self.land.needle:
            return DEEP * (1.0 - float(np.exp(-float((apart**2).sum()) / (2 * WELL**2))))
        if self.land.flat:
            return 0.0
        if self.land.valley is None:
            lost = 9.0 * float(self.bends @ apart**2)
            return DEEP * (1.0 - float(np.exp(-lost / DEEP))) if self.land.levels else lost
        across = (apart[0] + np.sign(self.width) * apart[1]) / np.sqrt(2.0)
        along = (apart[0] - np.sign(self.width) * apart[1]) / np.sqrt(2.0)
        lost = (across / self.width) ** 2 + 9.0 * (self.bends[0] * along**2 + self.bends[2:] @ apart[2:] ** 2)
        return DEEP * (1.0 - float(np.exp(-lost / DEEP)))

    def moved(self, by: float) -> "Ground":
        """The same ground with its optimum moved by so many ranges along every hyperparameter, past the middle."""
        return replace(self, centre=self.centre + by * np.where(self.centre < 0.5, 1.0, -1.0))

    def diverges(self, u: Floats, rng: Rng) -> bool:
        """Whether a trial there comes to nothing."""
        luck = rng.random()
        if self.wall is None:
            return bool(luck < self.land.breaks)
        beyond = u[0] - (u[1] if self.land.diagonal else 0.0) - self.wall
        soft = self.land.softness
        return bool(luck < 1 / (1 + np.exp(-beyond / soft))) if soft else bool(beyond > 0)


def ground(land: Land, dimensions: int, rng: Rng, near: Floats | None = None) -> Ground:
    """A draw of the land; a needle lies beside the place `near`."""
    centre = _centre(land, dimensions, rng) if near is None else near + 0.02 * rng.standard_normal(dimensions)
    bends = rng.uniform(0.5, 2.0, dimensions)
    wall = None if land.wall is None else float(rng.uniform(*land.wall))
    width = 1.0 if land.valley is None else float(rng.uniform(*land.valley) * rng.choice([-1.0, 1.0]))
    return Ground(land=land, centre=centre, bends=bends, wall=wall, width=width)


def _centre(land: Land, dimensions: int, rng: Rng) -> Floats:
    centre = rng.uniform(0.25, 0.75, dimensions)
    centre[0] = rng.uniform(*land.optimum)
    if land.diagonal:
        half = rng.uniform(*land.diagonal) / 2
        centre[:2] = 0.5 + half, 0.5 - half
    if land.either_side and rng.integers(2):
        centre[0] = 1.0 - centre[0]
    return centre


def space_of(dimensions: int, arm: str = "") -> dict[str, Any]:
    """The search space as a tree, under an arm where one is named; the first two are sampled on a log scale."""
    log = {"low": 1e-4, "high": 1e-1, "scale": "log"}
    space: dict[str, Any] = {"learning_rate": log, "one_minus_momentum": {**log, "low": 1e-3, "high": 1.0}}
    space |= {f"x{j}": {"low": 0.0, "high": 1.0} for j in range(2, dimensions)}
    return {n: {**p, "when": {"optimizer": arm}} for n, p in space.items()} if arm else space


def unit_of(point: Point, dimensions: int) -> Floats:
    """(dimensions,) coordinates of the unit cube, under whatever arm they stand."""
    at = {name.rpartition(".")[2]: v for name, v in point.items()}
    first = [(np.log10(float(at["learning_rate"])) + 4) / 3, (np.log10(float(at["one_minus_momentum"])) + 3) / 3]
    return np.array([*first, *(float(at[f"x{j}"]) for j in range(2, dimensions))])


def point_at(u: Floats, arm: Point) -> dict[str, Any]:
    """The point at those coordinates: `unit_of` turned round, for a space without arms of its own."""
    names = ["learning_rate", "one_minus_momentum", *(f"x{j}" for j in range(2, len(u)))]
    values = [10.0 ** (3.0 * u[0] - 4.0), 10.0 ** (3.0 * u[1] - 3.0), *u[2:]]
    return {**arm, **{name: float(v) for name, v in zip(names, values, strict=True)}}
