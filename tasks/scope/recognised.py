"""The names of a round: those of space, goal, baseline and arguments, each as what it is recognised."""

from collections.abc import Mapping

from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import RANGE, Goal, Incumbent, Workload
from tasks.scope.names.names import Names, names_of, told_names
from tasks.scope.names.programs import names_setting, values_of
from tasks.scope.space import Space


def recognised_names(
    goal: Goal, space: Space, workload: Workload, incumbent: Incumbent, arguments: Mapping[str, Value | None]
) -> Names:
    """As what the names of the round are recognised, the user's own word first.

    Raises:
        InputError: `workload.names` names something that the round does not have.
    """
    listed = {n: tuple(v) for n, v in goal.scientific.items() if v != RANGE}
    held = {n: (f.value,) for n, f in goal.fixed.items() if f.value is not None}
    points = [{n: (v,) for n, v in point.items()} for point in (incumbent.point, workload.baseline, *goal.points)]
    given = {n: (v,) for n, v in arguments.items()}
    values = values_of({p.name: p.values for p in space}, listed, held, *points, given)
    where = names_setting(workload.target)
    told = told_names(workload.names, where)
    for name, key in told.items():
        if name not in values and name not in goal.scientific:
            raise InputError(
                f"{where}.{key}: {name!r} is no hyperparameter of the round and no argument of the workload; known are "
                f"{', '.join(sorted({*values, *goal.scientific}))}."
            )
    return names_of(told, values, where)
