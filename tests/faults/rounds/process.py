"""A round of a user's own program, run as the command that a person types, to be stopped, killed and gone on with."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from flows.compose.config import CONF
from tasks.ledger import open_ledger
from tasks.record import Record

# A walk of 20 steps that cannot be gone on with without its state; every step that is done leaves a line.
TRAIN = """
import random, time, torch  # what saving needs: imported here, the children have it from the process that forks them
from pathlib import Path

def train(trial):
    step, state = trial.resume()
    place = state["place"] if state else {"a": 1.0, "b": 0.6}[trial.point["switch"]]
    done = Path("done.txt")
    while step < trial.max_train_steps:
        step += 1
        place += 0.01 * random.Random(f"{trial.seed} {step}").gauss(0, 1)
        with done.open("a") as lines:
            lines.write(f"{step}\\n")
        time.sleep(0.005)
        if step % trial.eval_every_steps == 0:
            trial.report(step, loss=place + 0.1 * (trial.point["x"] - 0.5) ** 2 + 2.0 ** -step)
        if trial.stopping or step % 10 == 0:
            trial.save(step, {"place": place})
"""
FILES = {
    "workload/own.yaml": (
        "_target_: own.train\nobjective: {metric: loss, direction: minimize}\nbaseline: {x: 0.2, switch: a}\n"
    ),
    "space/own.yaml": "x: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n",
    "goal/own.yaml": "question: Is b better than a?\nkind: improve\nscientific: {switch: [a, b]}\n",
    "own.py": TRAIN,
}
STEPS = 20


def write_folder(folder: Path) -> Path:
    """The folder of the user's program, its workload, space and goal."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def overrides(store: Path, *more: str) -> list[str]:
    """What a person says; `store` is where ledger and records go."""
    return [
        *(
            "workload=own",
            "space=own",
            "goal=own",
            "budget.trials=4",
            "budget.retrains=3",
            "budget.finalists=1",
            "acknowledge={E7: toy}",
        ),
        *(f"budget.max_train_steps={STEPS}", "budget.eval_every_steps=5", "runner.workers=2"),
        *("tracking.enabled=false", f"tracking.root={store}", *more),
    ]


def start(folder: Path, store: Path, *more: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """The command, running, alone in its session, without this process's settings of Prefect."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    return subprocess.Popen(
        [sys.executable, "-m", "flows.round", "--config-dir", str(folder), *overrides(store, *more)],
        cwd=CONF.parent,
        env=kept | dict(env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@cache
def whole() -> Record:
    """The record of the round that nothing disturbs."""
    with tempfile.TemporaryDirectory() as place:
        process = start(write_folder(Path(place) / "own"), Path(place) / "store", "orchestrate=off")
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return record_of(Path(place) / "store")


def trials_done(store: Path) -> int:
    """How many trials the ledger of the only round of a store has results of; 0 before there is one."""
    if not (store / "ledger.db").exists():
        return 0
    with open_ledger(store) as ledger:
        rounds = ledger.rounds()
        return len(ledger.results(rounds[0].round_id)) if rounds else 0


def wait_for_trials(process: subprocess.Popen[str], store: Path, wanted: int, seconds: float = 240) -> None:
    """Return as soon as the ledger has `wanted` results, or the process has ended."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and trials_done(store) < wanted:
        assert time.monotonic() < deadline, f"{wanted} trials were not done within {seconds} s"
        time.sleep(0.02)


def record_of(store: Path) -> Record:
    """The only record of a store."""
    (path,) = (store / "records").glob("*/record.json")
    return Record.model_validate_json(path.read_text())


def attempts_of(store: Path) -> dict[str, int]:
    """How often each trial was begun."""
    with sqlite3.connect(store / "ledger.db") as db:
        return dict(db.execute("select trial_id, count(*) from attempts group by trial_id"))


def steps_done(store: Path) -> dict[str, list[int]]:
    """The steps that each trial did, in order, over all its attempts."""
    files = (store / "records").glob("*/trials/*/work/done.txt")
    return {path.parts[-3]: [int(line) for line in path.read_text().split()] for path in files}


def left_in(folder: Path) -> list[str]:
    """The processes that are at work in `folder` or were started with its name."""
    found = []
    for pid in (p for p in Path("/proc").iterdir() if p.name.isdigit() and int(p.name) != os.getpid()):
        try:
            line = (pid / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            here = os.readlink(pid / "cwd")
        except OSError:
            continue
        if str(folder) in line or here.startswith(str(folder)):
            found.append(f"{pid.name}: {line[:200]} in {here}")
    return found
