"""The samplers (Halton, Sobol, random): quasi-random points, scrambled, seeded and extendable."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc  # type: ignore[import-untyped]

from tasks.design.cube import from_unit
from tasks.record import Point, Value
from tasks.scope.error import InputError
from tasks.scope.space import Space

Unit = NDArray[np.float64]


def _halton(n: int, dimensions: int, rng: np.random.Generator) -> Unit:
    return np.asarray(qmc.Halton(d=dimensions, scramble=True, rng=rng).random(n))


def _sobol(n: int, dimensions: int, rng: np.random.Generator) -> Unit:
    """Drawn to the next power of two and cut: the balance is best there, and scipy warns anywhere else."""
    sequence = qmc.Sobol(d=dimensions, scramble=True, rng=rng)
    return np.asarray(sequence.random_base2(max(n - 1, 1).bit_length()))[:n]


def _random(n: int, dimensions: int, rng: np.random.Generator) -> Unit:
    return rng.random((n, dimensions))


SAMPLERS: Mapping[str, Callable[[int, int, np.random.Generator], Unit]] = {
    "halton": _halton,
    "sobol": _sobol,
    "random": _random,
}


def unit_points(n: int, dimensions: int, seed: int, sampler: str = "halton") -> Unit:
    """(n, dimensions) float64 in [0, 1): the first n points of one scrambled sequence.

    The first k rows do not depend on n: the scramble is drawn before the points. Two seeds give two scrambles.
    AlgoPerf's Halton generator has no scramble and at n <= 100 is no better than random, hence scipy's.

    Raises:
        InputError: an unknown sampler.

    Playbook: D5, D6, D7
    """
    if sampler not in SAMPLERS:
        raise InputError(f"sampler: {sampler!r} is unknown; allowed are {', '.join(SAMPLERS)}.")
    if dimensions == 0:
        return np.zeros((n, 0))
    return SAMPLERS[sampler](n, dimensions, np.random.default_rng(seed))


def points_in(space: Space, n: int, seed: int, sampler: str, held: Mapping[str, Value]) -> tuple[Point, ...]:
    """`n` points of the space; each keeps the `held` values, and a conditional parameter appears where it exists.

    Every parameter owns one coordinate of the sequence whether it exists at a point or not, so adding a
    conditional child moves no other value.

    Playbook: C10, D6
    """
    cube = unit_points(n, len(space), seed, sampler)
    return tuple(_point(space, row, held) for row in cube)


def balanced_points(
    space: Space, n: int, seed: int, sampler: str, held: Mapping[str, Value], listed: tuple[str, ...]
) -> tuple[Point, ...]:
    """As `points_in`, with the `listed` parameters dealt so that every combination gets its equal share.

    A sequence is uniform in the limit only; counts of a few dozen trials are made equal (to one) by allocation: in
    each block of as many trials as there are combinations, each combination has one. Which trial gets which follows
    from the listed parameters' own coordinates, by rank, so each value's trials are spread as evenly as the whole.
    Dealt round robin instead, a value would get every k-th point of the sequence, and those share their first digit
    in some dimension: with 9 values Halton's base 3 leaves each a ninth of that parameter's range.

    Playbook: D3, D4
    """
    cells = [len(space[name].values) for name in listed]
    block = math.prod(cells)
    cube = unit_points(-(-n // block) * block, len(space), seed, sampler)
    columns = [space.names.index(name) for name in listed]
    for start in range(0, len(cube), block):
        _deal(cube, np.arange(start, start + block), list(zip(columns, cells, strict=True)))
    return tuple(_point(space, row, held) for row in cube[:n])


def _deal(cube: Unit, rows: NDArray[np.intp], left: list[tuple[int, int]]) -> None:
    """Sets the rows' `(column, cells)` one column after the other: the rows by rank, in equal parts, a part a cell."""
    if not left:
        return
    (column, cells), *rest = left
    ranked = rows[np.argsort(cube[rows, column], kind="stable")]
    for cell, part in enumerate(np.array_split(ranked, cells)):
        cube[part, column] = (cell + 0.5) / cells
        _deal(cube, part, rest)


def _point(space: Space, row: NDArray[np.float64], held: Mapping[str, Value]) -> Point:
    point: dict[str, Value] = dict(held)
    for parameter, u in zip(space, row, strict=True):
        if parameter.exists(point):
            point[parameter.name] = from_unit(parameter, float(u))
    return point
