"""The reference round: a small one from scope to promotion, of a user's own program, as a command that can be killed.

Its trials cannot be gone on with without their state, and every step that is done leaves a line, so work that was
lost or done twice is seen.
"""

import json
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.faults.kill.events import Events
from tests.processes.forked import Forked, put, start_servers_by
from tests.processes.lanes import Call

STEPS, EVERY, SAVED = 12, 2, 4  # steps of a trial, between evaluations, between checkpoints
TRAIN = """
import os, random, time
from pathlib import Path

def train(trial):
    order = random.Random(f"{os.environ.get('ORDER', '')} {trial.seed} {sorted(trial.point.items())}")
    rest = float(os.environ.get("REST", "0")) * (0.5 + order.random())
    step, state = trial.resume()
    place = state["place"] if state else {"a": 1.0, "b": 0.6}[trial.point["switch"]]
    while step < trial.max_train_steps:
        step += 1
        time.sleep(rest)
        place += 0.01 * random.Random(f"{trial.seed} {step}").gauss(0, 1)
        with Path("done.txt").open("a") as lines:
            lines.write(f"{step}\\n")
        if step % trial.eval_every_steps == 0:
            trial.report(step, loss=SIGN * (place + (trial.point["x"] - 0.5) ** 2 + 2.0 ** -step))
        if step % 4 == 0:
            trial.save(step, {"place": place})

def diverges(trial):
    for step, loss in ((2, 0.5), (4, float("nan")), (6, 0.1)):
        trial.report(step, loss=loss)
"""
FILES = {
    "workload/own.yaml": (
        "_target_: own.train\nobjective: {metric: loss, direction: DIRECTION}\nbaseline: {x: 0.2, switch: a}\n"
    ),
    "space/own.yaml": "x: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n",
    "goal/own.yaml": "question: Is b better than a?\nkind: improve\nscientific: {switch: [a, b]}\n",
    # of another working folder: each store shows what it promotes under its own root
    "incumbent/own.yaml": "generation: 1\nledger: elsewhere\nsource: round r\npoint: {x: 0.9, switch: a}\n",
    "own.py": TRAIN,
}


def write_folder(folder: Path, direction: str = "minimize") -> Path:
    """The folder of the user's program; with `maximize` it reports the same numbers, negated."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(filled(text, direction))
    return folder


def filled(text: str, direction: str = "minimize") -> str:
    """A file of the folder as it is written there."""
    return text.replace("DIRECTION", direction).replace("SIGN", "1" if direction == "minimize" else "-1")


def words(folder: Path, store: Path, *more: str) -> list[str]:
    """What a person types after `python -m flows.round`."""
    return [
        *("--config-dir", str(folder), "workload=own", "space=own", "goal=own", "orchestrate=off"),
        *(
            "budget.trials=3",
            "budget.retrains=2",
            "budget.finalists=1",
            "acknowledge={E7: 'the question is small', B2: 'a mirror'}",
        ),
        *(f"budget.max_train_steps={STEPS}", f"budget.eval_every_steps={EVERY}", "runner.workers=1"),
        *("runner.environment=[REST,ORDER]", "tracking.enabled=false", f"tracking.root={store}", *more),
    ]


def call(
    folder: Path, store: Path, out: str, *more: str, environment: Mapping[str, str] | None = None, **how: Any
) -> Call:
    """The command as a lane takes it; what it prints is the file `out` beside the store. `how`: see `command`."""
    return Call(
        function="tests.faults.kill.reference_round:command",
        arguments=how | {"said": words(folder, store, *more), "root": str(store)},
        out=store.with_name(out),
        environment=environment,
    )


def command(
    said: Sequence[str],
    root: str,
    kill_at: int | None = None,
    delay: float = 0.0,
    events: str | None = None,
    mutant: str | None = None,
    drawn: bool = False,
    real: bool = False,
    unfinished: bool = False,
) -> int:
    """The exit code of the command, run in this process, which is killed at event `kill_at` (or `delay` s later).

    `events`: the file that gets the names of all events. `mutant`: see `mutants`. Unless `drawn`, the report has no
    pictures, which take a second and write nothing; unless `real`, the fork server is a fork of this process.
    `unfinished`: nothing is done where the ledger's only round has ended, since the command would begin another.
    """
    import flows.round
    from tasks.report import write as reporting

    if unfinished and states(Path(root)) == ["finished"]:
        return 0
    if mutant:
        from tests.faults.kill.mutants import MUTANTS

        MUTANTS[mutant]()
    watched = Events(Path(root), kill_at, delay)
    if not drawn:
        put(reporting, page=lambda record, curves, folder: f"{record.digest} {sorted(curves)}")
    start_servers_by(watched.before("the fork server is started", subprocess.Popen if real else Forked))
    watched.watch()
    code = flows.round.main(said)
    if events:
        Path(events).write_text(json.dumps(watched.names))
    return code


def states(store: Path) -> list[str]:
    """The states of the store's rounds, read past the ledger's own code."""
    if not (store / "ledger.db").exists():
        return []
    with closing(sqlite3.connect(store / "ledger.db")) as db:
        there = db.execute("select 1 from sqlite_master where name = 'rounds'").fetchone()
        return [state for (state,) in db.execute("select state from rounds")] if there else []


def compose_once() -> None:
    """What Hydra makes of a command is kept, for the processes that are forked from this one: its files stay."""
    from hydra import compose as real

    from flows.compose import compose

    kept: dict[str, Any] = {}

    def composed(*values: Any, **named: Any) -> Any:
        key = json.dumps([values, named])
        if key not in kept:
            kept[key] = real(*values, **named)
        return kept[key]

    put(compose, hydra_compose=composed)


def compose_now(said: Sequence[str]) -> None:
    """Compose a command, so that those of the processes that are forked from this one cost nothing."""
    from flows.compose import compose

    compose.from_shell(said)
