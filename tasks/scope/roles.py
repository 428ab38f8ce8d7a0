"""Scientific, nuisance, fixed: `scope_of` gives every hyperparameter one role and lists the arms."""

import itertools
from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from tasks.record import Finding, FixedRole, Frozen, Point, RolesRow, Value
from tasks.scope.error import InputError
from tasks.scope.goal import RANGE, Budget, Goal, Incumbent, Objective, Sampling, Workload, in_force
from tasks.scope.names.names import Names
from tasks.scope.names.programs import argument_values
from tasks.scope.policy import Policy
from tasks.scope.recognised import recognised_names
from tasks.scope.space import Parameter, Space, same
from tasks.text import show


class Scope(Frozen):
    """Everything that is settled before the first trial: the goal with every hyperparameter in one role.

    `declared`: the whole space as declared. `space`: what varies, scientific ranges included, children of fixed
    parents that cannot exist left out.
    `arms`: one mapping of scientific values each, the baseline first; a single empty one for a joint study.
    `settings`: of each of the incumbent's settings the value that this round runs on, which a typed override replaces.
    `altered`: what the incumbent was promoted with, of the workload's arguments and the number of steps, where this
    round runs on another value: this round's.
    `target`: the address of the workload's program, `deterministic` whether it says that no seed matters; `arguments`:
    those of its arguments that are recognised, and `names` as what each name of the round was recognised.
    `run`: the points of a finished study, where there is nothing to plan; `findings`: what the guards found.

    Playbook: C1, C2, C3
    """

    workload: str
    goal: Goal
    objective: Objective
    budget: Budget
    policy: Policy
    sampler: str
    seed: int
    lag: int = 0
    sampling: Sampling | None = None
    incumbent: Incumbent
    settings: dict[str, Value] = {}
    altered: dict[str, Value | None] = {}
    target: str = ""
    deterministic: bool = False
    arguments: dict[str, Value | None] = Field(default={}, exclude=True, repr=False)  # they may hold secrets
    names: Names = Names()
    roles: RolesRow
    declared: Space
    space: Space
    arms: tuple[dict[str, Value], ...]
    joint: bool
    caveats: tuple[str, ...]
    run: tuple[dict[str, Value], ...] = ()
    findings: tuple[Finding, ...] = ()
    acknowledged: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_role_each(self) -> Self:
        roles = [*self.roles.scientific, *self.roles.nuisance, *self.roles.fixed]
        if len(set(roles)) < len(roles):
            raise InputError(f"goal.{self.goal.name}: a hyperparameter stands in two roles (C1): {sorted(roles)}.")
        return self

    @property
    def fixed_point(self) -> dict[str, Value]:
        """The values of the fixed hyperparameters."""
        return {name: role.value for name, role in self.roles.fixed.items()}


def scope_of(
    goal: Goal,
    space: Space,
    workload: Workload,
    budget: Budget,
    policy: Policy,
    incumbent: Incumbent,
    *,
    sampler: str,
    seed: int,
    acknowledged: Mapping[str, str],
    lag: int = 0,
    sampling: Sampling | None = None,
) -> Scope:
    """The scope of the round: scientific first, everything else nuisance, each fixed one with its reason.

    Raises:
        InputError: a name that neither the space nor the baseline knows, or a value that its parameter cannot take.

    Playbook: C1, C2, C3, C10, D3
    """
    _check_names(goal, space, workload)
    arguments = argument_values(workload.target, workload.arguments)
    names = recognised_names(goal, space, workload, incumbent, arguments)
    fixed = _fixed(goal, space, incumbent)
    fixed = {n: role for n, role in fixed.items() if n not in space or _possible(space[n], goal, space, fixed)}
    scientific = tuple(goal.scientific)
    ranges = tuple(n for n, v in goal.scientific.items() if v == RANGE)
    nuisance = [p for p in _left_over(goal, space, scientific, fixed) if _possible(p, goal, space, fixed)]
    arms = _arms(goal, policy)
    joint = bool(ranges) or len(arms) > policy.joint_values
    varied = [_narrowed(n, goal, space) for n in scientific if joint or n in ranges]
    order = {name: i for i, name in enumerate(space.names)}  # parents first; what the goal alone knows has none
    roles = RolesRow(scientific=scientific, nuisance=tuple(p.name for p in nuisance), fixed=fixed)
    return Scope(
        workload=workload.name,
        goal=goal,
        objective=workload.objective,
        budget=budget,
        policy=policy,
        sampler=sampler,
        seed=seed,
        lag=lag,
        sampling=sampling,
        incumbent=incumbent,
        settings={key: in_force(key, budget, workload.arguments) for key in incumbent.settings},
        altered=incumbent.altered_in(budget, workload.arguments),
        target=workload.target,
        deterministic=workload.deterministic,
        arguments={name: value for name, value in arguments.items() if names.of(name)},
        names=names,
        roles=roles,
        declared=space,
        space=Space(parameters=tuple(sorted((*varied, *nuisance), key=lambda p: order.get(p.name, -1)))),
        arms=({},) if joint else arms,
        joint=joint,
        caveats=_caveats(roles, goal),
        acknowledged=dict(acknowledged),
    )


