"""A round as an MLflow run: the playbook's spreadsheet columns as tags, the report and the record as artifacts."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tasks.record import Record, StudyRow, TrialRow
from tasks.tracking.names import fitting_text
from tasks.tracking.store import Handle

FOLDERS = ("plots",)  # beside the files of the record's folder itself


def project_round(
    handle: Handle,
    record: Record,
    folder: Path,
    *,
    config: Mapping[str, Any] | None = None,
    checkpoints: Mapping[str, Path] | None = None,
) -> str:
    """The id of the round's MLflow run, with a column for each of the playbook's; a second time changes nothing.

    `folder` is the record's: its files and its `plots/` become artifacts, hidden files never. `config` is the frozen
    configuration. `checkpoints` has the folders of the N best by trial id; they go to the trials' own runs.

    Playbook: J13
    """
    client, run_id = handle.client, handle.parent
    now = client.get_run(run_id)
    if now.info.status == "FINISHED" and now.data.tags.get("tunebook.digest") == record.digest:
        return run_id
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _plain(path):
            client.log_artifact(run_id, str(path))
        elif path.name in FOLDERS and path.is_dir():
            send_folder(handle, run_id, path, path.name)
    client.log_text(run_id, json.dumps(config or _configuration(record), indent=1), "config.json")
    if record.reproduce.uncommitted_diff:
        client.log_text(run_id, record.reproduce.uncommitted_diff, "uncommitted.diff")
    for trial, path in (checkpoints or {}).items():
        if trial in handle.runs:
            send_folder(handle, handle.runs[trial], path, "checkpoints")
    for key, value in _columns(record).items():
        client.set_tag(run_id, key, fitting_text(value))
    client.set_terminated(run_id, "FINISHED")
    return run_id


def send_folder(handle: Handle, run_id: str, folder: Path, name: str) -> None:
    """Puts the plain files of a folder under `name` among the run's artifacts; links are not followed."""
    for path in sorted(folder.rglob("*")):
        if _plain(path) and not any(p.is_symlink() for p in path.parents if folder in p.parents):
            inner = path.parent.relative_to(folder).as_posix()
            handle.client.log_artifact(run_id, str(path), name if inner == "." else f"{name}/{inner}")


def best_trial(trials: Iterable[TrialRow], record: Record) -> TrialRow | None:
    """The complete trial with the best value over training (E12); None where there is none."""
    feasible = [t for t in trials if t.status == "complete" and t.best_value is not None]
    sign = 1.0 if record.objective.direction == "minimize" else -1.0
    return min(feasible, key=lambda t: (sign * (t.best_value or 0.0), t.id), default=None)


def _columns(record: Record) -> dict[str, str]:
    best, verdict = best_trial(record.trials, record), record.verdict
    said = {
        "name": record.goal.question,
        "config": "config.json",
        "mlflow.note.content": record.notes,
        "notes": record.notes,
        "number of trials": str(len(record.trials)),
        "best value": "" if best is None else f"{best.best_value!r}",
        "best checkpoint": "" if best is None else f"trial {best.id}, step {best.best_step}",
        **{f"study {s.id}": _study_line(s, record) for s in record.studies},
        "reproduce": record.reproduce.command,
        "uncommitted": "uncommitted.diff" if record.reproduce.uncommitted_diff else "nothing",
        "commit": record.reproduce.git_commit or "",
        "objective": f"{record.objective.direction} {record.objective.metric}",
        "verdict": verdict.outcome,
        "gain": "" if verdict.gain is None else f"{verdict.gain!r}",
        "next": record.next.command,
        "tunebook.fingerprint": record.reproduce.fingerprint,
        "tunebook.digest": record.digest,
    }
    return {key: value for key, value in said.items() if value}


def _study_line(study: StudyRow, record: Record) -> str:
    best = best_trial((t for t in record.trials if t.study == study.id and t.purpose == "search"), record)
    arm = ", ".join(f"{name}={value}" for name, value in study.scientific.items()) or "one study"
    ended = "nothing complete" if best is None else f"best {best.best_value!r} (trial {best.id}, step {best.best_step})"
    return f"{arm}: {len(study.trials)} trials, {ended}"


def _configuration(record: Record) -> dict[str, Any]:
    whole = record.model_dump(mode="json", by_alias=True)
    return {k: whole[k] for k in ("workload", "seed", "objective", "goal", "roles", "budget", "policy", "reproduce")}


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not path.name.startswith(".")
