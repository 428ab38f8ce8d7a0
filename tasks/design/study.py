"""The step of design: one study for each scientific value, with its planned trials and their seeds."""

import hashlib
from collections.abc import Mapping

import numpy as np

from tasks.design.points import balanced_points, points_in
from tasks.record import Frozen, Purpose, Value, hash_of
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter, Space


class Planned(Frozen):
    """A trial before it is run. Its id and its seed derive from the round's seed, the study and the index alone.

    `settings`: arguments of the workload that are this trial's own, by override (`{"workload.batch_size": 256}`).
    `alone`: no other trial may run beside it, as where it is timed.
    """

    id: str
    study: str
    purpose: Purpose
    index: int
    point: dict[str, Value]
    seed: int
    max_train_steps: int
    eval_every_steps: int
    settings: dict[str, Value] = {}
    alone: bool = False


class Study(Frozen):
    """What varies, between which bounds, by which sampler: and the points themselves, stored (D16).

    `space` holds the parameters that can exist under `scientific`; `trials` are in the order of the sequence.

    Playbook: D1, D16
    """

    id: str
    scientific: dict[str, Value]
    space: Space
    sampler: str
    seed: int
    trials: tuple[Planned, ...]


class Round(Frozen):
    """The scope and the studies that answer it."""

    scope: Scope
    studies: tuple[Study, ...]

    @property
    def trials(self) -> tuple[Planned, ...]:
        """The trials of all studies, in order."""
        return tuple(t for s in self.studies for t in s.trials)

    def study(self, id: str) -> Study:
        """The study of that id; a KeyError where there is none."""
        for s in self.studies:
            if s.id == id:
                return s
        raise KeyError(id)


def design(scope: Scope) -> Round:
    """The studies of the round: points drawn and stored, trials named and seeded, nothing run.

    Playbook: D1, D2, D3, D16
    """
    if scope.goal.points:
        return Round(scope=scope, studies=(_explicit(scope),))
    return Round(scope=scope, studies=tuple(_study(scope, arm) for arm in scope.arms))


def derived_seed(seed: int, *keys: str | int) -> int:
    """A 63-bit seed from the round's seed and the keys: no shared counter, so order and restarts change nothing."""
    words = [k if isinstance(k, int) else int.from_bytes(hashlib.sha256(k.encode()).digest()[:8]) for k in keys]
    state = np.random.SeedSequence(entropy=seed, spawn_key=tuple(words)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def planned(
    scope: Scope, study: str, index: int, point: Mapping[str, Value], settings: Mapping[str, Value] | None = None
) -> Planned:
    """Trial number `index` of a study, with its derived id and seed, for as long as the budget says."""
    kind, budget = scope.goal.facts, scope.budget
    return Planned(
        id=hash_of([scope.seed, study, kind.purpose, index, None], 12),
        study=study,
        purpose=kind.purpose,
        index=index,
        point=dict(point),
        seed=derived_seed(scope.seed, study, kind.purpose, index),
        max_train_steps=budget.max_train_steps,
        eval_every_steps=budget.eval_every_steps,
        settings=dict(settings or {}),
        alone=kind.alone,
    )


def _study(scope: Scope, arm: dict[str, Value]) -> Study:
    held = {**scope.fixed_point, **arm}
    space = Space(parameters=tuple(p for p in scope.space if _can_exist(p, held, scope.space)))
    id = _study_id(scope, arm, "joint" if scope.joint else "")
    seed = derived_seed(scope.seed, "points", *([] if not arm else [str(sorted(arm.items()))]))
    listed = tuple(n for n in scope.goal.scientific if n in space and not space[n].numeric)
    draw = (
        balanced_points(space, scope.budget.trials, seed, scope.sampler, held, listed)
        if listed
        else points_in(space, scope.budget.trials, seed, scope.sampler, held)
    )
    points = tuple(without_orphans(scope.declared, p) for p in draw)
    return Study(id=id, scientific=arm, space=space, sampler=scope.sampler, seed=seed, trials=_plan(scope, id, points))


def _explicit(scope: Scope) -> Study:
    """Explicit points are a study too; each takes the incumbent's values for what it does not name."""
    points = tuple(
        without_orphans(scope.declared, {**scope.incumbent.point, **scope.fixed_point, **p}) for p in scope.goal.points
    )
    id = _study_id(scope, {}, "points")
    varied = Space(parameters=tuple(p for p in scope.declared if len({repr(q.get(p.name)) for q in points}) > 1))
    return Study(id=id, scientific={}, space=varied, sampler="points", seed=scope.seed, trials=_plan(scope, id, points))


def _plan(scope: Scope, study: str, points: tuple[dict[str, Value], ...]) -> tuple[Planned, ...]:
    return tuple(planned(scope, study, i, p) for i, p in enumerate(points))


def _study_id(scope: Scope, arm: Mapping[str, Value], label: str) -> str:
    """`s-` and eight hex digits of what the study is: its goal, its arm and the round's seed."""
    return "s-" + hash_of([scope.seed, scope.goal.name, dict(arm), label], 8)


def _can_exist(parameter: Parameter, held: Mapping[str, Value], space: Space) -> bool:
    """Whether a parameter can exist in a study: its parents are varied there, or held at a value it names."""
    return all(parent in space or parameter.exists({**held}) for parent in parameter.when)


def without_orphans(declared: Space, point: Mapping[str, Value]) -> dict[str, Value]:
    """The point without conditional hyperparameters whose parents do not call for them (C10)."""
    kept = dict(point)
    for parameter in declared:  # parents come first, so a removed parent removes its children
        if parameter.name in kept and not parameter.exists(kept):
            del kept[parameter.name]
    return kept