def baseline_incumbent(workload: Workload, space: Space) -> Incumbent:
    """Generation 0: the workload's baseline; what it leaves out takes the middle of its range, and `source` says so."""
    point = dict(workload.baseline)
    check_point(space, point, "workload.baseline")
    filled = []
    for parameter in space:
        if parameter.name not in point and parameter.exists(point):
            point[parameter.name] = parameter.middle
            filled.append(parameter.name)
    source = f"the baseline of workload {workload.name}"
    return Incumbent(generation=0, point=point, filled=tuple(filled), source=source + _middles(filled))


def _middles(filled: list[str]) -> str:
    return f"; the middle of its range stands in for {', '.join(filled)}" if filled else ""


def _check_names(goal: Goal, space: Space, workload: Workload) -> None:
    known = {*space.names, *workload.baseline, *(parent for p in space for parent in p.when)}
    for p in space:
        for parent in p.when:
            if parent not in space and parent not in workload.baseline and parent not in goal.scientific:
                raise InputError(
                    f"space.{p.name}.when: {parent!r} is no hyperparameter of the space, of the workload's baseline or "
                    "of the goal; correct the name."
                )
    for role, names in (("scientific", goal.scientific), ("nuisance", goal.nuisance or ()), ("fixed", goal.fixed)):
        for name in names:
            if name not in known:
                raise InputError(
                    f"goal.{goal.name}.{role}: {name!r} is no hyperparameter of the space or of the workload's "
                    f"baseline; known are {', '.join(sorted(known))}."
                )
    for name, values in goal.scientific.items():
        if values == RANGE and (name not in space or not space[name].numeric):
            raise InputError(
                f"goal.{goal.name}.scientific.{name}: range needs a parameter with low and high in the space."
            )
        for value in () if values == RANGE or name not in space else values:
            if not space[name].holds(value):
                raise InputError(
                    f"goal.{goal.name}.scientific.{name}: {value!r} lies outside the space; "
                    f"the space has {space[name].as_tree()}."
                )
    for name in goal.nuisance or ():
        if name not in space:
            raise InputError(f"goal.{goal.name}.nuisance: {name!r} has no range in the space; add one or fix it.")
    _check_points(goal, space, known)


def _check_points(goal: Goal, space: Space, known: set[str]) -> None:
    for i, point in enumerate(goal.points):
        for name in point:
            if name not in known and name not in goal.scientific:
                raise InputError(
                    f"goal.{goal.name}.points[{i}]: {name!r} is no hyperparameter of the space or of the workload's "
                    f"baseline; known are {', '.join(sorted(known))}."
                )
            if name in space and not _can_take(space[name], point[name]):
                raise InputError(
                    f"goal.{goal.name}.points[{i}].{name}: {point[name]!r} will not do; the space has "
                    f"{space[name].as_tree()}."
                )


def check_point(space: Space, point: Point, where: str) -> None:
    """Refuse a point with a text where its parameter is a range; a point may lie outside the space that is searched.

    Raises:
        InputError: which value, and what the space has.
    """
    for name, value in point.items():
        if name in space and space[name].numeric and not _can_take(space[name], value):
            raise InputError(f"{where}.{name}: {value!r} will not do; the space has {space[name].as_tree()}.")


