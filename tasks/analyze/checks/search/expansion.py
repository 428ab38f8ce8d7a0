"""Remedies of E2 and E8: how far a side of the search space is moved, and its natural limit."""

import itertools
import math
import re

from pydantic import Field

from tasks.analyze.study.wall import Side
from tasks.record import Frozen
from tasks.scope.goal import RANGE
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter

SHARES = re.compile(r"(dropout|rate|probability|momentum|smoothing|beta\d?|fraction|decay_factor)$")
RATES = re.compile(r"(learning_rate|lr)$")
NEAR_ONE = 0.95  # a share above this has nowhere to go: the rest of the way to 1 is another scale


class ExpansionThresholds(Frozen):
    """How far a side of the search space is moved."""

    expand_decades: float = Field(default=1.0, gt=0, description="E2, E3, ours: a log side moves by a factor of ten")
    expand_fraction: float = Field(default=0.5, gt=0, description="E2, E3, ours: a linear side moves by half the range")


def natural_limit(parameter: Parameter, side: Side) -> str | None:
    """Why the side cannot be moved at all, in half a sentence; None where it can.

    Zero ends a linear range (a dropout rate, a weight decay; but not one that begins below it, such as a logarithm),
    a switch has nothing beyond on and off, one layer or one unit is the least there is, and 1 ends what is written
    as one minus something and every share, which is told by its name: `…rate` (but no learning rate), `…dropout`,
    `…probability`, `…momentum`, `…smoothing`, `…beta1`, `…fraction`. A best trial at such an end is no reason to
    expand; the playbook is silent here.

    Playbook: E2, E3
    """
    if any(isinstance(v, bool) for v in parameter.values):
        return "nothing lies beyond on and off"
    end = _end(parameter, side)
    if end is None:
        return None
    if side == "low":
        if end == 0 and parameter.scale == "linear":
            return f"{end:g} is the least it can be"
        if parameter.type != "float" and 0 <= end <= 1 and float(end).is_integer():
            return f"{end:g} is the least it can be"
        return None
    if _complement(parameter) and end >= 1.0:
        return "1 is the most it can be"
    return "it is a share, and nearly 1 already" if _share(parameter) and end >= NEAR_ONE else None


def expansion(parameter: Parameter, side: Side, policy: Policy) -> str | None:
    """The override that moves the side outward, None where a limit forbids it or the values are no numbers.

    A log range moves by `expand_decades`, a wide one by a third of its decades (ints by at most their own range), a
    linear one by `expand_fraction` of itself, listed values by one more in their last ratio or step. The other side
    stays, so every trial that was run lies inside the new space; and since steps grow with the range, an optimum two
    ranges away is reached in four.

    Playbook: E4
    """
    if natural_limit(parameter, side):
        return None
    if not parameter.numeric:
        return _longer(parameter, side)
    low, high, bars = *parameter.bounds, policy.of(ExpansionThresholds)
    if parameter.scale == "log":
        factor = 10.0 ** max(bars.expand_decades, round(math.log10(high / low) / 3))
        factor = min(factor, max(high / low, 2.0)) if parameter.type == "int" else factor
        moved = high * factor if side == "high" else low / factor
    else:
        step = bars.expand_fraction * (high - low)
        moved = high + step if side == "high" else low - step
    moved = _limited(parameter, side, moved)
    text = str(_whole(moved, side)) if parameter.type == "int" else f"{moved:.4g}"
    return f"space.{parameter.name}.{side}={text}"


def expansions(scope: Scope, parameter: Parameter, side: Side) -> tuple[str, ...]:
    """The overrides that move the side outward, empty where none can.

    Where the goal lists the values that a joint study compares, its list is what grows, and with it what the space
    allows. Where the kind of goal has a baseline the first of them is it, which no remedy may change.

    Playbook: E4
    """
    move = expansion(parameter, side, scope.policy)
    asked = scope.goal.scientific.get(parameter.name, RANGE)
    if move is None or asked == RANGE:
        return (move,) if move else ()
    if scope.goal.facts.baseline and side == "low":
        return ()
    key, values = f"space.{parameter.name}", move.partition("=")[2]
    listed = f"goal.scientific.{parameter.name}={values}"
    if parameter.name not in scope.declared:
        return (listed,)
    declared = scope.declared[parameter.name]
    if not declared.numeric:
        return (listed, f"{key}.values={values}") if set(declared.values) <= set(parameter.values) else ()
    new = values.strip("[]").split(",")[-1 if side == "high" else 0]
    return (listed,) if declared.holds(float(new)) else (listed, f"{key}.{side}={new}")


def _limited(parameter: Parameter, side: Side, moved: float) -> float:
    """No further than the natural limit: 0 for what begins above it, 1 for complements, half way to 1 for shares."""
    low, high = parameter.bounds
    if side == "low":
        least = 1.0 if parameter.type == "int" and low >= 1 else 0.0
        return max(moved, least) if low >= least and parameter.scale == "linear" else moved
    if _complement(parameter):
        return min(moved, 1.0)
    return min(moved, (1.0 + high) / 2) if _share(parameter) and high < 1.0 else moved


def _whole(value: float, side: Side) -> int:
    return math.ceil(value - 1e-9) if side == "high" else max(math.floor(value + 1e-9), 1 if value > 0 else -(2**53))


def _longer(parameter: Parameter, side: Side) -> str | None:
    """The list with one more value at that end: in the ratio of the outer two, or by their step."""
    numbers = [v for v in parameter.values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < max(2, len(parameter.values)):
        return None
    outer, inner = (numbers[-1], numbers[-2]) if side == "high" else (numbers[0], numbers[1])
    geometric = min(numbers) > 0 and (len(numbers) == 2 or _constant_ratio(numbers))
    value = outer * outer / inner if geometric else outer + (outer - inner)
    if all(isinstance(v, int) for v in numbers):
        value = round(value)
    if value in numbers or (min(numbers) > 0 and value <= 0) or (min(numbers) >= 0 and value < 0):
        return None
    longer = [*numbers, value] if side == "high" else [value, *numbers]
    return f"space.{parameter.name}.values=[{','.join(_text(v) for v in longer)}]"


def _constant_ratio(numbers: list[int | float]) -> bool:
    ratios = [b / a for a, b in itertools.pairwise(numbers)]
    return max(ratios) <= 1.3 * min(ratios) or max(numbers) / min(numbers) >= 8


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _end(parameter: Parameter, side: Side) -> float | None:
    if parameter.numeric:
        return parameter.bounds[0 if side == "low" else 1]
    value = parameter.values[0 if side == "low" else -1]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _leaf(parameter: Parameter) -> str:
    return parameter.name.rpartition(".")[2]


def _complement(parameter: Parameter) -> bool:
    return _leaf(parameter).startswith("one_minus_")


def _share(parameter: Parameter) -> bool:
    leaf = _leaf(parameter)
    return bool(SHARES.search(leaf)) and not RATES.search(leaf) and not _complement(parameter)
