"""Who goes before the gate, and the fresh trials that it judges them by.

A retrain's value is its best over training, like every trial's (E12). That favours noisy curves; the rule is the same
for every arm, so it biases the gain only as far as the arms' curves differ in noise. The trial that selected an arm
was the luckiest of many and is no evidence: its seed is never used again.
"""

from collections.abc import Iterable, Iterator, Mapping

from tasks.analyze.evidence import Evidence, StudyEvidence
from tasks.design.study import Planned, derived_seed, without_orphans
from tasks.promote.comparison import ArmName
from tasks.record import Frozen, Point, Value, hash_of
from tasks.scope.goal import RANGE
from tasks.scope.roles import Scope, show
from tasks.scope.space import same
from tasks.trials.trial import Trial


class Arm(Frozen):
    """A configuration before the gate.

    `study` and `trial` selected it; both are empty for the incumbent. `value`: its scientific value, all of them as
    text where there are several, None where it has none. `retrained_as`: the arm whose retrains count for it, its
    own name unless it is the incumbent's configuration.
    """

    name: ArmName
    study: str
    trial: str
    point: dict[str, Value]
    value: Value | None
    retrained_as: ArmName


def arms_of(evidence: Evidence) -> tuple[Arm, ...]:
    """The arms: finalist, baseline where the goal has one, and the incumbent.

    In `improve` with listed values the baseline arm is the best trial with the first value of each scientific
    hyperparameter, and the finalist the best of all others. Anywhere else the finalist is the best trial and there
    is no baseline. An arm without a feasible trial is left out. So is a finalist whose baseline arm has none: a
    change that was compared with nothing is not adopted.

    Playbook: G3
    """
    scope = evidence.round.scope
    pairs = [(study, trial) for study in evidence.studies for trial in study.trials]
    incumbent = incumbent_point(scope)
    without = _first_values(scope)
    if scope.goal.kind != "improve" or not without or RANGE in scope.goal.scientific.values():
        return (*_best(scope, "finalist", pairs, incumbent), _incumbent(scope, incumbent))
    plain = [(s, t) for s, t in pairs if _has(without, s, t)]
    changed = [(s, t) for s, t in pairs if not _has(without, s, t)]
    baseline = tuple(_best(scope, "baseline", plain, incumbent))
    finalist = tuple(_best(scope, "finalist", changed, incumbent)) if baseline else ()
    return (*finalist, *baseline, _incumbent(scope, incumbent))


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
    return Planned(
        id=hash_of([scope.seed, study, "retrain", generation, replicate, arm.point], 12),
        study=study,
        purpose="retrain",
        index=replicate,
        point=arm.point,
        seed=derived_seed(scope.seed, "retrain", generation, replicate),
    )


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
    scope: Scope, name: ArmName, pairs: Iterable[tuple[StudyEvidence, Trial]], incumbent: Mapping[str, Value]
) -> Iterator[Arm]:
    """The best feasible trial as an arm, the first of equal ones; nothing where none is feasible."""
    losses = [(scope.objective.sign * t.best_value, s, t) for s, t in pairs if t.feasible and t.best_value is not None]
    if losses:
        _, study, trial = min(losses, key=lambda row: row[0])
        point = dict(trial.planned.point)
        yield Arm(
            name=name,
            study=study.study.id,
            trial=trial.id,
            point=point,
            value=_value(scope, {**point, **study.study.scientific}),
            retrained_as="incumbent" if _equal(point, incumbent) else name,
        )


def _incumbent(scope: Scope, point: dict[str, Value]) -> Arm:
    return Arm(name="incumbent", study="", trial="", point=point, value=_value(scope, point), retrained_as="incumbent")


def _value(scope: Scope, point: Point) -> Value | None:
    there = {n: point[n] for n in scope.goal.scientific if n in point}
    if len(there) == 1:
        return next(iter(there.values()))
    return ", ".join(f"{n}={show(v)}" for n, v in there.items()) or None


def _equal(a: Point, b: Point) -> bool:
    """Whether two points are one configuration; 1 and 1.0 are."""
    return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
