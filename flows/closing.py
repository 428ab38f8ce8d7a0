"""The end of a round: the record is written, the incumbent's YAML, MLflow's picture of it, and the ledger is told."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from flows import compose
from flows.compose import read_incumbent, write_incumbent
from flows.config import incumbent_file
from flows.provenance import reproduce
from flows.session import Session
from tasks.analyze.checks import Analysis
from tasks.design.study import Round
from tasks.promote.conclude import Conclusion, record_of, verdict_of
from tasks.promote.next import command_of, next_round
from tasks.record import NextRow, Record
from tasks.scope.goal import Incumbent
from tasks.scope.roles import point_text
from tasks.tracking import Projector
from tasks.trials.child import CHECKPOINTS
from tasks.trials.stored import write_curves
from tasks.trials.trial import Trial

CURVES = "curves.parquet"
_MLFLOW_SECONDS = 120.0


def close(
    session: Session,
    round: Round,
    trials: Mapping[str, Trial],
    analysis: Analysis,
    conclusion: Conclusion,
    projector: Projector,
    step: SimpleNamespace,
) -> Record:
    """The record of the round, once it stands in the ledger, in the round's folder and (if it answers) in MLflow.

    Playbook: B1, J13, G9
    """
    config = session.config
    write_curves(session.folder / CURVES, [*trials.values(), *conclusion.retrains.values()])
    record = record_of(
        round,
        trials,
        analysis,
        conclusion,
        next=_next(session, analysis, round, conclusion),
        reproduce=reproduce(command_of(config.overrides, config.config_dir), config.overrides),
        stamps={
            "round_id": session.round_id,
            "created": session.created,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "parent": session.parent,
            "notes": config.notes,
            "curves": CURVES,
        },
        mlflow=projector.drain(_MLFLOW_SECONDS),
        budget=config.budget.model_dump(),
    )
    step.write_report(record, session.folder)
    _publish(session, record, conclusion)
    _show(session, record, conclusion, projector)
    session.ledger.conclude(session.round_id, record.model_dump_json(by_alias=True), record.digest, record.finished)
    return record


def _next(session: Session, analysis: Analysis, round: Round, conclusion: Conclusion) -> NextRow:
    config, scope = session.config, round.scope
    outcome = verdict_of(scope, conclusion).outcome
    answered: frozenset[str] = frozenset()
    if conclusion.promoted is None:
        answered = frozenset(session.ledger.concluded_goals(scope.workload, conclusion.incumbent.generation))
    return next_round(
        outcome,
        config.overrides,
        config.config_dir,
        conclusion.blockers,
        goal=config.goal.name,
        goals=compose.goals_for(config),
        answered=answered,
        retrains=config.budget.retrains,
        suggested=conclusion.decision.suggested_retrains if conclusion.decision else None,
        trials=config.budget.trials,
    )


def _publish(session: Session, record: Record, conclusion: Conclusion) -> None:
    """The promoted configuration as a one-file diff with its provenance."""
    winner = conclusion.promoted
    if winner is None:
        return
    generation = conclusion.incumbent.generation + 1
    promoted = Incumbent(generation=generation, point=dict(winner.point), source=f"round {record.round_id}")
    path = incumbent_file(session.config.root, record.workload)
    there = read_incumbent(path)
    if there is not None and there.generation > generation:
        return  # a later round was quicker to write
    provenance = {
        "promoted": record.finished,
        "round": record.round_id,
        "question": record.goal.question,
        "gain": f"{record.verdict.gain} {record.objective.metric}",
        "evidence": " ".join(record.verdict.reasons),
        "before": f"generation {generation - 1}: {point_text(conclusion.incumbent.point)}",
        "caveats": " ".join(record.caveats),
        "accepted by": "a person" if session.config.approval == "ask" else "the policy (approval=auto)",
        "reproduce": record.reproduce.command,
    }
    write_incumbent(path, promoted, provenance)


def _show(session: Session, record: Record, conclusion: Conclusion, projector: Projector) -> None:
    """The round in MLflow: its report and record, the best checkpoints, the promoted model in the registry."""
    bests = _bests(session, conclusion)
    checkpoints = {t.id: path for t in bests if (path := Path(t.folder) / CHECKPOINTS).is_dir()}
    projector.conclude(record, session.folder, config=session.config.model_dump(mode="json"), checkpoints=checkpoints)
    winner = conclusion.promoted
    retrained = [t for t in bests if winner and t.planned.point == dict(winner.point)]
    if winner is not None and retrained and retrained[0].id in checkpoints:
        projector.register(record, checkpoints[retrained[0].id], conclusion.incumbent.generation + 1)
    projector.drain(_MLFLOW_SECONDS)


def _bests(session: Session, conclusion: Conclusion) -> list[Trial]:
    """The feasible retrains, best first: their checkpoints are the round's models."""
    sign = session.config.workload.objective.sign
    kept = [t for t in conclusion.retrains.values() if t.best_value is not None]
    return sorted(kept, key=lambda t: (sign * (t.best_value or 0.0), t.id))[:10]
