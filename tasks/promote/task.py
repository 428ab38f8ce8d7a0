"""The door of promote: retrains are run as the gate asks for them, and a promotion is a compare-and-swap."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.analyze.checks import Analysis
from tasks.analyze.evidence import Evidence
from tasks.design.study import Planned
from tasks.ledger import Generation
from tasks.promote.comparison import INCUMBENT, ArmName
from tasks.promote.conclude import Conclusion, blockers_of
from tasks.promote.decision import Decision
from tasks.promote.gate import gate
from tasks.promote.kept import kept_retrains
from tasks.promote.price import price_of, uncharged
from tasks.promote.retrains import Arm, arms_of, fresh, hyperparameters, judged, judgements, shared
from tasks.record import Finding
from tasks.scope.goal import Incumbent
from tasks.scope.roles import Scope, point_text
from tasks.trials.stored import trial_from
from tasks.trials.task import Site, run_trials
from tasks.trials.trial import Trial

Approve = Callable[[Arm, Decision], str]
_MOVES = 5  # how often an incumbent may move under one round before the round gives up
_MOVED = "moved to generation "  # begins the ledger's notes of it


@task(name="promote config", cache_policy=NO_CACHE, persist_result=False)
def promote_config(
    evidence: Evidence, analysis: Analysis, site: Site, expect: Callable[[int], None], approve: Approve
) -> Conclusion:
    """What the gate makes of the round; a promotion is in the ledger when this returns.

    `expect` hears of trials to come. `approve` returns "" to accept a promotion, or the reason against it. A round
    whose incumbent moved under it is gated again, against the new one.

    Playbook: G2, G9
    """
    scope = evidence.round.scope
    blockers = blockers_of(scope, analysis)
    arms = arms_of(evidence)
    if blockers:
        return _conclusion(scope.incumbent, arms, None, {}, blockers)
    retrains: dict[str, Trial] = {}
    moves = _moves(site, scope)
    for _ in range(len(moves) + _MOVES):
        decision, run = _decided(scope, arms, site, expect)
        retrains |= run
        conclusion = _conclusion(scope.incumbent, arms, decision, retrains, ())
        winner = conclusion.promoted
        if winner is None:
            return conclusion
        if moves:  # before an interruption the round came this far already: nobody is asked twice
            to = moves.pop(0)
        elif _is_ours(site, scope):
            return conclusion
        else:
            against = approve(winner, decision)
            if against:
                return _conclusion(scope.incumbent, arms, decision, retrains, (), against)
            if _swapped(site, scope, winner, decision):
                return conclusion
            to = _newest(site, scope)
        scope = scope.model_copy(update={"incumbent": to})
        moved = evidence.round.model_copy(update={"scope": scope})
        arms = arms_of(Evidence(round=moved, trials=evidence.trials))
    raise RuntimeError(f"the incumbent moved {_MOVES} times while this round was gated; run it again")


def _decided(
    scope: Scope, arms: tuple[Arm, ...], site: Site, expect: Callable[[int], None]
) -> tuple[Decision, dict[str, Trial]]:
    """Looks, until the gate has seen enough: the decision, and the retrains by id."""
    own = shared(arms)
    run: dict[ArmName, list[Trial]] = {arm.name: [] for arm in arms}
    kept = kept_retrains(scope, arms[-1].point, _earlier(site))
    seeds = {t.planned.seed for t in kept}
    while True:
        decision = gate(
            {name: [judged(scope, t) for t in trials] for name, trials in run.items()},
            minimum_gain=scope.policy.minimum_gain,
            error_rate=scope.policy.error_rate,
            budget=scope.budget.retrains,
            kind=scope.goal.kind,
            shared=own,
            kept=[loss for t in kept if (loss := judged(scope, t)) is not None],
            price={a.name: price_of(scope.policy, a.point, run[own.get(a.name, a.name)]) for a in arms},
            patience=scope.policy.patience,
        )
        if decision.outcome != "continue":
            every = [t for trials in run.values() for t in trials]
            noted = {
                "noise": decision.noise | judgements(scope, kept, every),
                "reasons": (*decision.reasons, *uncharged(scope.policy, hyperparameters(scope, arms), [*kept, *every])),
            }
            return decision.model_copy(update=noted), {t.id: t for t in every}
        wanted = []
        for arm in (a for a in arms if a.name in decision.needs):
            done, more = len(run[arm.name]), decision.needs[arm.name]
            coming = fresh(scope, arm, seeds if arm.name == INCUMBENT else ())
            wanted += [(arm.name, planned) for planned in islice(coming, done, done + more)]
        expect(len(wanted))
        ended = run_trials.fn([planned for _, planned in wanted], site)
        for name, planned in wanted:
            run[name].append(ended[planned.id])


def _earlier(site: Site) -> list[Trial]:
    """The retrains of the rounds that had ended when this one began, on what it runs on, too."""
    found = []
    for round_id in site.ledger.frozen(site.round_id).get("kept", ()):
        results = site.ledger.results(round_id)
        for plan in site.ledger.planned(round_id):
            if plan["purpose"] == "retrain" and plan["id"] in results:
                planned = Planned.model_validate(plan)
                found.append(trial_from(planned, *results[plan["id"]], site.execution.workload.objective))
    return found


def _swapped(site: Site, scope: Scope, winner: Arm, decision: Decision) -> bool:
    """Whether the ledger took the new generation: only if the incumbent is still the one that was gated."""
    evidence: Mapping[str, object] = {
        "gain": decision.gain,
        "noise": decision.noise,
        "reasons": list(decision.reasons),
        "before": dict(scope.incumbent.point),
        "caveats": list(scope.caveats),
        "acknowledged": scope.acknowledged,
    }
    return site.ledger.promote(
        scope.workload,
        scope.incumbent.generation,
        dict(winner.point),
        site.round_id,
        f"round {site.round_id}: {scope.goal.question} ({point_text(winner.point)})",
        evidence,
        datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _is_ours(site: Site, scope: Scope) -> bool:
    """Whether this very round has promoted already, against the incumbent of `scope`; others may have followed."""
    mine = (g.generation for g in site.ledger.generations(scope.workload) if g.round_id == site.round_id)
    return scope.incumbent.generation + 1 in mine


def _newest(site: Site, scope: Scope) -> Incumbent:
    """The incumbent that the round is gated against from now on, noted: gone on with, it takes the same way."""
    newest = site.ledger.generations(scope.workload)[-1]
    site.ledger.note_projection(site.round_id, f"{_MOVED}{newest.generation}", site.round_id)
    return _incumbent(newest)


def _moves(site: Site, scope: Scope) -> list[Incumbent]:
    """The incumbents that moved under this round before it was interrupted, in their order."""
    noted = {key for key in site.ledger.projections(site.round_id) if key.startswith(_MOVED)}
    known = site.ledger.generations(scope.workload)
    return [_incumbent(g) for g in known if f"{_MOVED}{g.generation}" in noted]


def _incumbent(stored: Generation) -> Incumbent:
    return Incumbent(generation=stored.generation, point=stored.point, source=stored.source)


def _conclusion(
    incumbent: Incumbent,
    arms: tuple[Arm, ...],
    decision: Decision | None,
    retrains: Mapping[str, Trial],
    blockers: tuple[Finding, ...],
    declined: str = "",
) -> Conclusion:
    return Conclusion(
        incumbent=incumbent, arms=arms, decision=decision, retrains=retrains, blockers=blockers, declined=declined
    )
