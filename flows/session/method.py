"""How a round's numbers came to be, from its trials' folders and the ledger: see `tasks.method`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from flows.session.session import Session
from tasks.analyze.study.evidence import Evidence
from tasks.files import write_atomically
from tasks.ledger import LedgerError
from tasks.method import ExplorationRow, MethodRow, Mode, PredictionsRow, UpdateRuleRow
from tasks.promote.conclude import Conclusion
from tasks.record import Record
from tasks.scope.arms import optimizer_name
from tasks.scope.kinds import KINDS
from tasks.scope.roles import Scope
from tasks.trials.checkpoints.told import predictions_in, update_rule_in
from tasks.trials.trial import Trial

PREDICTIONS = "predictions.json"  # beside the record, all evaluations of the trial that it shows
SHOWN = 24  # evaluations in the record itself: as many columns as a page holds


def method_of(
    session: Session, record: Record, evidence: Evidence, conclusion: Conclusion, *, saturated: bool
) -> MethodRow:
    """What the record has of it, with the split of the budget, the update rules and the predictions of the best.

    The predictions of all evaluations are written beside the record; MLflow shows that file as an artifact.

    Playbook: B4, J7, J20
    """
    trials = {**evidence.trials, **conclusion.retrains}
    found = {
        "exploration": _exploration(session, record, saturated=saturated),
        "update_rules": tuple(_update_rules(evidence.round.scope, trials)),
        "predictions": _predictions(record, trials, session.folder),
    }
    return (record.method or MethodRow()).model_copy(update=found)


def _exploration(session: Session, record: Record, *, saturated: bool) -> ExplorationRow:
    """The split over the rounds that had ended when this one began, and this one.

    A trial that a round kept from an earlier one ran there, and counts there alone.

    Playbook: B4
    """
    ready = any((f.row, f.level) == ("G10", "ok") for f in record.findings)
    mode = KINDS[record.goal.kind].mode
    rounds: dict[Mode, int] = {"exploration": 0, "exploitation": 0}
    trials, steps, unread = dict(rounds), dict(rounds), 0
    lengths = [t.max_train_steps for t in record.trials if t.kept is None]
    for kind, ran in [(record.goal.kind, lengths), *_earlier(session)]:
        if kind not in KINDS:
            unread += 1
            continue
        own = KINDS[kind].mode
        rounds[own] += 1
        trials[own] += len(ran)
        steps[own] += sum(ran)
    return ExplorationRow(
        mode=mode, rounds=rounds, trials=trials, steps=steps, unread=unread, ready=ready, saturated=saturated
    )


def _earlier(session: Session) -> Iterator[tuple[str, list[int]]]:
    """The kind of each earlier round and how long each trial that it ran was to be; "" where unreadable."""
    ledger = session.ledger
    for row in ledger.rounds(session.config.workload.name):
        if row.finished is None or row.finished > session.created or row.round_id == session.round_id:
            continue
        try:
            config = ledger.frozen(row.round_id)["config"]
            usual = config["budget"]["max_train_steps"]
            ran = [p for p in ledger.planned(row.round_id) if p.get("kept") is None]
            yield config["goal"]["kind"], [p.get("max_train_steps", usual) for p in ran]
        except (LedgerError, KeyError, TypeError):
            yield "", []


def _update_rules(scope: Scope, trials: Mapping[str, Trial]) -> Iterator[UpdateRuleRow]:
    """One row for each optimizer, by the first of its trials that says what it ran."""
    name, told = optimizer_name(scope) or "optimizer", set()
    for trial in sorted(trials.values(), key=lambda t: not t.feasible):
        optimizer = str(trial.planned.point.get(name, ""))
        rule = {} if optimizer in told or not trial.folder else update_rule_in(Path(trial.folder))
        if not rule:
            continue
        try:
            yield UpdateRuleRow.model_validate({**rule, "optimizer": optimizer, "trial": trial.id})
        except ValidationError:  # a program of the user's may say anything
            continue
        told.add(optimizer)


def _predictions(record: Record, trials: Mapping[str, Trial], folder: Path) -> PredictionsRow | None:
    """Those of what was promoted, else of the best trial; None where no such trial saved any."""
    for trial in _best(record, trials):
        found = predictions_in(Path(trial.folder), trial.curve.steps.tolist()) if trial.folder else {}
        if not found or trial.best_step not in found:
            continue
        write_atomically(folder / PREDICTIONS, json.dumps({"trial": trial.id, "evaluations": found}))
        steps = _thinned([*found], trial.best_step)
        return PredictionsRow.model_validate(
            {
                "trial": trial.id,
                "best_step": trial.best_step,
                "steps": steps,
                "target": found[trial.best_step]["target"],
                "predicted": [found[step]["predicted"] for step in steps],
                "confidence": _all(found, steps, "confidence"),
                "file": PREDICTIONS,
            }
        )
    return None


def _best(record: Record, trials: Mapping[str, Trial]) -> Iterator[Trial]:
    """Of a promotion the best retrain, whose model is registered, and the trial that selected it; then the best."""
    sign = 1.0 if record.objective.direction == "minimize" else -1.0
    good = [t for t in trials.values() if t.feasible and t.best_value is not None]
    ordered = sorted(good, key=lambda t: sign * (t.best_value or 0.0))
    candidate = record.verdict.candidate
    if candidate is not None and record.verdict.outcome == "promote":
        yield from (t for t in ordered if t.planned.purpose == "retrain" and t.planned.point == candidate.point)
        yield from (t for t in ordered if t.id == candidate.trial)
    yield from (t for t in ordered if t.planned.purpose != "retrain")


def _thinned(steps: list[int], best: int) -> list[int]:
    """At most `SHOWN` of them, evenly, the first, the last and the best among them."""
    if len(steps) <= SHOWN:
        return steps
    chosen = {int(i) for i in np.linspace(0, len(steps) - 1, SHOWN - 1).round()}
    return [step for i, step in enumerate(steps) if i in chosen or step == best]


def _all(found: Mapping[int, Mapping[str, Any]], steps: list[int], name: str) -> list[Any]:
    """A row for each of the steps; nothing where one lacks it."""
    return [found[step][name] for step in steps] if all(name in found[step] for step in steps) else []
