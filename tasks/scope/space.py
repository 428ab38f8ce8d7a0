"""The search space as a person declares it: parameters, their bounds and when they exist.

Scope owns the declaration because the guards read it before anything is designed; the geometry (unit cube,
points) is design's.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from tasks.record import Frozen, Point, Value
from tasks.scope.error import InputError

KEYS = frozenset({"low", "high", "scale", "type", "values", "choices", "default", "when"})
Type = Literal["float", "int", "ordered", "choice"]
Scale = Literal["linear", "log"]


class Parameter(Frozen):
    """One hyperparameter and where it may lie.

    `float` and `int` have `low`, `high` and a `scale`; `ordered` and `choice` have `values` (in their order, or
    without one). `default`: where it is held while nothing was promoted or given for it. `when` names, for each parent,
    the values under which this parameter exists at all (C10).

    Playbook: C10
    """

    name: str
    type: Type = "float"
    low: float | None = None
    high: float | None = None
    scale: Scale = "linear"
    values: tuple[Value, ...] = ()
    default: Value | None = None
    when: dict[str, tuple[Value, ...]] = {}

    @model_validator(mode="after")
    def _sound(self) -> Self:
        problem = _range_problem(self) if self.numeric else _values_problem(self)
        if problem:
            raise InputError(f"space.{self.name}: {problem}.")
        return self

    @property
    def numeric(self) -> bool:
        """Whether the parameter is a range of numbers."""
        return self.type in ("float", "int")

    @property
    def has_edges(self) -> bool:
        """Whether "near the edge" means anything: a range, or values in an order."""
        return self.type != "choice" and not self.constant

    @property
    def constant(self) -> bool:
        """Whether only one value is possible."""
        return self.low == self.high if self.numeric else len(self.values) == 1

    @property
    def middle(self) -> Value:
        """Its default; else the middle of the range in its scale, the middle value of an order, or the first choice."""
        if self.default is not None:
            return self.default
        if self.type == "choice":
            return self.values[0]
        if self.type == "ordered":
            return self.values[(len(self.values) - 1) // 2]
        low, high = self.bounds
        middle = math.sqrt(low) * math.sqrt(high) if self.scale == "log" else low + (high - low) / 2
        return round(middle) if self.type == "int" else middle

    @property
    def bounds(self) -> tuple[float, float]:
        """`(low, high)` of a numeric parameter; a ValueError for any other."""
        if self.low is None or self.high is None:
            raise ValueError(f"{self.name} has no bounds")
        return self.low, self.high

    def exists(self, point: Point) -> bool:
        """Whether the parameter exists at `point`: each of its parents is there with one of the values named."""
        return all(
            parent in point and any(same(point[parent], v) for v in values) for parent, values in self.when.items()
        )

    def holds(self, value: Value) -> bool:
        """Whether the value lies in the parameter's domain."""
        if not self.numeric:
            return any(same(value, v) for v in self.values)
        low, high = self.bounds
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and low <= float(value) <= high and (self.type == "float" or float(value).is_integer())

    def as_tree(self) -> dict[str, Any]:
        """The parameter as it would be written in YAML."""
        domain: dict[str, Any] = (
            {"low": self.low, "high": self.high, "scale": self.scale, "type": self.type}
            if self.numeric
            else {"values" if self.type == "ordered" else "choices": list(self.values)}
        )
        held = {} if self.default is None else {"default": self.default}
        return domain | held | ({"when": {k: list(v) for k, v in self.when.items()}} if self.when else {})


