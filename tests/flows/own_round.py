"""A user's folder with a workload of two arms, of which b is better, and rounds of it."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from tasks.ledger import open_ledger
from tasks.record import Record
from tests.processes.warm import Warm

KilledWhen = Callable[[Path, str, int], None]

TRAIN = """
import random, time

def train(trial):
    noise = random.Random(trial.seed)
    if trial.point["switch"] == "broken":
        raise RuntimeError("this arm is broken")
    time.sleep(trial_seconds())
    worth = {"a": 1.0, "b": 0.7}[trial.point["switch"]] + 0.03 * noise.gauss(0, 1)
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        loss = worth + (trial.point["x"] - 0.5) ** 2 + (trial.point["z"] - 0.5) ** 2 + 2.0 ** -(step / 10)
        trial.report(step, loss=loss, train_loss=loss)

def trial_seconds():
    import os
    return 0.05
"""
WORKLOAD = """
_target_: own.train
objective: {metric: loss, direction: minimize}
baseline: {x: 0.2, z: 0.8, switch: a}
"""


def write_folder(own: Path) -> Path:
    """The folder."""
    files = {
        "workload/own.yaml": WORKLOAD,
        "space/own.yaml": "x: {low: 0.0, high: 1.0}\nz: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n",
        "goal/own.yaml": "question: Is b better than a?\nkind: improve\nscientific: {switch: [a, b]}\n",
        "own.py": TRAIN,
    }
    for name, text in files.items():
        path = own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return own


def arguments(folder: Path, store: str, *more: str) -> list[str]:
    """The command of a round in a store beside the folder."""
    return [
        *("--config-dir", str(folder), "workload=own", "space=own", "goal=own", "orchestrate=off"),
        *("budget.max_train_steps=100", "budget.eval_every_steps=5", "budget.finalists=1", "tracking.enabled=false"),
        *(f"tracking.root={folder.parent / store}", *more),
    ]


def record_in(folder: Path, store: str) -> Record:
    """The only record of a store."""
    (path,) = (folder.parent / store / "records").glob("*/record.json")
    return Record.model_validate_json(path.read_text())


def records(folder: Path, store: str) -> list[Record]:
    """All records of a store, in the order in which the rounds began."""
    paths = (folder.parent / store / "records").glob("*/record.json")
    return sorted((Record.model_validate_json(p.read_text()) for p in paths), key=lambda r: r.created)


def killed_when(warm: Warm, folder: Path, store: str, done: int) -> None:
    """Start a round as a process of its own and `kill -9` it as soon as `done` trials are in the ledger."""
    said = {"words": arguments(folder, store)}
    process = warm.start("tests.processes.forked:run_round", said, environment=os.environ, printed=True)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert process.poll() is None, process.said
            if done_in(folder.parent / store) >= done:
                break
            time.sleep(0.02)
        else:
            raise AssertionError("the round never got that far")
    finally:
        process.kill()
        process.wait()


def done_in(store: Path) -> int:
    """How many trials the only round of a store has results of."""
    if not (store / "ledger.db").exists():
        return 0
    with open_ledger(store) as ledger:
        rounds = ledger.rounds()
        return len(ledger.results(rounds[0].round_id)) if rounds else 0
