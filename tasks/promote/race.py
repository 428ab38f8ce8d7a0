"""The step of promote: retrains until the gate has seen enough, approval, and the swap of the incumbent.

Nothing here runs a trial or writes a generation: both are done by what the race is handed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from tasks.analyze.analysis import Analysis
from tasks.analyze.study.evidence import Evidence
from tasks.design.study import Planned
from tasks.promote.comparison import FINALIST, INCUMBENT, ArmName
from tasks.promote.conclude import Conclusion, blockers_of
from tasks.promote.decision import Decision
from tasks.promote.gate import gate
from tasks.promote.price import price_of, uncharged, unpriced
from tasks.promote.promotion import Promotion, measured, measured_settings, moved
from tasks.promote.reasons import arm_labels
from tasks.promote.retrains import Arm, arms_of, fresh, hyperparameters, judged, kept_retrains, settings_of, shared
from tasks.promote.rows import gate_row
from tasks.promote.seeds import FIRST_WAVE, SEEDS, repeats_of
from tasks.promote.ungated.unmeasured import unmeasured
from tasks.record import Finding
from tasks.scope.finding import blocking
from tasks.scope.goal import Incumbent
from tasks.scope.roles import Scope
from tasks.trials.trial import Trial
from tasks.verdict import GateRow

RunRetrains = Callable[[Sequence[Planned]], Mapping[str, Trial]]
"""Runs these retrains and gives them back by id."""
Approve = Callable[[Promotion], str]
"""Accepts a promotion by "", or gives the reason against it."""
ELSEWHERE = "the incumbent moved meanwhile, and these trials ran on other settings or at another point: run it again"
_MOVES = 5  # how often an incumbent may move under one round before the round gives up


class Incumbents(Protocol):
    """The workload's incumbents, as this round sees and changes them."""

    def earlier_retrains(self) -> Sequence[Trial]:
        """The retrains of the rounds that had ended when this one began, on what it runs on, too."""

    def moves(self) -> list[Incumbent]:
        """The incumbents that moved under this round before it was interrupted, in their order."""

    def is_ours(self, scope: Scope) -> bool:
        """Whether this very round has promoted already, against the incumbent of `scope`; others may have followed."""

    def swap(self, scope: Scope, promotion: Promotion) -> bool:
        """Whether it is the incumbent now: only if the incumbent is still the one that it was held against."""

    def newest(self) -> Incumbent:
        """The incumbent that the round is gated against from now on; resumed, the round takes the same way."""


def promote_config(
    evidence: Evidence, analysis: Analysis, run: RunRetrains, incumbents: Incumbents, approve: Approve
) -> Conclusion:
    """What becomes of the round: what the gate makes of it, or what a kind without a gate has measured.

    A promotion is on record when this returns. A round whose incumbent moved under it is gated again, against the new
    one.

    Playbook: G2, G9, K4
    """
    scope, facts = evidence.round.scope, evidence.round.scope.goal.facts
    blockers = blockers_of(scope, analysis)
    feasible = not evidence.trials or any(t.feasible for t in evidence.trials.values())
    if blockers or (facts.gate and not feasible):
        arms = _by_name(arms_of(evidence)) if facts.gate else {}
        return Conclusion(incumbent=scope.incumbent, arms=arms, blockers=blockers, feasible=feasible)
    earlier = incumbents.earlier_retrains() if facts.gate else ()
    retrains: dict[str, Trial] = {}

    def concluded(now: Scope) -> Conclusion:
        found = {} if facts.gate else measured_settings(scope, analysis.answer)
        whole = Conclusion(
            incumbent=now.incumbent,
            measured=found,
            declined=ELSEWHERE if moved(scope, now, found) else "",
            feasible=feasible,
        )
        if not facts.gate:
            return replace(whole, promotion=measured(now, analysis.answer))
        arms = arms_of(Evidence(round=evidence.round.model_copy(update={"scope": now}), trials=evidence.trials))
        if not scope.budget.retrains:
            rests = unmeasured(now, evidence.trials, analysis.answer, _by_name(arms), earlier)
            return replace(whole, arms=_by_name(arms), unmeasured=rests.reasons, promotion=rests.promotion)
        raced = _raced(evidence, now, arms, run, earlier)
        retrains.update(raced.retrains)
        gated = replace(whole, arms=_by_name(arms), gate=raced.row, retrains=dict(retrains), findings=raced.findings)
        faults = blocking(raced.findings, scope.acknowledged)
        if faults:
            return replace(gated, blockers=faults)
        return replace(gated, decision=raced.decision, promotion=_promotion(now, gated.arms, raced.decision))

    return _settled(scope, lambda now: _signed(concluded(now), scope, analysis), incumbents, approve)


def _signed(conclusion: Conclusion, scope: Scope, analysis: Analysis) -> Conclusion:
    """The conclusion, its promotion with the rows that would have blocked it had nobody acknowledged them in writing.

    Playbook: G9
    """
    if conclusion.promotion is None:
        return conclusion
    failed = {f.row for f in blocking((*scope.findings, *analysis.findings, *conclusion.findings), {})}
    written = {row: why for row, why in scope.acknowledged.items() if row in failed}
    whole = {**written, **conclusion.promotion.in_writing}
    return replace(conclusion, promotion=conclusion.promotion.model_copy(update={"in_writing": whole}))