def _can_take(parameter: Parameter, value: Value) -> bool:
    """Whether a value makes sense for the parameter: a listed one, or any number, be it outside the range."""
    if parameter.type == "choice":
        return parameter.holds(value)
    return isinstance(value, int | float) and not isinstance(value, bool) if parameter.numeric else True


def _fixed(goal: Goal, space: Space, incumbent: Incumbent) -> dict[str, FixedRole]:
    """What the goal fixes, and every hyperparameter of the incumbent that neither space nor goal mentions."""
    fixed: dict[str, FixedRole] = {}
    for name, wish in goal.fixed.items():
        value = wish.value if wish.value is not None else incumbent.point.get(name)
        if value is None and name in space:
            value = space[name].middle
        if value is None:
            raise InputError(f"goal.{goal.name}.fixed.{name}: the incumbent has no value for it; give one.")
        if name in space and wish.value is not None and not _can_take(space[name], value):
            raise InputError(
                f"goal.{goal.name}.fixed.{name}: {value!r} will not do; the space has {space[name].as_tree()}."
            )
        fixed[name] = FixedRole(value=value, reason=wish.reason)
    for name, value in incumbent.point.items():
        if name not in fixed and name not in goal.scientific and name not in space:
            fixed[name] = FixedRole(value=value, reason="not in the space: held at the incumbent's value")
    if goal.nuisance is not None:
        for p in space:
            if p.name not in (*goal.nuisance, *goal.scientific, *fixed) and _possible(p, goal, space, fixed):
                value = incumbent.point.get(p.name, p.middle)
                fixed[p.name] = FixedRole(value=value, reason="the goal lists its nuisances and leaves it out")
    for p in space:
        if p.name not in fixed and p.name not in goal.scientific and p.constant and not p.when:
            fixed[p.name] = FixedRole(value=p.middle, reason="its range holds one value only")
    return fixed


def _left_over(
    goal: Goal, space: Space, scientific: tuple[str, ...], fixed: Mapping[str, FixedRole]
) -> tuple[Parameter, ...]:
    """Nuisance: the listed ones, or all that the goal does not mention (C2)."""
    rest = (p for p in space if p.name not in scientific and p.name not in fixed)
    return tuple(p for p in rest if goal.nuisance is None or p.name in goal.nuisance)


def _possible(p: Parameter, goal: Goal, space: Space, fixed: Mapping[str, FixedRole]) -> bool:
    """Whether some point of the round can have the parameter at all (C10)."""
    for parent, values in p.when.items():
        if parent in fixed:
            possible = any(same(fixed[parent].value, v) for v in values)
        elif goal.scientific.get(parent, RANGE) != RANGE:
            possible = any(same(w, v) for w in goal.scientific[parent] for v in values)
        else:  # a parent that is nowhere in the round calls for nothing
            possible = parent in space and _possible(space[parent], goal, space, fixed)
            possible = possible and any(space[parent].holds(v) for v in values)
        if not possible:
            return False
    return True


def _arms(goal: Goal, policy: Policy) -> tuple[dict[str, Value], ...]:
    """Every combination of the scientific values, the baseline (each first value) first."""
    listed = {n: v for n, v in goal.scientific.items() if v != RANGE}
    return tuple(dict(zip(listed, combination, strict=True)) for combination in itertools.product(*listed.values()))


def _narrowed(name: str, goal: Goal, space: Space) -> Parameter:
    """The scientific parameter of a joint study: the space's range, or the listed values."""
    values = goal.scientific[name]
    if values == RANGE:
        return space[name]
    ordered = name in space and space[name].type != "choice"
    return Parameter(
        name=name,
        type="ordered" if ordered else "choice",
        values=tuple(values),
        when=space[name].when if name in space else {},
    )


def _caveats(roles: RolesRow, goal: Goal) -> tuple[str, ...]:
    """Each fixed hyperparameter as the caveat that every conclusion of the round carries (C3)."""
    return tuple(fixed_caveat(name, role) for name, role in roles.fixed.items())


def fixed_caveat(name: str, role: FixedRole) -> str:
    """What a conclusion must not be read without, where the hyperparameter was fixed.

    Playbook: C3
    """
    return f"Holds for {name} = {show(role.value)} only ({role.reason})."
