"""A small round to inject faults into, MLflow's own server to kill, and what MLflow lacks of what the ledger has."""

import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from flows.prefect.server import free_port
from flows.round import main
from flows.session.projection import projection_of
from tasks.ledger import open_ledger
from tasks.record import Record, TrialRow
from tasks.tracking import Projection, Tracking, server_command

TRAIN = """
import random, time

def train(trial):
    noise = random.Random(trial.seed)
    time.sleep(0.05)
    worth = {"a": 1.0, "b": 0.7}[trial.point["switch"]] + 0.03 * noise.gauss(0, 1)
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        loss = worth + (trial.point["x"] - 0.5) ** 2 + (trial.point["z"] - 0.5) ** 2 + 2.0 ** -(step / 5)
        trial.report(step, loss=loss, train_loss=loss)
    SAVE
"""
FILES = {
    "workload/own.yaml": "_target_: own.train\nobjective: {metric: loss, direction: minimize}\n"
    "baseline: {x: 0.2, z: 0.8, switch: a}\n",
    "space/own.yaml": "x: {low: 0.0, high: 1.0}\nz: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n",
    "goal/own.yaml": "question: Is b better than a?\nkind: improve\nscientific: {switch: [a, b]}\n",
}
TRIALS = 17  # 8 of the search, 3 retrains of each of 3 arms


def write_folder(folder: Path, saves: bool = False) -> Path:
    """A user's folder with the workload, space and goal `own`; `saves`: its trials save a checkpoint (torch: 2 s)."""
    save = 'trial.save(step, {"x": trial.point["x"]})' if saves else "pass"
    for name, text in {**FILES, "own.py": ("import torch\n" if saves else "") + TRAIN.replace("SAVE", save)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(folder: Path, root: Path, *more: str) -> int:
    """The exit code of one round of the folder's question, with its stores under `root`."""
    try:
        return main(command(folder, root, *more))
    finally:
        sys.modules.pop("own", None)  # a command has one folder of the user's; this process sees several
        sys.path[:] = [path for path in sys.path if path != str(folder)]


def command(folder: Path, root: Path, *more: str) -> list[str]:
    """The arguments of that round."""
    return [
        *("--config-dir", str(folder), "workload=own", "space=own", "goal=own", "orchestrate=off"),
        *(
            "budget.trials=4",
            "budget.retrains=3",
            "budget.finalists=1",
            "budget.max_train_steps=60",
            "budget.eval_every_steps=5",
        ),
        *("acknowledge={E7: 'a planted surface'}", f"tracking.root={root}", *more),
    ]


@cache
def reference(base: Path) -> tuple[Path, Path, str]:
    """The folder, a root with one round of it that MLflow never heard of, and that round's digest; made once."""
    folder, root = write_folder(base / "mlflow" / "own"), base / "mlflow" / "without"
    assert run(folder, root, "tracking.enabled=false") == 0
    record = record_in(root)
    assert (record.verdict.outcome, len(record.trials)) == ("promote", TRIALS)
    return folder, root, record.digest


def record_in(root: Path) -> Record:
    """The record of the round that was begun last."""
    with open_ledger(root) as ledger:
        return Record.model_validate_json(str(ledger.record(ledger.rounds()[0].round_id)))


class Server:
    """MLflow's own server over the store of `root`, on one port however often it is killed and started."""

    def __init__(self, root: Path) -> None:
        self._tracking, self.port = Tracking(root=str(root)), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self, wait: bool = True) -> None:
        """Start it, and return when it answers."""
        null = subprocess.DEVNULL
        command = server_command(self._tracking, self.port)
        self._process = subprocess.Popen(command, stdout=null, stderr=null, start_new_session=True)
        deadline = time.monotonic() + 120
        while wait and not self._answers():
            assert time.monotonic() < deadline, "MLflow's server never answered"
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL for the server and its workers."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                return True
        except OSError:
            return False


def snapshot(root: Path) -> dict[str, object]:
    """How much MLflow's store holds: rows by table, and the artifacts with their sizes."""
    tables = ("experiments", "runs", "metrics", "latest_metrics", "params", "tags", "registered_models")
    db = sqlite3.connect(root / "mlflow.db")
    counts: dict[str, object] = {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}
    counts["model_versions"] = db.execute("SELECT count(*) FROM model_versions").fetchone()[0]
    db.close()
    paths = (path for path in sorted((root / "artifacts").rglob("*")) if path.is_file())
    return counts | {str(path.relative_to(root)): path.stat().st_size for path in paths}


def lacks(root: Path, store: Path | None = None) -> list[str]:
    """What the ledger under `root` has and MLflow's store (there too) has not, or otherwise, or more than once."""
    with open_ledger(root) as ledger:
        pictures = [projection_of(ledger, summary.round_id) for summary in ledger.rounds()]
    return picture_lacks(store or root, *pictures)


