"""The arms of the gate (finalists, baseline, incumbent), their fresh retrains, and those kept from earlier rounds.

A retrain counts by the best mean of neighbouring evaluations of its curve, where it has enough of them: the best single
one (E12) is the luckiest of many, and luckier the noisier the curve. The trial that selected an arm was the luckiest of
many, too, and is no evidence: its seed is never used again.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np

from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.design.study import Planned, derived_seed, without_orphans
from tasks.promote.comparison import BASELINE, INCUMBENT, ArmName, finalist
from tasks.record import Frozen, Point, Value, hash_of
from tasks.scope.goal import RANGE
from tasks.scope.roles import Scope
from tasks.scope.space import same
from tasks.text import show
from tasks.trials.trial import Trial

SMOOTH_FROM = 4  # times as many evaluations as are averaged: of fewer the mean of neighbours is most of the curve


class Arm(Frozen):
    """A configuration before the gate.

    `study` and `trial` selected it; both are empty for the incumbent. `value`: its scientific value, all of them as
    text where there are several, None where it has none. `retrained_as`: the arm whose retrains count for it, its
    own name unless it is the incumbent's configuration. `settings`: arguments of the workload that are its trial's own.
    """

    name: ArmName
    study: str
    trial: str
    point: dict[str, Value]
    settings: dict[str, Value] = {}
    value: Value | None
    retrained_as: ArmName

    @property
    def tried(self) -> dict[str, Value]:
        """The point with the settings beside it."""
        return {**self.point, **self.settings}


def settings_of(scope: Scope, arm: Arm) -> dict[str, Value]:
    """The settings that the arm's retrains run on: those in force in the round, with its own in their place."""
    return {**scope.settings, **arm.settings}


def arms_of(evidence: Evidence) -> tuple[Arm, ...]:
    """The arms: the finalists, baseline where the goal has one, and the incumbent.

    In `improve` with listed values the baseline arm is the best trial with the first value of each scientific
    hyperparameter, and the finalists are the best of all others. Anywhere else they are the best trials and there
    is no baseline. An arm without a feasible trial is left out. So are finalists whose baseline arm has none: a
    change that was compared with nothing is not adopted.

    Playbook: G3
    """
    scope = evidence.round.scope
    pairs = [(study, trial) for study in evidence.studies for trial in study.trials]
    incumbent = incumbent_point(scope)
    without = _first_values(scope)
    if not scope.goal.facts.baseline or not without or RANGE in scope.goal.scientific.values():
        return (*_finalists(scope, pairs, incumbent), _incumbent(scope, incumbent))
    plain = [(s, t) for s, t in pairs if _has(without, s, t)]
    changed = [(s, t) for s, t in pairs if not _has(without, s, t)]
    baseline = tuple(_best(scope, [BASELINE], plain, incumbent))
    finalists = _finalists(scope, changed, incumbent) if baseline else ()
    return (*finalists, *baseline, _incumbent(scope, incumbent))


def _finalists(
    scope: Scope, pairs: Iterable[tuple[StudyEvidence, Trial]], incumbent: Mapping[str, Value]
) -> tuple[Arm, ...]:
    return tuple(_best(scope, [finalist(i) for i in range(scope.budget.finalists)], pairs, incumbent))


def shared(arms: Iterable[Arm]) -> dict[ArmName, ArmName]:
    """The arms that have no retrains of their own, and whose they share: what `gate` takes as `shared`."""
    return {arm.name: arm.retrained_as for arm in arms if arm.retrained_as != arm.name}


def retrain_of(scope: Scope, arm: Arm, replicate: int) -> Planned:
    """The arm's retrain number `replicate`: fresh, and with the same seed as the other arms' of that number.

    The seed depends on the round's seed, the incumbent's generation and the replicate alone; so does the id, with
    the point, and a round that is gated again after its incumbent moved gets other trials.

    Playbook: G2
    """
    study, generation = f"retrain-{arm.retrained_as}", scope.incumbent.generation
    own = [arm.settings] if arm.settings else []
    return Planned(
        id=hash_of([scope.seed, study, "retrain", generation, replicate, arm.point, *own], 12),
        study=study,
        purpose="retrain",
        index=replicate,
        point=arm.point,
        seed=derived_seed(scope.seed, "retrain", generation, replicate),
        max_train_steps=scope.budget.max_train_steps,
        eval_every_steps=scope.budget.eval_every_steps,
        settings=arm.settings,
    )