class Space(Frozen):
    """Parameters by name, parents before their children.

    Playbook: D1
    """

    parameters: tuple[Parameter, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        seen: dict[str, Parameter] = {}
        for p in self.parameters:
            if p.name in seen:
                raise InputError(f"space.{p.name}: the name stands twice; give one of them another name.")
            seen[p.name] = p
        return self

    def __iter__(self) -> Iterator[Parameter]:  # type: ignore[override]
        return iter(self.parameters)

    def __contains__(self, name: object) -> bool:
        return any(p.name == name for p in self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        for p in self.parameters:
            if p.name == name:
                return p
        raise KeyError(name)

    def __len__(self) -> int:
        return len(self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(p.name for p in self.parameters)

    def as_tree(self) -> dict[str, Any]:
        """`{name: domain}` as it stands in the record."""
        return {p.name: p.as_tree() for p in self.parameters}


def same(a: Value, b: Value) -> bool:
    """Equality that tells `1`, `1.0`, `True` and `"1"` apart by kind, but not 1 from 1.0."""
    return isinstance(a, bool) == isinstance(b, bool) and isinstance(a, str) == isinstance(b, str) and a == b


def has_values(point: Mapping[str, Value], values: Mapping[str, Value]) -> bool:
    """Whether the point has all of these values."""
    return all(name in point and same(point[name], value) for name, value in values.items())


def space_from_tree(tree: Mapping[str, Any]) -> Space:
    """The space that a YAML tree declares: a mapping with bounds, values or choices is a parameter, others nest.

    Raises:
        InputError: with the one sentence to show.
    """
    parameters = tuple(_walk(tree, ""))
    return Space(parameters=_parents_first(parameters))


def _walk(tree: Mapping[str, Any], prefix: str) -> Iterator[Parameter]:
    for key, node in tree.items():
        name = f"{prefix}{key}"
        if not isinstance(node, Mapping):
            raise InputError(
                f"space.{name}: {node!r} is not a parameter; write {{low: …, high: …}}, {{values: […]}} or "
                "{choices: […]}."
            )
        if KEYS & set(node):
            yield _parameter(name, node)
        elif not node:
            raise InputError(f"space.{name}: empty; give it low and high, values, or choices.")
        else:
            yield from _walk(node, f"{name}.")


def _parameter(name: str, node: Mapping[str, Any]) -> Parameter:
    unknown = sorted(set(map(str, node)) - KEYS)
    if unknown:
        raise InputError(f"space.{name}: unknown key {unknown[0]!r}; allowed are {', '.join(sorted(KEYS))}.")
    given = [k for k in ("low", "values", "choices") if k in node or (k == "low" and "high" in node)]
    if len(given) != 1:
        raise InputError(f"space.{name}: needs exactly one of low and high, values, or choices.")
    when = _when(name, node.get("when", {}))
    if given == ["low"]:
        low, high = (_number(name, end, node.get(end)) for end in ("low", "high"))
        kind, scale = node.get("type", "float"), node.get("scale", "linear")
        if kind not in ("float", "int"):
            raise InputError(f"space.{name}.type: {kind!r} is not float or int.")
        if scale not in ("linear", "log"):
            raise InputError(f"space.{name}.scale: {scale!r} is not linear or log.")
        given_default = _default(name, node, kind)
        return Parameter(name=name, type=kind, low=low, high=high, scale=scale, default=given_default, when=when)
    for misplaced in ("scale", "type"):
        if misplaced in node:
            raise InputError(f"space.{name}.{misplaced}: only a range has it; remove it or give low and high.")
    values = node[given[0]]
    if not isinstance(values, list | tuple) or not all(isinstance(v, Value) for v in values):
        raise InputError(f"space.{name}.{given[0]}: {values!r} is not a list of numbers, texts or booleans.")
    if any(isinstance(v, float) and not math.isfinite(v) for v in values):
        raise InputError(f"space.{name}.{given[0]}: a value is not a finite number; remove it.")
    listed: Type = "ordered" if given == ["values"] else "choice"
    return Parameter(name=name, type=listed, values=tuple(values), default=_default(name, node, listed), when=when)


def _default(name: str, node: Mapping[str, Any], kind: str) -> Value | None:
    """The default that a parameter gives itself: a number for a range, which it may lie outside of."""
    value = node.get("default")
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if value is not None and not (number or (kind in ("ordered", "choice") and isinstance(value, Value))):
        wanted = "a value" if kind in ("ordered", "choice") else "a number"
        raise InputError(f"space.{name}.default: {value!r} will not do; give {wanted}, or leave it out.")
    return value


def _when(name: str, node: object) -> dict[str, tuple[Value, ...]]:
    if not isinstance(node, Mapping):
        raise InputError(f"space.{name}.when: write {{parent: value}}, not {node!r}.")
    when = {str(k): tuple(v) if isinstance(v, list | tuple) else (v,) for k, v in node.items()}
    for parent, values in when.items():
        if not values or not all(isinstance(v, Value) for v in values):
            raise InputError(
                f"space.{name}.when.{parent}: {node[parent]!r} is no value of {parent}, nor a list of values."
            )
    return when


def _number(name: str, end: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"space.{name}.{end}: {value!r} is not a number; a range needs both low and high.")
    if not abs(value) < math.inf or abs(value) > sys.float_info.max:
        raise InputError(f"space.{name}.{end}: it must be a finite number, and one that fits a float.")
    return float(value)


def _range_problem(p: Parameter) -> str:
    low, high = p.bounds
    if low > high:
        return f"low {low:g} is above high {high:g}; swap them"
    if p.scale == "log" and low <= 0:
        return f"a log scale needs low > 0, not {low:g}; raise low or take scale: linear"
    if not math.isfinite(high - low):
        return f"the range from {low:g} to {high:g} is too wide for a float"
    if p.type == "int" and (low != int(low) or high != int(high)):
        return f"an int needs whole bounds, not {low:g} and {high:g}"
    return ""


def _values_problem(p: Parameter) -> str:
    if not p.values:
        return "no values are given; list at least one"
    for i, v in enumerate(p.values):
        if any(same(v, w) for w in p.values[:i]):
            return f"the value {v!r} stands twice"
    return ""


def _parents_first(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """In the order written, but each parameter after its parents; parents outside the space come from the goal."""
    names = {p.name for p in parameters}
    placed: list[Parameter] = []
    waiting = list(parameters)
    while waiting:
        done = {p.name for p in placed}
        ready = [p for p in waiting if all(parent in done or parent not in names for parent in p.when)]
        if not ready:
            raise InputError(f"space.{waiting[0].name}.when: its parents wait for each other in a circle; break it.")
        placed.append(ready[0])
        waiting.remove(ready[0])
    return tuple(placed)
