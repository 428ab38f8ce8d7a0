"""Between a parameter's values and coordinates in [0, 1], in the scale in which it is sampled."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.record import Point, Value
from tasks.scope.space import Parameter, Space, same


def from_unit(parameter: Parameter, u: float) -> Value:
    """The value at coordinate `u` in [0, 1]; ints and listed values split the unit interval into equal cells.

    Playbook: D6
    """
    if not parameter.numeric:
        cells = len(parameter.values)
        return parameter.values[min(int(u * cells), cells - 1)]
    low, high = parameter.bounds
    if parameter.type == "int":
        return _whole(parameter, u, low, high)
    if parameter.scale == "log":
        value = math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
    else:
        value = low + u * (high - low)
    return min(max(value, low), high)


def _whole(parameter: Parameter, u: float, low: float, high: float) -> int:
    """An int owns the cell from half below to half above it, so that both ends are as likely as the middle."""
    if parameter.scale == "log":
        a, b = math.log(low - 0.5), math.log(high + 0.5)
        value = math.exp(a + u * (b - a))
    else:
        value = low - 0.5 + u * (high - low + 1.0)
    return int(min(max(math.floor(value + 0.5), low), high))


def to_unit(parameter: Parameter, value: Value) -> float:
    """The coordinate of a value: exact for a range, the middle of its cell for an int or a listed value.

    Values outside the range give coordinates outside [0, 1], on a log scale -inf for what has no logarithm; a listed
    value that is not there is a ValueError.
    """
    if not parameter.numeric:
        for i, v in enumerate(parameter.values):
            if same(v, value):
                return (i + 0.5) / len(parameter.values)
        raise ValueError(f"{parameter.name} has no value {value!r}")
    low, high = parameter.bounds
    number = float(value)
    if parameter.type == "int":
        low, high = low - 0.5, high + 0.5
    if parameter.scale == "log":
        low, high, number = math.log(low), math.log(high), math.log(number) if number > 0 else -math.inf
    return (number - low) / (high - low) if high > low else 0.5


def point_at(space: Space, row: Sequence[float] | NDArray[np.float64], held: Mapping[str, Value]) -> Point:
    """The point at a row of coordinates: the `held` values, and each parameter's where it exists.

    Playbook: C10
    """
    point: dict[str, Value] = dict(held)
    for parameter, u in zip(space, row, strict=True):
        if parameter.exists(point):
            point[parameter.name] = from_unit(parameter, float(u))
    return point


def coordinates(space: Space, points: tuple[Point, ...]) -> NDArray[np.float64]:
    """(points, parameters) float64: each point in the unit cube, NaN where a parameter does not exist."""
    table = np.full((len(points), len(space)), np.nan)
    for i, point in enumerate(points):
        for j, parameter in enumerate(space):
            if parameter.name in point:
                table[i, j] = to_unit(parameter, point[parameter.name])
    return table
