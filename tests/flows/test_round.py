"""A whole round: equal digests whatever the workers and interruptions, and work that is never done twice."""

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.config import CONF
from flows.history import main as history
from flows.round import HINT, explained, main
from tasks.ledger import Ledger, LedgerError, open_ledger
from tasks.promote.gate import Decision
from tasks.promote.retrains import Arm
from tasks.record import Point, Record, digest
from tasks.scope.error import InputError

REPOSITORY = CONF.parent

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


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    files = {
        "workload/own.yaml": WORKLOAD,
        "space/own.yaml": "x: {low: 0.0, high: 1.0}\nz: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n",
        "goal/own.yaml": "question: Is b better than a?\nkind: improve\nscientific: {switch: [a, b]}\n",
        "own.py": TRAIN,
    }
    for name, text in files.items():
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield tmp_path / "own"
    sys.modules.pop("own", None)  # a command has one folder of the user's; this process sees several
    sys.path[:] = [p for p in sys.path if p != str(tmp_path / "own")]


def arguments(folder: Path, store: str, *more: str) -> list[str]:
    return [
        *("--config-dir", str(folder), "workload=own", "space=own", "goal=own", "orchestrate=off"),
        *("budget.max_train_steps=100", "budget.eval_every_steps=5", "tracking.enabled=false"),
        *(f"tracking.root={folder.parent / store}", *more),
    ]


def record_in(folder: Path, store: str) -> Record:
    """The only record of a store."""
    (path,) = (folder.parent / store / "records").glob("*/record.json")
    return Record.model_validate_json(path.read_text())


@pytest.mark.playbook("B1", "G9", case="shows")
def test_a_round_promotes_the_better_arm_and_leaves_record_report_and_incumbent(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, "store")) == 0
    record = record_in(folder, "store")
    assert record.verdict.outcome == "promote"
    assert (record.answer.value, record.answer.against, record.answer.conclusive) == ("b", "a", True)
    assert record.answer.gain == pytest.approx(0.3, abs=0.1)
    assert digest(record) == record.digest
    said = capsys.readouterr().out
    assert "promote" in said
    assert "report.html" in said.splitlines()[-2]
    promoted = (folder.parent / "store" / "incumbent" / "own.yaml").read_text()
    assert "generation: 1" in promoted
    assert "switch: b" in promoted
    assert (folder.parent / "store" / "records" / record.round_id / "report.html").stat().st_size > 10_000


def test_one_and_two_workers_give_equal_digests(folder: Path) -> None:
    for workers in (1, 2):
        assert main(arguments(folder, f"store{workers}", f"runner.workers={workers}")) == 0
    one, two = record_in(folder, "store1"), record_in(folder, "store2")
    assert one.digest == two.digest
    assert one.trials != two.trials or one.round_id != two.round_id


def test_another_seed_gives_another_digest(folder: Path) -> None:
    for seed in (0, 1):
        assert main(arguments(folder, f"store{seed}", f"seed={seed}")) == 0
    assert record_in(folder, "store0").digest != record_in(folder, "store1").digest