def picture_lacks(store: Path, *pictures: Projection) -> list[str]:
    """What of the rounds MLflow's store under `store` has not, or otherwise, or more than once."""
    if not (store / "mlflow.db").exists():
        return ["there is no store"]
    db = sqlite3.connect(store / "mlflow.db")
    try:
        return [f"{picture.round_id}: {lack}" for picture in pictures for lack in _lacks(db, picture)]
    finally:
        db.close()


def _lacks(db: sqlite3.Connection, picture: Projection) -> Iterator[str]:
    tagged = "SELECT run_uuid FROM tags WHERE key = 'tunebook.round' AND value = ?"
    rows = db.execute(
        "SELECT coalesce(t.value, ''), r.run_uuid, r.status, r.artifact_uri FROM runs r LEFT JOIN tags t "
        "ON t.run_uuid = r.run_uuid AND t.key = 'tunebook.trial' "
        f"WHERE r.lifecycle_stage = 'active' AND r.run_uuid IN ({tagged})",
        [picture.round_id],
    ).fetchall()
    if sorted(row[0] for row in rows) != sorted(["", *(trial.id for trial, _, _ in picture.trials)]):
        yield f"{len(rows)} runs for {len(picture.trials)} trials and the round"
        return
    runs = {trial: (run, status, Path(uri.removeprefix("file://"))) for trial, run, status, uri in rows}
    for trial, steps, metrics in picture.trials:
        yield from (f"trial {trial.id}: {lack}" for lack in _trial_lacks(db, runs[trial.id][0], trial, steps, metrics))
    run, status, artifacts = runs[""]
    if status != ("RUNNING" if picture.record is None else "FINISHED"):
        yield f"its run is {status}"
    if picture.record is not None:
        for name in ("record.json", "report.html", "curves.parquet"):
            if not _same(artifacts / name, picture.folder / name):
                yield f"its {name} is another"
    for trial_id, files in picture.checkpoints.items():
        yield from (
            f"{f.name} of {trial_id}" for f in files if not _same(runs[trial_id][2] / "checkpoints" / f.name, f)
        )
    if picture.promoted is not None:
        query = "SELECT a.version FROM registered_model_aliases a JOIN model_versions v USING (name, version) "
        if db.execute(f"{query} WHERE alias = 'incumbent' AND run_id = ?", [run]).fetchone() is None:
            yield "the alias incumbent is not at its model"


def _trial_lacks(
    db: sqlite3.Connection, run: str, trial: TrialRow, steps: Iterable[int], metrics: Mapping[str, Iterable[float]]
) -> Iterator[str]:
    there = db.execute("SELECT key, step, value FROM metrics WHERE run_uuid = ?", [run]).fetchall()
    wanted = [(k, s, v) for k, values in metrics.items() for s, v in zip(steps, values, strict=True)]
    if sorted(map(_bits, there)) != sorted(map(_bits, wanted)):
        yield f"{len(there)} points, not the {len(wanted)} of the ledger to the last bit"
    params = dict(db.execute("SELECT key, value FROM params WHERE run_uuid = ?", [run]).fetchall())
    if params != {k: str(v) for k, v in {**trial.point, "seed": trial.seed}.items()}:
        yield "its parameters are others"
    (status,) = db.execute("SELECT status FROM runs WHERE run_uuid = ?", [run]).fetchone()
    if status != {"complete": "FINISHED", "infeasible": "KILLED", "failed": "FAILED"}[trial.status]:
        yield f"it is {status}"


def _bits(point: tuple[str, int, float]) -> tuple[str, int, bytes]:
    return point[0], point[1], struct.pack("<d", point[2])


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()


def changed(root: Path, digest: str) -> list[str]:
    """What is not as it would be had MLflow never existed: `digest` is of such a round."""
    record = record_in(root)
    with open_ledger(root) as ledger:
        attempts = ledger.attempts(record.round_id)
    found = [] if record.digest == digest else ["another digest"]
    found += [f"trial {t.id} {t.status}: {t.reason}" for t in record.trials if t.status != "complete"]
    return found + [f"trial {trial} had {n} attempts" for trial, n in attempts.items() if n != 1]


def misread(said: str, root: Path) -> list[str]:
    """What is not as promised with what the user reads: one warning, beside that of so few trials (C4)."""
    shared = "another ledger"  # promoted in one of the other stores: the rounds of these tests share one folder
    lines = [line for line in said.splitlines() if line.strip() and shared not in line and "warning C4: " not in line]
    good = len(lines) == 1 and lines[0].startswith("warning: MLflow at http://")
    good = good and f"python -m flows.sync tracking.root={root}" in lines[0]
    return [] if good else [f"the user reads {lines}"]
