"""What MLflow shows of a round, collected from the ledger and the round's folder."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.ledger import Generation, Ledger, LedgerError, open_ledger
from tasks.record import Point, hash_of
from tasks.scope.goal import Objective
from tasks.tracking import ROUND, Earlier, Projection, Tracking, connect, entries
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.local.child import CHECKPOINTS
from tasks.trials.stored import LENGTH, planned_from, trial_from
from tasks.trials.trial import Trial
from tasks.upgrade import NewerRecord, read_record

SHOWN = 10  # the best retrains whose checkpoints are shown: they are the round's models
_FILES = ("record.json", "report.html", "curves.parquet")


def projection_of(ledger: Ledger, round_id: str, missing: Callable[[str], None] = lambda _: None) -> Projection:
    """The round as far as it has come; `missing` hears a sentence of each file that has gone.

    Raises:
        LedgerError: there is no such round, it is damaged, or an older tunebook wrote it in another shape.
        NewerRecord: a newer one did.

    Playbook: J13
    """
    config = config_of(ledger, round_id)
    text, folder = ledger.record(round_id), ledger.folder(round_id)
    record = None if text is None else read_record(text)
    objective = Objective.model_validate(config["workload"]["objective"])
    planned = {p["id"]: planned_from(p, config["budget"]) for p in ledger.planned(round_id)}
    trials = [
        trial_from(planned[k], result, curve, objective) for k, (result, curve) in ledger.results(round_id).items()
    ]
    if record is not None:
        for name in (n for n in _FILES if not (folder / n).is_file()):
            missing(f"round {round_id}: {folder / name} has gone and is left out")
    promoted = next((g for g in ledger.generations(config["workload"]["name"]) if g.round_id == round_id), None)
    bests = shown_retrains(trials, objective, promoted.point if promoted else None) if record is not None else []
    files = {t.id: found for t in bests if (found := _checkpoint(folder / "trials" / t.id, t.id, missing))}
    return Projection(
        workload=config["workload"]["name"],
        round_id=round_id,
        question=config["goal"]["question"],
        trials=[(t.row(), t.curve.steps.tolist(), {k: v.tolist() for k, v in t.curve.metrics.items()}) for t in trials],
        record=record,
        folder=folder,
        config=config,
        checkpoints=files,
        promoted=_promoted(promoted, bests, files),
    )


def config_of(ledger: Ledger, round_id: str) -> dict[str, Any]:
    """The frozen configuration of the round, with what is needed here.

    Raises:
        LedgerError: it lacks that.
    """
    config = ledger.frozen(round_id).get("config")
    shape = {"workload": ("name", "objective"), "goal": ("question",), "budget": LENGTH, "tracking": ("enabled",)}
    for group, keys in shape.items():
        if not isinstance(config, dict) or not all(key in (config.get(group) or {}) for key in keys):
            raise LedgerError(f"round {round_id} has no {group} in its configuration and cannot be shown")
    return dict(config or {})


def tracking_of(config: Mapping[str, Any], root: Path, uri: str | None = None) -> Tracking:
    """Where MLflow shows a round: where its configuration says, or at `uri`; its root is where it lies now.

    A password is not in a stored configuration: MLflow then takes it from MLFLOW_TRACKING_USERNAME and _PASSWORD.
    """
    said = config["tracking"].get("uri")
    address = uri or (re.sub(r"(?<=://)[^/@]*\*\*\*[^/@]*@", "", said) if said else None)
    return Tracking(root=str(root), uri=address, enabled=bool(config["tracking"]["enabled"]))


def noting(ledger: Ledger, round_id: str, tracking: Tracking) -> Callable[[str, str], bool]:
    """Remembers the ids of that MLflow in the ledger, and tells of each whether it is news.

    A note that fails costs a second look, never the round. Ids of an MLflow other than the round's own are kept apart.
    """
    known: dict[str, str] = {}
    apart = ""
    with suppress(LedgerError):
        known |= ledger.projections(round_id)
        own = tracking_of(config_of(ledger, round_id), Path(tracking.root))
        apart = "" if own.address == tracking.address else f"{hash_of(tracking.address, 8)} "

    def note(key: str, run: str) -> bool:
        key = apart + key
        if known.get(key) == run:
            return False
        with suppress(LedgerError):
            ledger.note_projection(round_id, key, run)
            known[key] = run
        return True

    return note


def earlier(root: Path, tracking: Tracking) -> Earlier:
    """Shows, an entry at each step, the concluded rounds that the ledger does not know to be in that MLflow.

    The last one comes first: one that MLflow refuses keeps no newer one out. Each is owned while it is shown.

    Raises:
        Exception: whatever MLflow raises.
    """
    with open_ledger(root) as ledger:
        concluded = [r.round_id for r in ledger.rounds() if r.state == "finished"]
        waiting = [r for r in concluded if ROUND not in ledger.projections(r)]
    for round_id in waiting:
        with suppress(LedgerError, NewerRecord), open_ledger(root) as ledger:
            its = tracking_of(config_of(ledger, round_id), root)
            if not its.enabled or its.address != tracking.address:
                continue
            ledger.own(round_id)
            picture = projection_of(ledger, round_id)
            handle, note = connect(its, picture.workload, round_id, picture.question), noting(ledger, round_id, its)
            for entry in entries(picture):
                note(*entry(handle))
                yield


def shown_retrains(trials: Iterable[Trial], objective: Objective, promoted: Point | None) -> list[Trial]:
    """The best feasible retrains, best first; one of the `promoted` point is among them, wherever it comes.

    A simpler configuration may be promoted although each of its retrains is worse than many others.
    """
    kept = [t for t in trials if t.planned.purpose == "retrain" and t.feasible and t.best_value is not None]
    ordered = sorted(kept, key=lambda t: (objective.sign * (t.best_value or 0.0), t.id))
    mine = [t for t in ordered if t.planned.point == promoted][:1]
    shown = ordered[:SHOWN]
    return shown if not mine or mine[0] in shown else [*shown[:-1], *mine]


def _checkpoint(folder: Path, trial: str, missing: Callable[[str], None]) -> tuple[Path, ...]:
    """The trial's checkpoint files that are there; nothing where it never saved one."""
    if not folder.is_dir():
        missing(f"trial {trial}: {folder} has gone, and its checkpoints with it")
        return ()
    files = Checkpoints(folder / CHECKPOINTS, trial).files
    for path in files:
        if not path.is_file():
            missing(f"trial {trial}: {path} has gone and is left out")
    return tuple(path for path in files if path.is_file())


def _promoted(
    promoted: Generation | None, bests: Sequence[Trial], files: Mapping[str, tuple[Path, ...]]
) -> tuple[tuple[Path, ...], int] | None:
    """The checkpoint of the best retrain of what the round promoted, and its generation."""
    mine = [files[t.id] for t in bests if promoted and t.planned.point == promoted.point and t.id in files]
    return (mine[0], promoted.generation) if promoted and mine else None
