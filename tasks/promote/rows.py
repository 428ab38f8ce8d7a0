"""The gate as the record has it: its arms with what every retrain counted for, its comparisons with every look."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from tasks.method import EvaluationRow
from tasks.promote.comparison import INCUMBENT, ArmName, Comparison, Look
from tasks.promote.decision import Decision
from tasks.promote.retrains import SMOOTH_FROM, Arm, judged, settings_of
from tasks.scope.roles import Scope
from tasks.trials.trial import Trial
from tasks.verdict import ArmRow, ComparisonRow, CountedRow, GateRow, LookRow


def gate_row(
    scope: Scope,
    arms: Iterable[Arm],
    decision: Decision,
    retrains: Mapping[ArmName, Sequence[Trial]],
    kept: Sequence[Trial],
    price: Mapping[ArmName, float],
) -> GateRow:
    """All that the decision stands on, in the metric's unit. `retrains`: by the arm that they were run for.

    Playbook: G2, G4, G6
    """
    return GateRow(
        arms=tuple(
            ArmRow(
                name=arm.name,
                point=arm.point,
                settings=settings_of(scope, arm),
                value=arm.value,
                retrained_as=arm.retrained_as,
                trials=tuple(_counted(scope, t) for t in retrains[arm.retrained_as]),
                kept=tuple(_counted(scope, t) for t in kept) if arm.retrained_as == INCUMBENT else (),
                price=price[arm.name],
            )
            for arm in arms
        ),
        comparisons=tuple(map(_compared, decision.comparisons)),
        minimum_gain=decision.minimum_gain,
        deterministic=scope.deterministic,
    )


def arm_deviations(gate: GateRow | None) -> dict[ArmName, float]:
    """The SD of each arm's retrains, all of them: one number an arm, whatever its comparisons were settled on.

    Arms of one configuration are one, under the first name; an arm of a single retrain has no SD.

    Playbook: G1
    """
    found: dict[ArmName, float] = {}
    for arm in gate.arms if gate else ():
        values = [row.value for row in (*arm.kept, *arm.trials) if row.value is not None]
        own = arm.retrained_as
        if len(values) > 1 and own not in found:
            found[own] = statistics.stdev(values)
    return found


def evaluation_rows(scope: Scope, searched: Iterable[Trial], retrains: Iterable[Trial]) -> tuple[EvaluationRow, ...]:
    """Which number of the record is which: best, last or smoothed, periodic or once; and what was evaluated offline.

    The playbook evaluates periodically while training and offline on the chosen checkpoint. Nothing is evaluated
    offline yet, and the record says so: the test set stays sealed until exploitation ends.

    Playbook: K8
    """
    most = [max((len(t.curve.of(scope.objective.metric)[0]) for t in own), default=0) for own in (searched, retrains)]
    rows = [*_of_trials("search", most[0])] if most[0] else []
    width = scope.policy.smooth_evaluations
    if most[1]:
        smooth = most[1] >= SMOOTH_FROM * width
        first, last = _of_trials("retrain", most[1])
        counts = {"takes": "smoothed best", "width": width} if smooth and width > 1 else {}
        rows += [first.model_copy(update={"number": "gate.arms.trials.value", **counts}), last]
    offline = EvaluationRow(number="test", of="test", evaluation="offline", takes="none", selected=False)
    return (*rows, offline)


def _of_trials(of: Literal["search", "retrain"], most: int) -> tuple[EvaluationRow, EvaluationRow]:
    """The best and the last value of trials that have so many evaluations at most."""
    several = most > 1
    best = EvaluationRow(
        number="trials.best_value",
        of=of,
        evaluation="periodic" if several else "once",
        takes="best" if several else "only",
        selected=several,
        evaluations=most,
    )
    last = {"number": "trials.final_value", "takes": "last" if several else "only", "selected": False}
    return best, best.model_copy(update=last)


def _counted(scope: Scope, trial: Trial) -> CountedRow:
    loss = judged(scope, trial)
    return CountedRow(trial=trial.id, value=None if loss is None else scope.objective.sign * loss)


def _compared(comparison: Comparison) -> ComparisonRow:
    return ComparisonRow(
        candidate=comparison.candidate,
        against=comparison.against,
        margin=comparison.margin,
        looks=tuple(map(_look, comparison.looks)),
        state=comparison.state,
    )


def _look(look: Look) -> LookRow:
    return LookRow(
        n=look.retrains,
        against=look.against,
        gain=look.gain,
        band=(look.low, look.high),
        z=look.z,
        upper=look.upper,
        lower=look.lower,
        sd_candidate=look.sd_candidate,
        sd_against=look.sd_against,
        correlation=look.correlation,
    )