def fresh(scope: Scope, arm: Arm, taken: Collection[int] = ()) -> Iterator[Planned]:
    """The arm's retrains in their order, without end and without those on a seed that is taken."""
    return (planned for i in itertools.count() if (planned := retrain_of(scope, arm, i)).seed not in taken)


def judged(scope: Scope, trial: Trial) -> float | None:
    """What the retrain counts for, as a loss; None where it is not feasible.

    The best mean of `policy.smooth_evaluations` neighbouring evaluations, from four times as many of them on; of a
    shorter curve the best evaluation.

    Playbook: E12
    """
    if not trial.feasible or trial.best_value is None:
        return None
    _, values = trial.curve.of(scope.objective.metric)
    width = scope.policy.smooth_evaluations
    if len(values) >= SMOOTH_FROM * width:
        values = np.convolve(values, np.full(width, 1.0 / width), mode="valid")
    return float((scope.objective.sign * values).min())


def hyperparameters(scope: Scope, arms: Iterable[Arm]) -> set[str]:
    """Every name that a point of this round can have."""
    return {*scope.declared.names, *scope.goal.scientific, *(name for arm in arms for name in arm.point)}


def incumbent_point(scope: Scope) -> dict[str, Value]:
    """The incumbent's own point, whatever this round fixes, with a value for hyperparameters that are new to it.

    A scientific one takes its first value, the one without the change; a fixed one takes the round's; any other
    that exists at the point the middle of its range. A conditional one without its parent is left out (C10).
    """
    fixed = scope.fixed_point
    point = {**{n: v for n, v in fixed.items() if n not in scope.declared}, **_first_values(scope)}
    point |= scope.incumbent.point
    for parameter in scope.declared:
        if parameter.name not in point and parameter.exists(point):
            point[parameter.name] = fixed.get(parameter.name, parameter.middle)
    return without_orphans(scope.declared, point)


def _first_values(scope: Scope) -> dict[str, Value]:
    """The first of the listed values of every scientific hyperparameter: the arm without the change."""
    return {name: values[0] for name, values in scope.goal.scientific.items() if values != RANGE}


def _has(wanted: Point, study: StudyEvidence, trial: Trial) -> bool:
    """Whether the trial has these scientific values, held by its study or its own."""
    point = {**trial.planned.point, **study.study.scientific}
    return all(name in point and same(point[name], value) for name, value in wanted.items())


def _best(
    scope: Scope,
    names: Iterable[ArmName],
    pairs: Iterable[tuple[StudyEvidence, Trial]],
    incumbent: Mapping[str, Value],
) -> Iterator[Arm]:
    """The best feasible trials as arms, a configuration once, the first of equal ones; as many as there are names."""
    losses = [(scope.objective.sign * t.best_value, s, t) for s, t in pairs if t.feasible and t.best_value is not None]
    found: list[Arm] = []
    left = iter(names)
    for _, study, trial in sorted(losses, key=lambda row: row[0]):
        point, tried = dict(trial.planned.point), trial.planned.tried
        if any(equal(tried, arm.tried) for arm in found):
            continue
        name = next(left, None)
        if name is None:
            break
        found.append(
            Arm(
                name=name,
                study=study.study.id,
                trial=trial.id,
                point=point,
                settings=trial.planned.settings,
                value=_value(scope, {**point, **study.study.scientific}),
                retrained_as=INCUMBENT if equal(tried, incumbent) else name,
            )
        )
    yield from found


def _incumbent(scope: Scope, point: dict[str, Value]) -> Arm:
    return Arm(name=INCUMBENT, study="", trial="", point=point, value=_value(scope, point), retrained_as=INCUMBENT)


def _value(scope: Scope, point: Point) -> Value | None:
    there = {n: point[n] for n in scope.goal.scientific if n in point}
    if len(there) == 1:
        return next(iter(there.values()))
    return ", ".join(f"{n}={show(v)}" for n, v in there.items()) or None


def equal(a: Point, b: Point) -> bool:
    """Whether two points are one configuration; 1 and 1.0 are."""
    return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)


def kept_retrains(scope: Scope, incumbent: Point, earlier: Iterable[Trial]) -> tuple[Trial, ...]:
    """The earlier retrains of the incumbent's very point, each seed once, in order; none where any was infeasible.

    An incumbent that diverges now and then is not known by those retrains that did not: then it is retrained anew.
    `earlier`: of rounds on the same code, data, packages, machine and steps.

    Playbook: G2, G6
    """
    by_seed = {t.planned.seed: t for t in earlier if equal(t.planned.tried, incumbent)}
    if not all(t.feasible and t.best_value is not None for t in by_seed.values()):
        return ()
    return tuple(by_seed.values())
