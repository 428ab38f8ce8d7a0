"""Guards of what was promoted: it holds in every later round, and what it brought is tuned."""

import json
from collections.abc import Iterable, Iterator

from tasks.record import Finding, NotChecked, Point, Value
from tasks.scope.arms import brief, in_full, listing
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.scope.guards.guard import Guard, searching
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter, same
from tasks.text import show

NOTHING = "Nothing was promoted yet: the round starts from the workload's baseline."


def promotion_holds(scope: Scope) -> list[Finding]:
    """Warns of each promoted value that this round does not start from, with the override that mends it.

    A value is given up where the goal or the space fixes another, where the compared values or the searched range
    leave it out, and where the workload's arguments or the number of steps are not those of the round that promoted
    it. Explicit points are compared as they are.

    Playbook: G9
    """
    generation = scope.incumbent.generation
    if generation == 0:
        return [not_checked("promotion", "G9", NotChecked.NOTHING_PROMOTED, NOTHING)]
    found = [*_points(scope), *_settings(scope), *_altered(scope)]
    if found:
        return found
    text = f"The round starts from what is promoted (generation {generation}) and fixes none of it elsewhere."
    return [finding("promotion", "G9", "ok", text, reason="holds", numbers={"generation": generation})]


def held_elsewhere(fixed: Point, promoted: Point) -> tuple[str, ...]:
    """The names that are `promoted` and fixed at another value."""
    return tuple(n for n, value in fixed.items() if n in promoted and not same(promoted[n], value))


def held_again(names: Iterable[str]) -> str:
    """The override by which a goal fixes these hyperparameters at the incumbent's values; a key may have a dot."""
    return f"goal.fixed={{{','.join(f'{name}:{{value:null}}' for name in names)}}}"


def _points(scope: Scope) -> Iterator[Finding]:
    """What the round does with the promoted point, without the children of a value that is given up itself."""
    promoted = scope.incumbent.point
    undone = held_elsewhere(scope.fixed_point, promoted)
    for name in undone:
        gone = [p.name for p in scope.declared if p.name in promoted and name in p.when]
        mend = held_again((name,)) if name in scope.goal.fixed else _widened(scope, scope.declared[name])
        also = f"; {listing(gone)} goes with it" if gone else ""
        text = f"is fixed at {show(scope.fixed_point[name])} here{also}"
        yield _given_up(scope, name, text, "fixed_elsewhere", mend)
    if scope.goal.points:
        return
    for name, value in promoted.items():
        asked = scope.goal.scientific.get(name)
        if asked is not None and asked != RANGE and not any(same(value, v) for v in asked):
            mend = f"goal.scientific={{{name}:[{','.join(map(_written, (*asked, value)))}]}}"
            yield _given_up(scope, name, "is not among the compared values", "left_out", mend)
        elif name in scope.space and name not in scope.goal.scientific and not scope.space[name].holds(value):
            mend = _widened(scope, scope.space[name])
            yield _given_up(scope, name, "lies outside the range that is searched", "outside_the_range", mend)


def _given_up(scope: Scope, name: str, what: str, reason: str, mend: str) -> Finding:
    value, generation = scope.incumbent.point[name], scope.incumbent.generation
    text = f"{name} = {show(value)} was promoted (generation {generation}) and {what}."
    numbers = {"generation": generation}
    return finding("promotion", "G9", "warn", text, reason=reason, parameter=name, numbers=numbers, remedy=[mend])


def _settings(scope: Scope) -> Iterator[Finding]:
    """A promoted setting in place of which the person typed another."""
    for key, before in scope.incumbent.settings.items():
        if scope.settings[key] != before:
            text = (
                "{what} was promoted (generation {generation}) and is {now} here, as typed; this round promotes that."
            )
            yield _other_setting(scope, key, before, scope.settings[key], text, "setting_replaced")