def _settled(
    scope: Scope, concluded: Callable[[Scope], Conclusion], incumbents: Incumbents, approve: Approve
) -> Conclusion:
    """The conclusion against the incumbent that stands in the end: what it promotes is approved and on record.

    Raises:
        RuntimeError: the incumbent never rests.
    """
    moves = incumbents.moves()
    for _ in range(len(moves) + _MOVES):
        conclusion = concluded(scope)
        promotion = conclusion.promoted
        if promotion is None:
            return conclusion
        if moves:  # before an interruption the round came this far already: nobody is asked twice
            to = moves.pop(0)
        elif incumbents.is_ours(scope):
            return conclusion
        else:
            against = approve(promotion)
            if against:
                return replace(conclusion, declined=against)
            if incumbents.swap(scope, promotion):
                return conclusion
            to = incumbents.newest()
        scope = scope.model_copy(update={"incumbent": to})
    raise RuntimeError(f"the incumbent moved {_MOVES} times while this round was gated; run it again")


def _promotion(scope: Scope, arms: Mapping[ArmName, Arm], decision: Decision) -> Promotion | None:
    """What the gate lets through, with the settings that its retrains ran on."""
    if decision.outcome != "promote":
        return None
    arm = arms[decision.winner or FINALIST]
    return Promotion(
        study=arm.study,
        trial=arm.trial,
        point=dict(arm.point),
        settings=settings_of(scope, arm),
        gain=decision.gain,
        reasons=decision.reasons,
        comparisons=decision.comparisons,
    )


def _by_name(arms: tuple[Arm, ...]) -> dict[ArmName, Arm]:
    return {arm.name: arm for arm in arms}


@dataclass(frozen=True, kw_only=True)
class _Raced:
    """The race's end: the decision, what it stands on, the retrains by id, and what they say of the seed."""

    decision: Decision
    row: GateRow
    retrains: dict[str, Trial]
    findings: tuple[Finding, ...]


def _raced(
    evidence: Evidence, scope: Scope, arms: tuple[Arm, ...], run: RunRetrains, earlier: Sequence[Trial]
) -> _Raced:
    """Looks, until the gate has seen enough, or the retrains show that they measure no noise.

    Two retrains an arm are run before any others: where the seed is ignored, they tell.
    """
    own = shared(arms)
    ended: dict[ArmName, list[Trial]] = {arm.name: [] for arm in arms}
    kept = kept_retrains(scope, arms[-1].point, earlier)
    taken = {t.planned.seed for t in kept}
    while True:
        price = {a.name: price_of(scope.policy, a.point, ended[own.get(a.name, a.name)]) for a in arms}
        decision = _asked(scope, arms, ended, kept, price)
        found = SEEDS.ask(scope, repeats_of(evidence, arms, ended, kept), decision)
        if decision.outcome != "continue" or blocking(found, scope.acknowledged):
            every = [t for trials in ended.values() for t in trials]
            idle = uncharged(scope.policy, hyperparameters(scope, arms), [*kept, *every])
            free = _unpriced(scope, arms, decision, ended)
            decision = decision.model_copy(update={"reasons": (*decision.reasons, *idle, *free)})
            row = gate_row(scope, arms, decision, ended, kept, price)
            return _Raced(decision=decision, row=row, retrains={t.id: t for t in every}, findings=tuple(found))
        wanted = []
        for arm in (a for a in arms if a.name in decision.needs):
            done, more = len(ended[arm.name]), decision.needs[arm.name]
            more = min(more, FIRST_WAVE - done) if done < FIRST_WAVE else more
            coming = fresh(scope, arm, taken if arm.name == INCUMBENT else ())
            wanted += [(arm.name, planned) for planned in islice(coming, done, done + more)]
        trials = run([planned for _, planned in wanted])
        for name, planned in wanted:
            ended[name].append(trials[planned.id])


def _asked(
    scope: Scope,
    arms: tuple[Arm, ...],
    ended: Mapping[ArmName, Sequence[Trial]],
    kept: Sequence[Trial],
    price: Mapping[ArmName, float],
) -> Decision:
    """What the gate says of the retrains so far."""
    return gate(
        {name: [judged(scope, t) for t in trials] for name, trials in ended.items()},
        minimum_gain=scope.policy.minimum_gain,
        error_rate=scope.policy.error_rate,
        budget=scope.budget.retrains,
        shared=shared(arms),
        kept=[loss for t in kept if (loss := judged(scope, t)) is not None],
        price=price,
        patience=scope.policy.patience,
        labels=arm_labels(scope.roles.scientific, ((arm.name, arm.point) for arm in arms)),
        deterministic=scope.deterministic,
    )


def _unpriced(
    scope: Scope, arms: tuple[Arm, ...], decision: Decision, ended: Mapping[ArmName, Sequence[Trial]]
) -> tuple[str, ...]:
    """What of the winner's complexity has no price; nothing where nothing won."""
    by_name = _by_name(arms)
    if decision.winner is None:
        return ()
    winner, incumbent = by_name[decision.winner], by_name[INCUMBENT]
    return unpriced(
        scope.policy, winner.point, incumbent.point, ended[winner.retrained_as], ended[incumbent.retrained_as]
    )
