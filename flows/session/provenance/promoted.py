"""What a round promoted as its record has it: every value, the checkpoint, and the command that shows both again."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.compose.config import RoundConfig
from flows.session.provenance.shown_by import shown_by
from flows.session.session import Session
from tasks.promote.conclude import Conclusion
from tasks.promote.promotion import Promotion
from tasks.scope.goal import Objective
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.command.program import CHECKPOINTS as WRITTEN
from tasks.trials.local.child import CHECKPOINTS, WORK
from tasks.trials.trial import Trial
from tasks.verdict import CheckpointRow, PromotedRow

SUPERVISED = "tasks.trials.supervised"
MODEL = "model"  # under this key the supervised loop saves the weights


def promoted_row(session: Session, conclusion: Conclusion, trials: Mapping[str, Trial]) -> PromotedRow | None:
    """What the round promoted; None where it promoted nothing. `trials`: all of the round, by id.

    Playbook: G9, J10
    """
    won = conclusion.promoted
    if won is None:
        return None
    return PromotedRow(
        generation=conclusion.incumbent.generation + 1,
        point=won.point,
        settings=won.settings,
        checkpoint=_checkpoint(session, won, trials),
        command=shown_by(session.config.workload.name, session.config.root),
    )


def _checkpoint(session: Session, won: Promotion, trials: Mapping[str, Trial]) -> CheckpointRow | None:
    """That of the best fresh retrain that has one, as in MLflow's registry; else that of the selected trial."""
    objective = session.config.workload.objective
    for trial, of in _candidates(won, trials, objective):
        found = _saved(session.config, trial, objective) if trial.folder else None
        if found is not None:
            file = os.path.relpath(Path(trial.folder, found["file"]), session.folder)
            row = {"trial": trial.id, "purpose": trial.planned.purpose, "of": of}
            return CheckpointRow.model_validate(found | row | {"file": file})
    return None


def _candidates(won: Promotion, trials: Mapping[str, Trial], objective: Objective) -> Iterator[tuple[Trial, int]]:
    """The trainings of the promoted configuration, the best retrain first, each with how many of its kind there are."""
    good = [t for t in trials.values() if t.feasible and t.best_value is not None]
    retrains = [t for t in good if t.planned.purpose == "retrain" and t.planned.point == won.point]
    for trial in sorted(retrains, key=lambda t: (objective.sign * (t.best_value or 0.0), t.id)):
        yield trial, len(retrains)
    yield from ((t, 1) for t in good if t.id == won.trial)


def _saved(config: RoundConfig, trial: Trial, objective: Objective) -> dict[str, Any] | None:
    """The best checkpoint of a trial; of a program the file that it wrote last, in a format of its own."""
    folder = Path(trial.folder)
    kept = Checkpoints(folder / CHECKPOINTS, trial.id).best_file()
    if kept is not None:
        step, loss, path = kept
        return {
            "file": str(path.relative_to(folder)),
            "step": step,
            "value": None if loss is None else objective.sign * loss,
            "part": MODEL if config.workload.target == SUPERVISED else "",
        }
    files = [p for p in (folder / WORK / WRITTEN).rglob("*") if p.is_file() and not p.is_symlink()]
    if not files:
        return None
    last = max(files, key=lambda p: (p.stat().st_mtime_ns, str(p)))
    return {"file": str(last.relative_to(folder)), "program": True}
