"""The gate as the record has it: its arms with what every retrain counted for, its comparisons with every look."""

from collections.abc import Iterable, Mapping, Sequence

from tasks.promote.comparison import INCUMBENT, ArmName, Comparison, Look
from tasks.promote.decision import Decision
from tasks.promote.retrains import Arm, judged, settings_of
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
    )


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
