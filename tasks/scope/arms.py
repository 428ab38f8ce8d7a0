"""What the guards look at: compared values, what varies under each, and the optimizers in play."""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Sequence

from tasks.record import Point, Value
from tasks.scope.goal import RANGE
from tasks.scope.names.dictionary.entry import Family
from tasks.scope.names.optimizers import LISTED, optimizer_key
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter, has_values, same
from tasks.text import show


def compared_values(scope: Scope) -> tuple[dict[str, Value], ...]:
    """Every combination of the scientific values, the baseline first; one empty one where only ranges are asked."""
    listed = {n: v for n, v in scope.goal.scientific.items() if v != RANGE}
    return tuple(dict(zip(listed, values, strict=True)) for values in itertools.product(*listed.values()))


def existing(scope: Scope, arm: Point) -> tuple[Parameter, ...]:
    """The nuisance parameters that vary under the arm's scientific values (C10)."""
    varying = (p for p in scope.space if p.name in scope.roles.nuisance and not p.constant)
    return tuple(p for p in varying if can_exist(scope, arm, p))


def trials_with(scope: Scope, values: Point) -> int:
    """How many trials of a study have these scientific values, or this optimizer: planned, or as they were run.

    Of a joint study all trials count: they share what varies.
    """
    if scope.joint:
        return len(scope.run) or scope.budget.trials
    if not scope.run:
        return scope.budget.trials
    return sum(has_values(point, values) for point in scope.run)


def varying(scope: Scope, arm: Point) -> int:
    """How many hyperparameters vary in the arm's study: its nuisances, and in a joint study the scientific ones."""
    return (len(scope.roles.scientific) if scope.joint else 0) + len(existing(scope, arm))


def thinnest(scope: Scope) -> dict[str, Value]:
    """The arm with the fewest trials for each hyperparameter that varies in its study."""
    return min(compared_values(scope), key=lambda arm: trials_with(scope, arm) / max(1, varying(scope, arm)))


def has_room(scope: Scope) -> bool:
    """Whether the trials of every study would suffice for one hyperparameter more to vary (C4)."""
    arms = compared_values(scope)
    return all(trials_with(scope, a) >= scope.policy.nuisance_trials * (varying(scope, a) + 1) for a in arms)


def can_exist(scope: Scope, arm: Point, parameter: Parameter) -> bool:
    """Whether some trial of the arm can have the parameter: each parent can take one of the values it names."""
    return all(_parent_allows(scope, arm, parent, values) for parent, values in parameter.when.items())


def _parent_allows(scope: Scope, arm: Point, parent: str, values: tuple[Value, ...]) -> bool:
    if parent in arm:
        return any(same(arm[parent], v) for v in values)
    if parent in scope.roles.fixed:
        return any(same(scope.roles.fixed[parent].value, v) for v in values)
    if scope.goal.scientific.get(parent, RANGE) != RANGE:
        return any(same(w, v) for w in scope.goal.scientific[parent] for v in values)
    if parent not in scope.space or not can_exist(scope, arm, scope.space[parent]):
        return False
    return any(scope.space[parent].holds(v) for v in values)


def varied(scope: Scope) -> tuple[str, ...]:
    """The hyperparameters that are scientific or nuisance, or that differ between the goal's explicit points."""
    if not scope.goal.points:
        return (*scope.roles.scientific, *scope.roles.nuisance)
    names = dict.fromkeys(name for point in scope.goal.points for name in point)
    return tuple(n for n in names if len({repr(p.get(n)) for p in scope.goal.points}) > 1)


def recognised(scope: Scope, *families: Family) -> tuple[str, ...]:
    """The hyperparameters of the round and the arguments of its workload that are of one of the families."""
    roles, points = scope.roles, (name for point in scope.goal.points for name in point)
    names = dict.fromkeys((*roles.scientific, *roles.nuisance, *roles.fixed, *points, *scope.arguments))
    return tuple(n for n in names if scope.names.family(n) in families)


def unrecognised(scope: Scope, could_be: Callable[[Sequence[Value] | None], bool] | None = None) -> tuple[str, ...]:
    """The hyperparameters that vary and of which nothing says what they are, nor their values that they are no such.

    `could_be` is asked of the values that are listed, of None for a range of real numbers.
    """
    unknown = (n for n in varied(scope) if scope.names.family(n) is None)
    return tuple(n for n in unknown if could_be is None or could_be(_listed(scope, n)))


def whole_numbers(values: Sequence[Value] | None) -> bool:
    """Whether values could be a size or a count."""
    return values is not None and all(isinstance(v, int | float) and v == int(v) and v is not True for v in values)


def choices(values: Sequence[Value] | None) -> bool:
    """Whether values could turn something on and off, or pick one of several things."""
    return values is not None and any(isinstance(v, str | bool) for v in values)


def _listed(scope: Scope, name: str) -> Sequence[Value] | None:
    points = [point[name] for point in scope.goal.points if name in point]
    asked = scope.goal.scientific.get(name, RANGE)
    if points or asked != RANGE:
        return points or [*asked]
    parameter = scope.space[name]
    return (parameter.bounds if parameter.type == "int" else None) if parameter.numeric else parameter.values


def optimizer_name(scope: Scope) -> str | None:
    """The hyperparameter or argument that chooses the optimizer, or None where the round knows of none."""
    return next((n for n in recognised(scope, "optimizer choice") if scope.names.meaning(n) == "optimizer"), None)