def _altered(scope: Scope) -> Iterator[Finding]:
    """What else the promoting round ran on, and this one does not: the workload's arguments, the number of steps."""
    for key, now in scope.altered.items():
        text = "Generation {generation} was promoted with {what}, which is {now} here: the incumbent is measured anew."
        yield _other_setting(scope, key, scope.incumbent.promoted_with[key], now, text, "altered")


def _other_setting(scope: Scope, key: str, before: Value | None, now: Value | None, text: str, reason: str) -> Finding:
    generation = scope.incumbent.generation
    said = text.format(what=f"{key} = {_said(before)}", now=_said(now), generation=generation)
    mend = f"++{key}={'null' if before is None else _written(before)}"
    numbers = {"generation": generation}
    return finding("promotion", "G9", "warn", said, reason=reason, numbers=numbers, remedy=[mend])


def adopted_technique_is_tuned(scope: Scope) -> list[Finding]:
    """Warns where a technique was adopted and its own hyperparameters are neither tuned nor fixed for a reason.

    They are those that exist at the promoted point alone because of another value in it: `dropout.rate` under
    `regularizer = dropout`. Where a goal lists its nuisances it may have been written before the technique was
    adopted.

    Playbook: K1
    """
    promoted = scope.incumbent.point
    own = [p for p in scope.declared if p.when and p.name in promoted and not p.constant]
    kept = [p for p in own if not set(p.when) & set(held_elsewhere(scope.fixed_point, promoted))]
    if scope.incumbent.generation == 0 or scope.goal.points or not kept:
        because = NotChecked.LISTED_POINTS if scope.goal.points else NotChecked.NOTHING_PROMOTED
        text = NOTHING if scope.incumbent.generation == 0 else "No promoted value has hyperparameters of its own here."
        return [not_checked("adopted technique", "K1", because, text)]
    left = [p.name for p in kept if p.name in scope.roles.fixed and p.name not in scope.goal.fixed]
    if not left:
        text = f"{brief(p.name for p in kept)}, of what was promoted, is tuned or fixed for a stated reason."
        return [finding("adopted technique", "K1", "ok", text, reason="tuned_or_stated")]
    mend = f"goal.nuisance=[{','.join((*scope.roles.nuisance, *left))}]"
    text = f"{brief(left)} came with what was promoted and is not tuned here: add it to goal.nuisance.{in_full(left)}"
    return [finding("adopted technique", "K1", "warn", text, reason="not_tuned", parameter=left[0], remedy=[mend])]


def _widened(scope: Scope, parameter: Parameter) -> str:
    """The override with which the parameter's domain holds the promoted value."""
    value = scope.incumbent.point[parameter.name]
    if not parameter.numeric:
        key = "values" if parameter.type == "ordered" else "choices"
        return f"space.{parameter.name}.{key}=[{','.join(map(_written, (*parameter.values, value)))}]"
    low, _ = parameter.bounds
    side = "low" if isinstance(value, int | float) and value < low else "high"
    return f"space.{parameter.name}.{side}={_written(value)}"


def _written(value: Value) -> str:
    return json.dumps(value)


def _said(value: Value | None) -> str:
    return "null" if value is None else show(value)


PROMOTION = Guard(
    name="promotion",
    question=Question(
        row="G9",
        asks="Does the round start from what is promoted?",
        warn=("fixed_elsewhere", "left_out", "outside_the_range", "setting_replaced", "altered"),
        ok=("holds",),
        na=(NotChecked.NOTHING_PROMOTED,),
    ),
    ask=promotion_holds,
)

ADOPTED_TECHNIQUE = Guard(
    name="adopted technique",
    question=Question(
        row="K1",
        asks="Are the hyperparameters that came with a promoted technique tuned, or fixed for a reason?",
        warn=("not_tuned",),
        ok=("tuned_or_stated",),
        na=(NotChecked.LISTED_POINTS, NotChecked.NOTHING_PROMOTED),
    ),
    ask=adopted_technique_is_tuned,
    of=searching,
)
