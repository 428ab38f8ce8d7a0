"""The search space of trials that ran elsewhere, guessed from their values where it is not declared."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.record import Point, Value
from tasks.scope.policy import Policy
from tasks.scope.space import Space, space_from_tree
from tasks.text import show

GRID = 8  # so many different values at most, with two trials each or more, are a grid: an order, no range


def guessed_space(
    points: Sequence[Point],
    domains: Mapping[str, Mapping[str, Any]],
    wishes: Mapping[str, Mapping[str, Any]],
    policy: Policy,
) -> tuple[Space, tuple[str, ...]]:
    """`(space, sentences)`: each parameter's domain, and a sentence for each that had to be guessed.

    `points`: what was tried. `domains`: what the source says; `wishes`: what the user says, which counts most. A range
    that is guessed ends at the values that were tried, and is on a log scale where they span more than `log_ratio` and
    lie more evenly there. A parameter of one value stays, as a constant. One that only some trials have belongs to the
    parameter whose values tell exactly which they are.

    Raises:
        InputError: a domain will not do.

    Playbook: D1, D11
    """
    tree: dict[str, dict[str, Any]] = {}
    said = []
    for name in dict.fromkeys(n for point in points for n in point):
        values = [point[name] for point in points if name in point]
        known = {**domains.get(name, {}), **wishes.get(name, {})}
        if {"choices", "values"} & wishes.get(name, {}).keys():
            known = dict(wishes[name])
        guess = _domain(values, policy) if not _whole(known) else {}
        if "low" in known or "high" in known:
            guess = {k: v for k, v in guess.items() if k not in ("choices", "values")}
        tree[name] = guess | known
        if guess:
            said.append(f"The space of {name} is guessed from its trials: {_text(tree[name])}.")
        if "when" not in known and len(values) < len(points) and (when := _parent(name, points)):
            tree[name]["when"] = dict([when])
            said.append(f"{name} is taken to exist where {when[0]} is {', '.join(map(show, when[1]))}: so it was.")
    return space_from_tree({name: _nested(domain) for name, domain in tree.items()}), tuple(said)


def _parent(name: str, points: Sequence[Point]) -> tuple[str, list[Value]] | None:
    """The parameter that all trials have and whose values tell exactly which of them have `name`; and those values."""
    for parent in (p for p in points[0] if p != name and all(p in point for point in points)):
        there = {repr(point[parent]): point[parent] for point in points if name in point}
        if len(there) <= GRID and not any(repr(point[parent]) in there for point in points if name not in point):
            return parent, list(there.values())
    return None


def _whole(domain: Mapping[str, Any]) -> bool:
    return bool({"choices", "values"} & domain.keys()) or {"low", "high", "scale"} <= domain.keys()


def _domain(values: Sequence[Value], policy: Policy) -> dict[str, Any]:
    """What the values look like: choices, an order, or a range."""
    different = list(dict.fromkeys(values))
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in different):
        return {"choices": different}
    numbers = sorted(float(v) for v in different)
    whole = all(v.is_integer() for v in numbers)
    if 1 < len(numbers) <= GRID and len(values) >= 2 * len(numbers):
        return {"values": [int(v) if whole else v for v in numbers]}
    low, high = numbers[0], numbers[-1]
    wide = low > 0 and high / low > policy.log_ratio
    log = wide and _unevenness([math.log(v) for v in map(float, values)]) < _unevenness([*map(float, values)])
    return {"low": low, "high": high, "type": "int" if whole else "float", "scale": "log" if log else "linear"}


def _unevenness(values: Sequence[float]) -> float:
    """How far the values are from an even spread between their ends: by the largest difference of the distributions."""
    ordered = sorted(values)
    low, span = ordered[0], ordered[-1] - ordered[0]
    return max(abs((v - low) / span - (i + 0.5) / len(ordered)) for i, v in enumerate(ordered))


def _text(domain: Mapping[str, Any]) -> str:
    if "low" not in domain:
        kind = "values" if "values" in domain else "choices"
        return f"{kind} {', '.join(map(str, domain[kind]))}"
    low, high = (f"{domain[end]:.4g}" for end in ("low", "high"))
    return f"{low} to {high}, {domain.get('scale', 'linear')}"


def _nested(domain: Mapping[str, Any]) -> dict[str, Any]:
    return {k: int(v) if k in ("low", "high") and math.isfinite(v) and v == int(v) else v for k, v in domain.items()}
