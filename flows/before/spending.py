"""What a round spends at most, and what that can show: trials, time, memory, the smallest gain told from noise."""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from statistics import stdev

from flows.compose.config import RoundConfig
from flows.session.provenance.fingerprint import fingerprint
from flows.session.provenance.kept import retrains_in, rounds_kept
from tasks.design.study import Round
from tasks.ledger import Ledger, open_ledger
from tasks.promote.power import SHARE, smallest_gain
from tasks.promote.retrains import incumbent_point, judged, kept_retrains
from tasks.record import Frozen
from tasks.scope.goal import RANGE
from tasks.scope.guards.length import warmup_in_front
from tasks.scope.roles import Scope
from tasks.text import duration, plural, show

MEASURES = "not known: check=trial measures it"
_LATEST = 20  # rounds that are looked through for one whose trials were timed
_FEWEST = 3  # retrains that an SD is taken from


class Spending(Frozen):
    """What a round spends: trials of the search, retrains at most, steps of each, and how many trials run at once.

    `steps`: of all of them together; None where the points, and so the steps, depend on results.
    """

    search: int
    retrains: int
    each: int
    steps: int | None
    at_once: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What earlier rounds of the workload have measured.

    `seconds`: a step, of the `trials` of round `round_id`, which ran to their end; None where there are none. `memory`:
    the most resident bytes of these. `kept`: losses of the incumbent's retrains that count in this round again.
    """

    seconds: float | None = None
    trials: int = 0
    round_id: str = ""
    memory: int | None = None
    kept: tuple[float, ...] = ()


def spending_of(round: Round, config: RoundConfig) -> Spending:
    """What the round spends; a warmup that is put in front of the budget's steps is counted with them.

    Playbook: D8, I10
    """
    scope, budget = round.scope, round.scope.budget
    search = sum(study.count for study in round.studies) - sum(t.kept is not None for t in round.trials)
    arms = budget.finalists + 1 + has_baseline(scope)
    retrains = arms * (min(1, budget.retrains) if scope.deterministic else budget.retrains)
    retrains = retrains if scope.goal.facts.gate else 0
    before = warmup_in_front(scope)
    each = budget.max_train_steps + before
    open_ended = not retrains and any(not study.trials for study in round.studies)
    own = sum(t.max_train_steps + before for t in round.trials if t.kept is None)
    alone = any(t.alone for t in round.trials)
    return Spending(
        search=search,
        retrains=retrains,
        each=each,
        steps=None if open_ended else (search + retrains) * each if retrains else own,
        at_once=1 if alone else len(config.runner.slots),
    )


def has_baseline(scope: Scope) -> bool:
    """Whether the arm without the change is retrained, too."""
    return scope.goal.facts.baseline and bool(scope.goal.scientific) and RANGE not in scope.goal.scientific.values()


def measured_before(config: RoundConfig, scope: Scope) -> Measured:
    """What the ledger has of earlier rounds of the workload; nothing is written."""
    if not (config.root / "ledger.db").exists():
        return Measured()
    with closing(open_ledger(config.root)) as ledger:
        rounds = rounds_kept(ledger, config.workload.name, fingerprint(config)) if scope.goal.facts.gate else []
        earlier = retrains_in(ledger, rounds, config.workload.objective)
        kept = [judged(scope, trial) for trial in kept_retrains(scope, incumbent_point(scope), earlier)]
        timed = next(_timed(ledger, config), Measured())
    return Measured(
        seconds=timed.seconds,
        trials=timed.trials,
        round_id=timed.round_id,
        memory=timed.memory,
        kept=tuple(loss for loss in kept if loss is not None),
    )


def _timed(ledger: Ledger, config: RoundConfig) -> Iterator[Measured]:
    """Time and memory of the trials of each round of this program that has some, the latest round first."""
    for summary in ledger.rounds(config.workload.name)[:_LATEST]:
        frozen = ledger.frozen(summary.round_id).get("config", {})
        if frozen.get("workload", {}).get("target") != config.workload.target:
            continue
        results = {id: result for id, (result, _) in ledger.results(summary.round_id).items()}
        ran = [
            (results[plan["id"]], plan.get("max_train_steps", frozen["budget"]["max_train_steps"]))
            for plan in ledger.planned(summary.round_id)
            if plan["id"] in results and plan.get("kept") is None and results[plan["id"]]["status"] == "complete"
        ]
        if ran:
            yield Measured(
                seconds=sum(result["seconds"] for result, _ in ran) / sum(steps for _, steps in ran),
                trials=len(ran),
                round_id=summary.round_id,
                memory=max((result.get("memory") or 0 for result, _ in ran), default=0) or None,
            )


def cost_text(round: Round, spending: Spending) -> str:
    """The three-way trade-off in numbers: scientific values, nuisances, trials.

    Playbook: D8, C3
    """
    scope = round.scope
    studies = "1 study" if len(round.studies) == 1 else f"{len(round.studies)} studies"
    shape = f"{studies}, {plural(len(scope.roles.nuisance), 'nuisance')}"
    if spending.retrains:
        return (
            f"{spending.search} trials ({shape}) and at most {spending.retrains} retrains of {spending.each} steps: "
            f"{spending.steps:,} steps"
        )
    most = "at most " if spending.steps is None else ""
    steps = "" if spending.steps is None else f": {spending.steps:,} steps"
    none = "; no retrains, so trial variance is not measured (K4)" if scope.goal.facts.gate else ""
    return f"{most}{plural(spending.search, 'trial')} ({shape}){steps}{none}"


def time_text(spending: Spending, seconds: float, source: str) -> str:
    """How long the round takes if a step takes so many seconds; `source`: what measured that."""
    if spending.steps is None:
        return f"{duration(seconds)} a step ({source})"
    share = seconds / spending.at_once
    if not spending.retrains:
        parts = f"about {duration(spending.steps * share)}"
    else:
        search, more = spending.search * spending.each * share, spending.retrains * spending.each * share
        parts = f"about {duration(search)} of trials and at most {duration(more)} of retrains"
    return f"{parts}, {spending.at_once} at once: {duration(seconds)} a step ({source})"


def memory_text(config: RoundConfig, at_once: int, peak: int) -> str:
    """What the trials need that run at once, and whether anything bounds it."""
    bound = config.runner.memory
    told = f"{_size(peak)} a trial at its peak, {_size(peak * at_once)} for {at_once} at once"
    if bound is None:
        return f"{told}; runner.memory=GIB bounds a process, and is not set"
    return f"{told}; a process may have {show(bound)} GiB (runner.memory)"


def gain_text(config: RoundConfig, scope: Scope, kept: tuple[float, ...]) -> str:
    """The smallest gain that the budget tells from noise, in SDs of one retrain, and in the metric where that is known.

    Playbook: G4
    """
    policy, budget = scope.policy, scope.budget
    if scope.deterministic:
        return f"any above policy.minimum_gain={show(policy.minimum_gain)}: workload.deterministic=true, no noise"
    found = smallest_gain(
        budget=budget.retrains,
        finalists=budget.finalists,
        baseline=has_baseline(scope),
        error_rate=policy.error_rate,
        patience=policy.patience,
        kept=len(kept),
    )
    if found is None:
        return f"none can be told from noise with budget.retrains={budget.retrains}; give 3 or more"
    beyond = f" beyond policy.minimum_gain={show(policy.minimum_gain)}" if policy.minimum_gain else ""
    told = f"smallest told from noise in {10 * SHARE:.0f} of 10 rounds: about {found:.2g} SD of one retrain{beyond}"
    sd = stdev(kept) if len(kept) >= _FEWEST else math.nan
    if math.isnan(sd):
        return f"{told} (how much {scope.objective.metric} that is, the first retrains show)"
    if sd == 0:
        return f"{told} (the {len(kept)} kept retrains are all equal: an SD of 0)"
    whole = found * sd + policy.minimum_gain
    return f"{told} ({whole:.2g} {scope.objective.metric} with the SD of {len(kept)} kept retrains)"


def _size(bytes: float) -> str:
    return f"{bytes / 2**30:.2g} GiB" if bytes >= 2**30 / 10 else f"{bytes / 2**20:.0f} MiB"