def killed_when(folder: Path, store: str, done: int) -> None:
    """Start a round as a program of its own and `kill -9` it as soon as `done` trials are in the ledger."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.round", *arguments(folder, store)],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            if _done(folder.parent / store) >= done:
                break
            time.sleep(0.02)
        else:
            raise AssertionError("the round never got that far")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if process.stderr:
            process.stderr.close()


def _done(store: Path) -> int:
    if not (store / "ledger.db").exists():
        return 0
    with open_ledger(store) as ledger:
        rounds = ledger.rounds()
        return len(ledger.results(rounds[0].round_id)) if rounds else 0


@pytest.mark.playbook("J12", case="shows")
def test_a_round_that_was_killed_goes_on_to_the_same_digest_and_runs_nothing_twice(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, "whole")) == 0
    killed_when(folder, "cut", 17)
    before = _done(folder.parent / "cut")
    killed_when(folder, "cut", before + 8)
    assert main(arguments(folder, "cut")) == 0
    whole, cut = record_in(folder, "whole"), record_in(folder, "cut")
    assert cut.digest == whole.digest
    with open_ledger(folder.parent / "cut") as ledger:
        assert len(ledger.rounds()) == 1
        results = ledger.results(cut.round_id)
    assert set(results) == {t.id for t in cut.trials}
    finished_before = before
    assert finished_before >= 17


def test_the_history_names_the_command_that_goes_on_with_a_round(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_when(folder, "cut", 3)
    with open_ledger(folder.parent / "cut") as ledger:
        (begun,) = ledger.rounds()
    capsys.readouterr()
    assert history(["show", begun.round_id, f"tracking.root={folder.parent / 'cut'}"]) == 0
    command = shlex.split(capsys.readouterr().out.rpartition("go on with it: ")[2])
    assert command[:3] == ["python", "-m", "flows.round"]
    assert main(command[3:]) == 0
    assert record_in(folder, "cut").round_id == begun.round_id


@pytest.mark.playbook("G9", case="silent")
@pytest.mark.parametrize("cut", ["gated again", "promoted"])
def test_a_round_whose_incumbent_moved_comes_to_the_same_verdict_when_it_is_cut_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    promote = Ledger.promote
    other: Point = {"x": 0.9, "z": 0.1, "switch": "a"}
    asked: list[int] = []
    cuts = [cut]

    def moving(ledger: Ledger, workload: str, expected: int, point: Point, round_id: str, *more: Any) -> bool:
        if expected == 0:  # another round promotes just before this one
            assert promote(ledger, workload, 0, other, "rival", *more)
        elif cuts == ["gated again"]:
            raise RuntimeError(cuts.pop())
        taken = promote(ledger, workload, expected, point, round_id, *more)
        if taken and cuts:  # and another one before it is gone on with
            assert promote(ledger, workload, expected + 1, other, "third", *more)
            raise RuntimeError(cuts.pop())
        return taken

    def ask(winner: Arm, decision: Decision) -> str:
        asked.append(1)
        return ""

    monkeypatch.setattr(Ledger, "promote", moving)
    monkeypatch.setattr("flows.round.approval", lambda config: ask)
    assert main(arguments(folder, "cut")) == 1
    assert main(arguments(folder, "cut")) == 0
    assert len(asked) == (2 if cut == "promoted" else 3)  # once for each incumbent, and for what was not yet taken
    assert main(arguments(folder, "whole")) == 0
    whole, gone_on = record_in(folder, "whole"), record_in(folder, "cut")
    assert (whole.verdict.outcome, whole.verdict.incumbent.generation) == ("promote", 1)
    assert gone_on.digest == whole.digest
    assert {t.id for t in gone_on.trials} == {t.id for t in whole.trials}


def test_a_round_never_goes_on_with_other_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed_when(folder, "cut", 5)
    with open_ledger(folder.parent / "cut") as ledger:
        (begun,) = ledger.rounds()
    (folder / "own.py").write_text(TRAIN.replace('"b": 0.7', '"b": 0.9'))
    assert main(arguments(folder, "cut", f"resume={begun.round_id}")) == 2
    assert "the code differs" in capsys.readouterr().err
    assert main(arguments(folder, "cut")) == 0
    record = record_in(folder, "cut")
    assert record.round_id != begun.round_id
    assert record.answer.gain == pytest.approx(0.1, abs=0.05)


def test_a_metric_that_is_never_reported_stops_the_round_at_the_first_evaluation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, "store", "workload.objective.metric=accuracy")) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "accuracy" in said
    assert "loss" in said
    assert "train_loss" in said
    assert _done(folder.parent / "store") == 0


def test_a_finished_round_is_not_gone_on_with(folder: Path) -> None:
    for _ in range(2):
        assert main(arguments(folder, "store")) == 0
    paths = list((folder.parent / "store" / "records").glob("*/record.json"))
    assert len(paths) == 2
    generations = sorted(json.loads(p.read_text())["verdict"]["incumbent"]["generation"] for p in paths)
    assert generations == [0, 1]


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("seed: -1 will not do."), 2, "error: seed: -1 will not do."),
        (LedgerError("there is no round x"), 2, "error: there is no round x"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/data/x"),
            1,
            f"error: no space left on the device; free some; {HINT}",
        ),
        (LedgerError("database or disk is full"), 1, f"error: no space left on the device; free some; {HINT}"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x"),
            1,
            f"error: [Errno 13] Permission denied: '/x'; {HINT}",
        ),
        (
            RuntimeError("the process that forks trials died"),
            1,
            f"error: the process that forks trials died; {HINT}",
        ),
    ],
)
def test_what_ends_a_round_is_one_sentence_and_an_exit_code(error: Exception, code: int, sentence: str) -> None:
    assert explained(error) == (code, sentence)


def test_a_mistake_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(KeyError) as caught:
        explained(KeyError("x"))
    assert caught.value.__notes__ == [f"this is a mistake of tunebook; {HINT}"]
