"""The step of design: one study for each scientific value, with its planned trials and their seeds."""

import hashlib
from collections.abc import Callable, Mapping

import numpy as np

from tasks.design.samplers.all import LISTED, sampler_of
from tasks.design.samplers.sampler import Sampler, Search
from tasks.record import Frozen, Point, Purpose, Value, hash_of
from tasks.scope.goal import BUDGET, WORKLOAD
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter, Space


class Planned(Frozen):
    """A trial before it is run. Its id and its seed derive from the round's seed, the study and the index alone.

    `settings`: arguments of the workload that are this trial's own, by override (`{"workload.batch_size": 256}`).
    `alone`: no other trial may run beside it, as where it is timed. `pack`: the trials that it runs together with, as
    one program; settled before any of them runs. `kept`: the round and the trial whose result it has (`round/trial`),
    where it does not run again.
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
    pack: str | None = None
    kept: str | None = None

    @property
    def tried(self) -> dict[str, Value]:
        """The point with the settings beside it: all that a sampler suggested."""
        return {**self.point, **self.settings}


class Study(Frozen):
    """What varies, between which bounds, by which sampler: and the points themselves, stored (D16).

    `space` holds the parameters that can exist under `scientific`; `trials` are in the order of the sequence, `count`
    is how many there are to be. Where the sampler is adaptive the trials join as they are suggested. The last
    `beside` of them are no points of the sequence: an earlier round drew them in its own space, and they are kept.

    Playbook: D1, D16
    """

    id: str
    scientific: dict[str, Value]
    space: Space
    sampler: str
    seed: int
    count: int
    trials: tuple[Planned, ...]
    beside: int = 0


class KeptTrials(Frozen):
    """What became of the trials of the round that `keep=` names: how many are kept, how many are `left` and why.

    `otherwise`: why none of them can count here, "" where they can.
    """

    round_id: str
    count: int
    left: dict[str, int] = {}
    otherwise: str = ""


class Round(Frozen):
    """The scope and the studies that answer it; `kept`: None where no trials of an earlier round were asked for."""

    scope: Scope
    studies: tuple[Study, ...]
    kept: KeptTrials | None = None

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


def compared_studies(scope: Scope) -> tuple[Study, ...]:
    """A study for each scientific value, a joint one for many or a range, or one of the goal's explicit points.

    Playbook: D1, D2, D3
    """
    if scope.goal.points:
        return (_explicit(scope),)
    return tuple(_study(scope, arm) for arm in scope.arms)


Designing = Callable[[Scope], tuple[Study, ...]]
"""Designs the studies that answer the question of a scope."""


def design(scope: Scope, designing: Designing = compared_studies) -> Round:
    """The round with its studies: points drawn and stored, trials named and seeded, nothing run.

    Points that depend on results are drawn when these are there: see `tasks.trials.adaptive`.

    Playbook: D1, D16
    """
    return Round(scope=scope, studies=tuple(filled(scope, study) for study in designing(scope)))


def derived_seed(seed: int, *keys: str | int) -> int:
    """A 63-bit seed from the round's seed and the keys: no shared counter, so order and restarts change nothing."""
    words = [k if isinstance(k, int) else int.from_bytes(hashlib.sha256(k.encode()).digest()[:8]) for k in keys]
    state = np.random.SeedSequence(entropy=seed, spawn_key=tuple(words)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def planned(scope: Scope, study: str, index: int, point: Mapping[str, Value]) -> Planned:
    """Trial number `index` of a study, with its derived id and seed, for as long as the budget says.

    What a probe varies of the budget or of the workload's arguments goes by its override (`budget.max_train_steps`,
    `workload.batch_size`), stands in the point that was suggested, and becomes the trial's settings.
    """
    kind = scope.goal.facts
    own = {n: v for n, v in point.items() if kind.purpose == "probe" and n.startswith((BUDGET, WORKLOAD))}
    budget = scope.budget.with_settings(own)
    return Planned(
        id=hash_of([scope.seed, study, kind.purpose, index, None], 12),
        study=study,
        purpose=kind.purpose,
        index=index,
        point={n: v for n, v in point.items() if n not in own},
        seed=derived_seed(scope.seed, study, kind.purpose, index),
        max_train_steps=budget.max_train_steps,
        eval_every_steps=budget.eval_every_steps,
        settings=own,
        alone=kind.alone,
    )


def sampler_for(scope: Scope, study: Study) -> Sampler:
    """The sampler of the study, which goes on wherever the study's trials have come to."""
    explicit = scope.incumbent.point if study.sampler == LISTED else {}  # for what an explicit point does not name
    search = Search(
        space=study.space,
        held={**explicit, **scope.fixed_point, **study.scientific},
        seed=study.seed,
        count=study.count,
        points=scope.goal.points,
    )
    listed = (n for n in scope.goal.scientific if n in study.space and not study.space[n].numeric)
    return sampler_of(study.sampler, search, listed)


def suggested(scope: Scope, study: Study, point: Point, index: int) -> Planned:
    """Trial number `index` of the study, at the point that its sampler suggested."""
    return planned(scope, study.id, index, without_orphans(scope.declared, point))


def filled(scope: Scope, study: Study) -> Study:
    """The study with all of its trials, unless they depend on results that are not there yet."""
    sampler = sampler_for(scope, study)
    if sampler.adaptive or study.trials:
        return study
    points = sampler.suggest(study.count, ())
    trials = tuple(suggested(scope, study, p, i) for i, p in enumerate(points))
    return study.model_copy(update={"trials": trials, "count": len(trials)})


def _study(scope: Scope, arm: dict[str, Value]) -> Study:
    held = {**scope.fixed_point, **arm}
    return Study(
        id=_study_id(scope, arm, "joint" if scope.joint else ""),
        scientific=arm,
        space=Space(parameters=tuple(p for p in scope.space if _can_exist(p, held, scope.space))),
        sampler=scope.sampler,
        seed=derived_seed(scope.seed, "points", *([] if not arm else [str(sorted(arm.items()))])),
        count=scope.budget.trials,
        trials=(),
    )


def _explicit(scope: Scope) -> Study:
    """Explicit points are a study too; each takes the incumbent's values for what it does not name."""
    listed = Study(
        id=_study_id(scope, {}, "points"),
        scientific={},
        space=Space(),
        sampler=LISTED,
        seed=scope.seed,
        count=len(scope.goal.points),
        trials=(),
    )
    study = filled(scope, listed)
    points = [t.point for t in study.trials]
    varied = (p for p in scope.declared if len({repr(q.get(p.name)) for q in points}) > 1)
    return study.model_copy(update={"space": Space(parameters=tuple(varied))})


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