def optimizers(scope: Scope) -> tuple[str, ...]:
    """The optimizers that the round's trials use, the baseline's first; empty where nothing says."""
    name = optimizer_name(scope)
    if name is None:
        return ()
    if name in scope.roles.fixed:
        return (str(scope.roles.fixed[name].value),)
    if name in (*scope.roles.scientific, *scope.roles.nuisance):
        asked = scope.goal.scientific.get(name, RANGE)
        values = scope.space[name].values if asked == RANGE and name in scope.space else asked
        return tuple(map(str, values))
    return (str(scope.arguments[name]),) if scope.arguments.get(name) is not None else ()


def listed_hyperparameters(scope: Scope, optimizer: str) -> tuple[str, ...]:
    """Every hyperparameter of the optimizer, empty where no list of them is known.

    Plain SGD whose Nesterov momentum is switched on has a momentum.
    """
    key = optimizer_key(optimizer)
    switches = (n for n in recognised(scope, "optimizer choice") if scope.names.meaning(n) == "nesterov")
    if key == "sgd" and any(held_at(scope, n) is True for n in switches):
        key = "nesterov"
    return LISTED.get(key or "", ())


def held_at(scope: Scope, name: str) -> Value | None:
    """The one value that a fixed hyperparameter or an argument has."""
    role = scope.roles.fixed.get(name)
    return role.value if role else scope.arguments.get(name)


def belongs(name: str, optimizer: str) -> bool:
    """Whether a hyperparameter is the optimizer's: its own (`adam.epsilon`), or one that no other optimizer owns."""
    owner = owner_of(name)
    return owner is None or owner == optimizer_key(optimizer)


def owner_of(name: str) -> str | None:
    """The optimizer, by its key, after which a hyperparameter is named: `adam` for `adam.epsilon`."""
    *parents, _ = name.split(".")
    return next(filter(None, map(optimizer_key, reversed(parents))), None)


def owned(scope: Scope, optimizer: str, names: Iterable[str]) -> dict[str, str]:
    """`{bare name: name}` of the optimizer's hyperparameters among `names` that exist under it."""
    chooser = optimizer_name(scope)
    arm: dict[str, Value] = {chooser: optimizer} if chooser else {}
    found: dict[str, str] = {}
    for n in names:
        there = n not in scope.declared or can_exist(scope, arm, scope.declared[n])
        if there and scope.names.family(n) in ("optimizer", "regularizer") and belongs(n, optimizer):
            bare = scope.names.bare(n)
            found |= dict.fromkeys(("one_minus_beta1", "one_minus_beta2") if bare == "betas" else (bare,), n)
    return found


def decades(parameter: Parameter) -> float:
    """The width of a parameter: decades of a log range, high minus low of a linear one, the number of listed values."""
    if not parameter.numeric:
        return float(len(parameter.values))
    low, high = parameter.bounds
    return math.log10(high / low) if parameter.scale == "log" else high - low


def nuisance_without(scope: Scope, names: Iterable[str]) -> tuple[str, ...]:
    """The override that keeps all nuisances but `names`, which are then fixed at the incumbent's values."""
    gone = set(names)
    return (f"goal.nuisance=[{','.join(n for n in scope.roles.nuisance if n not in gone)}]",)


def tuned(scope: Scope, name: str) -> tuple[str, ...]:
    """The overrides that take a hyperparameter out of `goal.fixed` and into the nuisances; empty where none do.

    Hydra cannot delete a key with a dot in it: there the whole mapping is said again, without that key.
    """
    fixed, nuisance = scope.goal.fixed, scope.goal.nuisance
    listed = () if nuisance is None else (f"goal.nuisance=[{','.join((*nuisance, name))}]",)
    if name not in fixed:
        return listed
    if "." not in name:
        return (f"~goal.fixed.{name}", *listed)
    kept = {n: wish.model_dump(exclude_none=True) for n, wish in fixed.items() if n != name}
    said = ",".join(
        f"{n}:{{{','.join(f'{k}:{json.dumps(v, ensure_ascii=False)}' for k, v in wish.items())}}}"
        for n, wish in kept.items()
    )
    return ("~goal.fixed", f"++goal.fixed={{{said}}}", *listed)


def arm_text(arm: Point) -> str:
    """An arm as the report names it: `optimizer=adam`."""
    return ", ".join(f"{k}={show(v)}" for k, v in arm.items()) or "the study"


def brief(names: Iterable[str], room: int = 60) -> str:
    """As many of the names as `room` characters hold, and how many more there are: `a, b and 3 more`."""
    every = [*names]
    for shown in range(len(every), 1, -1):
        more = [f"{len(every) - shown} more"] if shown < len(every) else []
        if len(text := listing([*every[:shown], *more])) <= room:
            return text
    return listing([every[0], f"{len(every) - 1} more"]) if len(every) > 1 else listing(every)


def in_full(names: Iterable[str], room: int = 60) -> str:
    """All names as a further sentence, where `brief` leaves some out; else empty."""
    every = [*names]
    return "" if brief(every, room) == listing(every) else f" In full: {listing(every)}."


def listing(names: Iterable[str]) -> str:
    """Names as a person lists them: `a, b and c`."""
    *most, last = [*names] or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last
