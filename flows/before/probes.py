"""The points of short trials that tell whether a tuned hyperparameter has an effect: one value is moved at a time."""

from collections.abc import Iterator, Mapping, Sequence

from tasks.design.cube import to_unit
from tasks.design.study import Round, without_orphans
from tasks.record import Frozen, Point, Value
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter, same

NEAR = 0.25  # of the range: the low end counts as far from there on, since what is smaller is seldom dearer


class Probe(Frozen):
    """One hyperparameter's trials: the point at which it exists, and the points that differ from that in it alone.

    `values`: what it is moved to, in the order in which they are tried.
    """

    name: str
    base: dict[str, Value]
    values: tuple[Value, ...]

    def moved(self, scope: Scope, i: int) -> dict[str, Value]:
        """The point with value number `i`, and with what exists there alone."""
        return completed(scope, {**self.base, self.name: self.values[i]})


def tuned_names(round: Round) -> tuple[str, ...]:
    """The hyperparameters that the round compares or tunes."""
    varied = (name for study in round.studies for name in (*study.scientific, *study.space.names))
    return tuple(dict.fromkeys((*round.scope.roles.scientific, *varied)))


def probes_of(round: Round, base: Point) -> Iterator[Probe]:
    """A probe for each tuned hyperparameter that can be moved, parents before their children."""
    scope = round.scope
    names = tuned_names(round)
    for name in sorted(names, key=lambda name: len(_ancestors(scope, name))):
        point = _with(scope, name, base)
        if name in point and (values := tuple(_elsewhere(scope, name, point[name]))):
            yield Probe(name=name, base=point, values=values)


def completed(scope: Scope, point: Mapping[str, Value]) -> dict[str, Value]:
    """The point with a value for every hyperparameter that exists there, and without those that do not."""
    found = without_orphans(scope.declared, point)
    fixed = scope.fixed_point
    for parameter in scope.declared:
        if parameter.name not in found and parameter.exists(found):
            found[parameter.name] = fixed.get(parameter.name, parameter.middle)
    return found


def _ancestors(scope: Scope, name: str) -> set[str]:
    parents = set(scope.declared[name].when) if name in scope.declared else set()
    return parents.union(*(_ancestors(scope, parent) for parent in parents))


def _with(scope: Scope, name: str, base: Point) -> dict[str, Value]:
    """The base point, with its parents at values at which the hyperparameter exists."""
    point = dict(base)
    if name not in point and name in scope.declared:
        parameter = scope.declared[name]
        for parent, values in parameter.when.items():
            point = _with(scope, parent, point)
            if parent not in point or not any(same(point[parent], value) for value in values):
                point = {**point, parent: _possible(scope, parent, values)}
        point = completed(scope, point)
    return point


def _possible(scope: Scope, parent: str, values: Sequence[Value]) -> Value:
    """The first of the values that the round may give the parent."""
    listed = _listed(scope, parent)
    return next((value for value in values if listed is None or any(same(value, v) for v in listed)), values[0])


def _listed(scope: Scope, name: str) -> tuple[Value, ...] | None:
    """The values that a hyperparameter takes in this round, where they are listed."""
    values = scope.goal.scientific.get(name)
    if values is not None and not isinstance(values, str):
        return values
    parameter = next((p for p in scope.declared if p.name == name), None)
    return None if parameter is None or parameter.numeric else parameter.values


def _elsewhere(scope: Scope, name: str, value: Value) -> Iterator[Value]:
    """Up to two values of the hyperparameter that are far from this one, the one to be tried first before the other."""
    listed = _listed(scope, name)
    if listed is None:
        yield from (v for v in _ends(scope.declared[name], value) if not same(v, value))
        return
    here = next((i for i, v in enumerate(listed) if same(v, value)), 0)
    far = sorted(range(len(listed)), key=lambda i: -abs(i - here))
    yield from [listed[i] for i in far if not same(listed[i], value)][:2]


def _ends(parameter: Parameter, value: Value) -> Iterator[Value]:
    """Both ends of the range, the low one first unless the value lies near it."""
    low, high = (round(end) if parameter.type == "int" else end for end in parameter.bounds)
    yield from (low, high) if to_unit(parameter, value) >= NEAR else (high, low)
