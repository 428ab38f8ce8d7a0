"""A round is closed: its record put together, the incumbent's YAML written, ledger and MLflow told."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from flows.compose import compose
from flows.compose.called import round_line
from flows.compose.config import RoundConfig
from flows.session.incumbent import show_incumbent
from flows.session.method import method_of
from flows.session.projection import projection_of
from flows.session.promoted_settings import with_settings, without
from flows.session.provenance.longer import after_fewer_steps
from flows.session.provenance.programs import program_folder
from flows.session.provenance.promoted import promoted_row
from flows.session.provenance.reads import reads_text, with_reads
from flows.session.provenance.reproduce import diff_caveat, reproduce
from flows.session.session import Session
from tasks.analyze.analysis import Analysis
from tasks.analyze.checks.pipeline.validation_set import VALIDATION_SET
from tasks.analyze.study.evidence import Evidence
from tasks.design.kept import can_keep, kept_text
from tasks.design.study import Round
from tasks.ledger import LedgerError
from tasks.promote.conclude import Conclusion, record_of, verdict_of
from tasks.promote.next import another_way, asking, keeping_trials, next_round
from tasks.record import NextRow, Record, Value
from tasks.report.across.saturation import saturated_tuning
from tasks.scope.error import InputError
from tasks.scope.finding import blocking
from tasks.scope.goal import Incumbent
from tasks.scope.scope import scope_goal
from tasks.text import point_text
from tasks.tracking import Projector
from tasks.trials.stored import write_curves
from tasks.upgrade import read_record
from tasks.verdict import AcceptedRow, GateRow, VerdictRow

CURVES = "curves.parquet"
# The round is over and somebody waits for it. What MLflow has not taken by then, the next round or flows.sync brings.
_MLFLOW_SECONDS = 60.0  # at most, while it writes
_SLOW_SECONDS = 15.0  # without writing anything: a large checkpoint on its way
_IDS_SECONDS = 5.0  # for the ids that the record names
_EARLIER_SECONDS = 10.0


def record_now(
    session: Session, evidence: Evidence, analysis: Analysis, conclusion: Conclusion, projector: Projector
) -> Record:
    """The record of the round; its curves stand in the round's folder by then.

    Playbook: B1, J13
    """
    config, round = session.config, evidence.round
    write_curves(session.folder / CURVES, [*evidence.trials.values(), *conclusion.retrains.values()])
    record = record_of(
        round,
        evidence.trials,
        analysis,
        conclusion,
        next=_next(session, analysis, round, conclusion),
        reproduce=reproduce(
            round_line(config.overrides, config.config_dir),
            config.overrides,
            session.parts,
            program_folder(config),
            config.secrets,
        ),
        stamps={
            "round_id": session.round_id,
            "created": session.created,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "parent": session.parent,
            "notes": config.notes,
            "curves": CURVES,
        },
        mlflow=projector.runs(_IDS_SECONDS),  # those it has not shown by now are in the ledger alone
        budget=config.budget.model_dump(),
    )
    saturated = saturated_tuning(_verdicts(session, record), config.policy.saturation_rounds)
    longer = after_fewer_steps(session.ledger, record, config.goal.name, config.root)
    reads = reads_text(
        session.ledger,
        record.workload,
        session.created,
        session.parts,
        evidence.trials.values(),
        conclusion.retrains.values(),
    )
    return record.model_copy(
        update={
            "findings": with_reads(record.findings, VALIDATION_SET.name, reads),
            "method": method_of(session, record, evidence, conclusion, saturated=bool(saturated)),
            "caveats": (
                *record.caveats,
                *session.caveats(),
                *([f"{kept_text(round)} (E4)"] if round.kept else []),
                *session.changed(),
                *_age(session, conclusion),
                *filter(None, (longer, diff_caveat(record.reproduce))),
            ),
            "learned": (*record.learned, *saturated),
            "accepted": _accepted(session),
            "promoted": promoted_row(session, conclusion, {**evidence.trials, **conclusion.retrains}),
        }
    )  # its digest has none of these


def close(session: Session, record: Record, conclusion: Conclusion, projector: Projector) -> None:
    """Write the incumbent's YAML, conclude the round in the ledger, and show it in MLflow if it answers.

    Playbook: B1, G9
    """
    _publish(session, record, conclusion)
    session.ledger.conclude(session.round_id, record.model_dump_json(by_alias=True), record.digest, record.finished)
    _show(session, projector)


def _age(session: Session, conclusion: Conclusion) -> tuple[str, ...]:
    """How old the estimate of the incumbent's noise is, where retrains of earlier rounds count.

    Playbook: G6
    """
    kept = conclusion.decision.kept if conclusion.decision else 0
    if not kept:
        return ()
    rounds = set(session.ledger.frozen(session.round_id).get("kept", ()))
    oldest = min(r.created for r in session.ledger.rounds(session.config.workload.name) if r.round_id in rounds)
    return (
        f"The incumbent's noise is known from {kept} retrains of earlier rounds, the oldest of {oldest[:10]} or later; "
        "after a major change of the pipeline it is measured anew by itself.",
    )


def _accepted(session: Session) -> AcceptedRow | None:
    """Who accepted what this round promoted, as the ledger has it; None where it promoted nothing.

    A round that is resumed after its promotion may be given another `approval`: it is not accepted twice.

    Playbook: G9
    """
    for generation in session.ledger.generations(session.config.workload.name):
        said = generation.evidence.get("accepted")
        if generation.round_id == session.round_id and said is not None:
            return AcceptedRow.model_validate(said)
    return None


def _verdicts(session: Session, record: Record) -> Iterator[tuple[VerdictRow, GateRow | None]]:
    """This round's verdict, then those of the rounds that had ended when it began, the newest first; with their gates.

    A record that cannot be read ends them: whoever asks for it is told.
    """
    yield record.verdict, record.gate
    for row in session.ledger.rounds(record.workload):
        if row.finished is not None and row.finished <= session.created:
            try:
                text = session.ledger.record(row.round_id)
                earlier = None if text is None else read_record(text)
            except (LedgerError, ValueError):
                return
            if earlier is not None:
                yield earlier.verdict, earlier.gate


def _show(session: Session, projector: Projector) -> None:
    """The round in MLflow, as the ledger has it now; then what earlier rounds still lack there, if it answers."""
    projector.show(lambda: projection_of(session.ledger, session.round_id))
    projector.drain(_MLFLOW_SECONDS, patience=_SLOW_SECONDS)
    projector.bring_along(_EARLIER_SECONDS)


def _next(session: Session, analysis: Analysis, round: Round, conclusion: Conclusion) -> NextRow:
    config, scope = session.config, round.scope
    outcome = verdict_of(scope, conclusion).outcome
    fixed = {name: wish.value for name, wish in config.goal.fixed.items() if wish.value is not None}
    answered: frozenset[str] = frozenset()
    if conclusion.promoted is None:
        answered = frozenset(session.ledger.concluded_goals(scope.workload, conclusion.incumbent.generation))
    won = conclusion.promoted
    now = conclusion.incumbent.model_copy(
        update={} if won is None else {"point": won.point, "settings": won.settings, "promoted_with": {}}
    )
    own, blockers = without(config.overrides, conclusion.measured), conclusion.blockers

    def command(overrides: Sequence[str]) -> str:
        return round_line(overrides, config.config_dir)

    following = next_round(
        outcome,
        own,
        command,
        blockers,
        goal=config.goal.name,
        goals={**askable(config, own, answered, now), config.goal.name: fixed},
        promoted=now.point,
        answered=answered,
        retrains=config.budget.retrains,
        suggested=conclusion.decision.suggested_retrains if conclusion.decision else None,
        listed=bool(scope.goal.points),
        ready=any((f.row, f.level) == ("G10", "ok") for f in analysis.findings),
        narrowing=[r for f in analysis.findings if (f.row, f.level) == ("B8", "ok") for r in f.remedy],
        advice=[f for f in analysis.findings if f.level == "warn"],
        otherwise=another_way(scope, conclusion),
    )
    return keeping_trials(following, own, command, blockers, session.round_id) if can_keep(round) else following


def askable(
    config: RoundConfig, own: Sequence[str], answered: Collection[str], now: Incumbent
) -> dict[str, dict[str, Value]]:
    """The goals that can be asked, without the open ones that a guard would refuse of the incumbent as it now stands.

    They are looked at up to the first that can be asked, which is the next one.
    """
    goals = compose.goals_for(config)
    for name in [g for g in goals if g not in answered and g != config.goal.name]:
        if not _refused(asking(own, name), config.config_dir, now):
            return goals
        del goals[name]
    return goals


def _refused(overrides: Sequence[str], config_dir: str | None, incumbent: Incumbent) -> bool:
    """Whether a guard would stop the round; what cannot be composed here, as a secret is left out, is not refused."""
    try:
        config = with_settings(compose.from_overrides(overrides, config_dir), incumbent.settings)
    except InputError:
        return False
    try:
        scope = scope_goal(config, incumbent)
    except InputError:
        return True
    return bool(blocking(scope.findings, scope.acknowledged))


def _publish(session: Session, record: Record, conclusion: Conclusion) -> None:
    """The promoted configuration as a one-file diff with its provenance."""
    won = conclusion.promoted
    if won is None:
        return
    generation = conclusion.incumbent.generation + 1
    promoted = Incumbent(
        generation=generation, point=won.point, settings=won.settings, source=f"round {record.round_id}"
    )
    provenance = {
        "promoted": record.finished,
        "round": record.round_id,
        "question": record.goal.question,
        **({} if won.gain is None else {"gain": f"{won.gain} {record.objective.metric}"}),
        "evidence": " ".join(record.verdict.reasons),
        "before": f"generation {generation - 1}: {point_text(conclusion.incumbent.all_values)}",
        "caveats": " ".join(record.caveats),
        "accepted by": record.accepted.text if record.accepted else "not recorded",
        "reproduce": record.reproduce.command,
    }
    show_incumbent(session.ledger, session.config, promoted, provenance)
