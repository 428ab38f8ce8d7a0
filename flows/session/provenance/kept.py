"""What of earlier rounds counts in another of the same ledger: the trials that `keep=` names, retrains."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from flows.compose.called import program
from flows.compose.config import RoundConfig
from flows.session.provenance.fingerprint import (
    Parts,
    difference_text,
    fingerprint,
    same_training,
    training_difference,
)
from tasks.design.kept import EarlierRound, EarlierTrial
from tasks.design.samplers.all import sampling_of
from tasks.ledger import Ledger, open_ledger
from tasks.scope.error import InputError
from tasks.scope.goal import Objective
from tasks.trials.stored import planned_from, trial_from
from tasks.trials.trial import Trial

_REMEMBERED = 100  # rounds of a workload that are looked through for retrains of its incumbent


def earlier_round(ledger: Ledger, config: RoundConfig, parts: Parts) -> EarlierRound | None:
    """The finished round whose trials are kept, as far as they count on what this round runs on; None without `keep`.

    `parts`: what this round runs on, as when it began, so that a round that is resumed keeps what it kept.

    Raises:
        InputError: the workload has no such round, or it has not ended.

    Playbook: E4
    """
    if config.keep is None:
        return None
    state = {r.round_id: r.state for r in ledger.rounds(config.workload.name)}.get(config.keep)
    if state is None:
        raise _no_round(config)
    if state != "finished":
        way = f"finish it by resume={config.keep}, or say keep=null"
        raise InputError(f"keep: round {config.keep} has not ended; {way}.")
    frozen, results = ledger.frozen(config.keep), ledger.results(config.keep)
    ended = [
        EarlierTrial(planned=planned_from(plan, frozen["config"]["budget"]), status=results[plan["id"]][0]["status"])
        for plan in ledger.planned(config.keep)
        if plan["purpose"] == "search" and plan["id"] in results
    ]
    mixed = ledger.notes(config.keep, "mixed")
    otherwise = f"they ran on two different {mixed[0]}" if mixed else _otherwise(frozen, config, parts)
    return EarlierRound(round_id=config.keep, trials=tuple(ended), otherwise=otherwise)


def earlier_now(config: RoundConfig) -> EarlierRound | None:
    """The same of a round that would begin now; nothing is written.

    Raises:
        InputError: as `earlier_round`.
    """
    if config.keep is None:
        return None
    if not (config.root / "ledger.db").exists():
        raise _no_round(config)
    with closing(open_ledger(config.root)) as ledger:
        return earlier_round(ledger, config, fingerprint(config))


def rounds_kept(ledger: Ledger, workload: str, now: Parts) -> list[str]:
    """The rounds that ended by now and whose retrains count again: nothing that a trial sees was otherwise (G6).

    They are frozen with the round: whatever ends while it runs, gone on with it sees the same.
    """
    ended = [r.round_id for r in ledger.rounds(workload) if r.state == "finished"][:_REMEMBERED]
    return [
        round_id
        for round_id in reversed(ended)
        if same_training(ledger.frozen(round_id).get("fingerprint", {}), now) and not ledger.notes(round_id, "mixed")
    ]


def retrains_in(ledger: Ledger, round_ids: Iterable[str], objective: Objective) -> Iterator[Trial]:
    """The retrains of these rounds that have a result."""
    for round_id in round_ids:
        results, frozen = ledger.results(round_id), ledger.frozen(round_id)
        for plan in ledger.planned(round_id):
            if plan["purpose"] == "retrain" and plan["id"] in results:
                planned = planned_from(plan, frozen["config"]["budget"])
                yield trial_from(planned, *results[plan["id"]], objective)


def _no_round(config: RoundConfig) -> InputError:
    there = f"{program('history')} lists those there are"
    return InputError(f"keep: no round {config.keep!r} of workload {config.workload.name}; {there}.")


def _otherwise(frozen: Mapping[str, Any], config: RoundConfig, parts: Parts) -> str:
    """Why no trial of that round can count: another question, another seed, or anything that a trial sees is other.

    Under another seed a round is another design, which is to tell what luck made of this one (F14).
    """
    asked = frozen["config"]
    goal, sampling = asked["goal"], sampling_of(asked["sampler"])
    if goal["name"] != config.goal.name:
        return f"it asked another question (goal {goal['name']})"
    if asked["seed"] != config.seed:
        return f"it had seed={asked['seed']}, and another seed is a design of its own"
    if sampling is None or not sampling.deals or goal["points"]:
        return "its points were no sequence"
    return difference_text(training_difference(frozen.get("fingerprint", {}), parts))
