"""A round as an MLflow run: tags, artifacts, the report and the record."""

import json
from collections.abc import Iterable, Mapping, Sequence
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
    checkpoints: Mapping[str, Sequence[Path]] | None = None,
) -> str:
    """The id of the round's MLflow run, with a column for each of the playbook's; a second time changes nothing.

    `folder` is the record's: its files and its `plots/` become artifacts, hidden files never. `config` is the frozen
    configuration. `checkpoints` has the files of the N best by trial id; they go to the trials' own runs.

    Playbook: J13
    """
    client, run_id = handle.client, handle.parent
    now = client.get_run(run_id)
    shown = now.data.tags.get("tunebook.digest")
    files: dict[str, Path | str] = {p.name: p for p in sorted(folder.iterdir())} if folder.is_dir() else {}
    for inner in (folder / name for name in FOLDERS if name in files):
        if inner.is_dir() and not inner.is_symlink():
            files |= {f"{inner.name}/{p.name}": p for p in sorted(inner.iterdir())}
    files["config.json"] = json.dumps(config or _configuration(record), indent=1)
    if record.reproduce.uncommitted_diff:
        files["uncommitted.diff"] = record.reproduce.uncommitted_diff
    send(handle, run_id, files, anew=shown not in (None, record.digest))
    for trial, paths in (checkpoints or {}).items():
        if trial in handle.runs:
            send(handle, handle.runs[trial], {f"checkpoints/{path.name}": path for path in paths})
    if now.info.status != "FINISHED" or shown != record.digest:
        for key, value in _columns(record).items():
            client.set_tag(run_id, key, fitting_text(value))
        client.set_terminated(run_id, "FINISHED")
    return run_id


def send(handle: Handle, run_id: str, files: Mapping[str, Path | str], anew: bool = False) -> None:
    """Puts files and texts under their names among the run's artifacts, those alone that are not there as they are.

    One of another size was cut short by a kill. Links and hidden files are left out, and files that have gone.
    `anew`: whatever is there.
    """
    there: dict[str, int | None] = {}
    for folder in sorted({name.rpartition("/")[0] for name in files}) if not anew else ():
        there |= {f.path: f.file_size for f in handle.client.list_artifacts(run_id, folder or None) if not f.is_dir}
    for name, what in files.items():
        if isinstance(what, str):
            if there.get(name) != len(what.encode()):
                handle.client.log_text(run_id, what, name)
        elif _plain(what) and there.get(name) != what.stat().st_size:
            handle.client.log_artifact(run_id, str(what), name.rpartition("/")[0] or None)


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
    best = best_trial((t for t in record.trials if t.study == study.id and t.purpose != "retrain"), record)
    arm = ", ".join(f"{name}={value}" for name, value in study.scientific.items()) or "one study"
    ended = "nothing complete" if best is None else f"best {best.best_value!r} (trial {best.id}, step {best.best_step})"
    return f"{arm}: {len(study.trials)} trials, {ended}"


def _configuration(record: Record) -> dict[str, Any]:
    whole = record.model_dump(mode="json", by_alias=True)
    return {k: whole[k] for k in ("workload", "seed", "objective", "goal", "roles", "budget", "policy", "reproduce")}


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not path.name.startswith(".")
