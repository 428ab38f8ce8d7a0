"""The answer and the verdict of a round, put together with everything else as its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.analyze.analysis import Analysis
from tasks.answers import Answer, Compared
from tasks.design.study import Round
from tasks.method import MethodRow
from tasks.promote.comparison import BASELINE, FINALIST, ArmName
from tasks.promote.decision import Decision
from tasks.promote.promotion import Promotion
from tasks.promote.reasons import Named, arm_labels, variances_sentence
from tasks.promote.retrains import Arm, settings_of
from tasks.promote.rows import arm_deviations, evaluation_rows
from tasks.record import Finding, GoalRow, NextRow, ObjectiveRow, Record, ReproduceRow, StudyRow, Value, digest
from tasks.scope.finding import blocking, headline
from tasks.scope.goal import Incumbent
from tasks.scope.names.programs import program_at
from tasks.scope.roles import Scope
from tasks.text import show
from tasks.trials.trial import Trial
from tasks.verdict import CandidateRow, GateRow, IncumbentRow, Outcome, Reason, VerdictRow


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """What the gate made of a round, from its `arms` by name; no decision where something blocked before it was asked.

    `gate`: all that the decision stands on. `retrains`: by id. `promotion`: what the round would promote. `measured`:
    the settings that a goal without a gate came to, be they those that hold already. `declined`: why the promotion was
    not accepted, empty where it was or there is none. `feasible`: whether any trial of the search can be compared.
    `unmeasured`: what a round without retrains rests on, in sentences. `findings`: what the retrains say of the seed.
    """

    incumbent: Incumbent
    arms: Mapping[ArmName, Arm] = field(default_factory=dict)
    decision: Decision | None = None
    gate: GateRow | None = None
    retrains: Mapping[str, Trial] = field(default_factory=dict)
    blockers: tuple[Finding, ...] = ()
    promotion: Promotion | None = None
    measured: Mapping[str, Value] = field(default_factory=dict)
    declined: str = ""
    feasible: bool = True
    unmeasured: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def promoted(self) -> Promotion | None:
        """What becomes the incumbent, if anything."""
        return None if self.declined else self.promotion


def blockers_of(scope: Scope, analysis: Analysis) -> tuple[Finding, ...]:
    """Everything that blocks a conclusion: the checks' findings; the guards' stop a round before it runs.

    Playbook: E1
    """
    return blocking((*scope.findings, *analysis.findings), scope.acknowledged)


def verdict_of(scope: Scope, conclusion: Conclusion) -> VerdictRow:
    """The verdict on the configuration, with its reasons.

    Playbook: G3, G9
    """
    now = conclusion.incumbent
    incumbent = IncumbentRow(generation=now.generation, point=now.point, settings=now.settings)
    decision = conclusion.decision
    if decision is None:
        return VerdictRow(
            outcome=_ungated(scope, conclusion),
            reason=_reason(scope, conclusion),
            incumbent=incumbent,
            reasons=_reasons(conclusion),
            candidate=_candidate(scope, conclusion),
        )
    outcome = "keep" if conclusion.declined else decision.outcome
    return VerdictRow(
        outcome=outcome,  # type: ignore[arg-type]  # "continue" never leaves the race
        reason=_reason(scope, conclusion),
        candidate=_candidate(scope, conclusion),
        incumbent=incumbent,
        gain=decision.gain,
        error_rate=None if scope.deterministic else scope.policy.error_rate,
        reasons=_reasons(conclusion),
    )


def _ungated(scope: Scope, conclusion: Conclusion) -> Outcome:
    """The outcome where no gate was asked; `na` where nothing was put before one, and nothing was measured."""
    if conclusion.blockers or _nothing_feasible(conclusion):
        return "redesign"
    if conclusion.promoted:
        return "promote"
    return "keep" if conclusion.measured else "na"


def _nothing_feasible(conclusion: Conclusion) -> bool:
    """Whether trials ran, and none of them can be compared or measured."""
    return not conclusion.feasible and not conclusion.measured


def _reasons(conclusion: Conclusion) -> tuple[str, ...]:
    """In sentences: the gate's, or what blocks, or what was measured; and why a promotion was not accepted."""
    blocked = tuple(f"{f.check} ({f.row}): {headline(f.evidence)}" for f in conclusion.blockers)
    measured = conclusion.promotion.reasons if conclusion.promotion else ()
    if _nothing_feasible(conclusion) and not blocked:
        return ("No trial of the search gave a result that can be compared.",)
    found = conclusion.decision.reasons if conclusion.decision else blocked or conclusion.unmeasured or measured
    return (*found, *([conclusion.declined] if conclusion.declined else []))


def _reason(scope: Scope, conclusion: Conclusion) -> Reason:
    """The code of how the verdict came about; that nothing was feasible says more than what it led to."""
    decision = conclusion.decision
    if _nothing_feasible(conclusion) or (conclusion.blockers and not conclusion.feasible):
        return "nothing_feasible"
    if decision is None and conclusion.blockers:
        return "blocked"
    if conclusion.declined:
        return "declined"
    if decision is not None:
        return decision.reason
    if conclusion.unmeasured:
        return "variance_not_measured" if FINALIST in conclusion.arms else "no_other_candidate"
    return "no_gate" if not conclusion.measured else "measured" if conclusion.promotion else "no_other_candidate"


def _candidate(scope: Scope, conclusion: Conclusion) -> CandidateRow | None:
    """The arm that won; else the finalist that came furthest, or would have been put before the gate.

    Of a goal without a gate the incumbent with what was measured.
    """
    decision, promotion = conclusion.decision, conclusion.promotion
    if decision is None and promotion is not None:
        place = {"study": promotion.study, "trial": promotion.trial}
        return CandidateRow(**place, point=promotion.point, settings=promotion.settings)
    arm = conclusion.arms.get((decision.winner or decision.lead) if decision else FINALIST)
    if arm is None:
        return None
    return CandidateRow(study=arm.study, trial=arm.trial, point=dict(arm.point), settings=settings_of(scope, arm))


def answer_of(scope: Scope, analysis: Analysis, conclusion: Conclusion) -> Answer:
    """The answer to the question: from the gate's fresh retrains in `improve`, from isolation in `understand`.

    Where nothing came before the gate (something blocks, or an audit retrains nothing) it is that of isolation too.

    Playbook: E1, F11
    """
    decision = conclusion.decision
    if decision is None or not scope.goal.facts.baseline or decision.answer_gain is None:
        return analysis.answer
    finalist, baseline = conclusion.arms[decision.lead], conclusion.arms[BASELINE]
    return Compared(
        kind=scope.goal.kind,
        source="retrains",
        value=finalist.value,
        against=baseline.value,
        gain=decision.answer_gain,
        band=decision.answer_band,
        conclusive=decision.answer_conclusive,
    )


def _variances(scope: Scope, analysis: Analysis, conclusion: Conclusion) -> tuple[str, ...]:
    """What the retrains and the searches say of luck, kept apart; nothing where nothing was retrained.

    Playbook: G1
    """
    looked = [c for c in (conclusion.decision.comparisons if conclusion.decision else ()) if c.looks and not c.void]
    if not looked:
        return ()
    widths = [row.band[1] - row.band[0] for row in analysis.isolation if row.band]
    width, examples = max(widths, default=None), analysis.examples_error
    labels = arm_labels(scope.roles.scientific, ((name, arm.point) for name, arm in conclusion.arms.items()))
    deviations = arm_deviations(conclusion.gate)
    return (variances_sentence(deviations, width, examples, Named(labels)),) if deviations else ()


def left_out(scope: Scope, decision: Decision | None, answer: Answer) -> tuple[str, ...]:
    """What the gate's answer says of the change itself: one that showed no gain can be left out; else nothing.

    The searches alone rarely show it (see `tasks.analyze.reviews.next_change`): fresh retrains do.

    Playbook: B6
    """
    if decision is None or decision.answer != "no" or not isinstance(answer, Compared):
        return ()
    if answer.value is None or answer.gain is None:
        return ()
    change = f"{scope.roles.scientific[0]} = {show(answer.value)}" if len(scope.roles.scientific) == 1 else "The change"
    none = "no gain" if answer.gain <= 0 else "no gain that luck does not explain"
    return (
        f"{change} showed {none} on fresh retrains ({show(answer.gain)} {scope.objective.metric} over the retuned "
        "baseline), so it can be left out of the next rounds.",
    )


def record_of(
    round: Round,
    trials: Mapping[str, Trial],
    analysis: Analysis,
    conclusion: Conclusion,
    *,
    next: NextRow,
    reproduce: ReproduceRow,
    stamps: Mapping[str, Any],
    mlflow: Mapping[str, str],
    budget: Mapping[str, Value],
) -> Record:
    """The whole round as a record, with its digest. `stamps`: round_id, created, finished, parent, notes, curves.

    Playbook: J13, C3, B1, K8
    """
    scope = round.scope
    rows = [t.row() for t in (*trials.values(), *conclusion.retrains.values())]
    answer = answer_of(scope, analysis, conclusion)
    told = evaluation_rows(scope, trials.values(), conclusion.retrains.values())
    record = Record(
        workload=scope.workload,
        seed=scope.seed,
        acknowledged=scope.acknowledged,
        reproduce=reproduce,
        objective=ObjectiveRow(
            metric=scope.objective.metric,
            direction=scope.objective.direction,
            bounds=scope.objective.bounds,
            scale=scope.objective.scale,
        ),
        goal=GoalRow(question=scope.goal.question, kind=scope.goal.kind),
        roles=scope.roles,
        caveats=scope.caveats,
        budget=dict(budget),
        policy=scope.policy.model_dump(),
        studies=tuple(
            StudyRow(
                id=s.id,
                scientific=s.scientific,
                space=s.space.as_tree(),
                sampler=s.sampler,
                seed=s.seed,
                trials=tuple(t.id for t in s.trials),
            )
            for s in round.studies
        ),
        trials=tuple(row.model_copy(update={"mlflow_run_id": mlflow.get(row.id)}) for row in rows),
        findings=(*scope.findings, *analysis.findings, *conclusion.findings),
        isolation=analysis.isolation,
        importance=analysis.importance,
        answer=answer,
        learned=(
            *analysis.learned,
            *left_out(scope, conclusion.decision, answer),
            *_variances(scope, analysis, conclusion),
        ),
        verdict=verdict_of(scope, conclusion),
        gate=conclusion.gate,
        next=next,
        method=MethodRow(evaluations=told, own_evaluation=program_at(scope.target).evaluates_itself),
        **stamps,
    )
    return record.model_copy(update={"digest": digest(record)})
