"""What was promoted is shown in values, and the lines that are printed to load its checkpoint run as they are."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from flows.history import main as history
from flows.round import main
from tasks.record import Record
from tasks.verdict import PromotedRow
from tests.flows.own_round import TRAIN, arguments, record_in

pytestmark = pytest.mark.usefixtures("undrawn")

SAVING = "if step % 50 == 0: trial.save(step, {'weight': torch.full((2,), loss), 'bias': torch.zeros(1)})"
SCRIPT = """
import json, os, random, sys
said = dict(zip(sys.argv[1::2], sys.argv[2::2]))
noise = random.Random(int(said["--seed"])).gauss(0, 1)
loss = {"a": 1.0, "b": 0.7}[said["--switch"]] + (float(said["--x"]) - 0.5) ** 2 + 0.03 * noise
with open(os.environ["TUNEBOOK_METRICS"], "a") as file:
    for step in range(5, 101, 5):
        file.write(json.dumps({"step": step, "loss": loss + 2.0 ** -(step / 10)}) + chr(10))
with open(os.path.join(os.environ["TUNEBOOK_CHECKPOINTS"], "best.json"), "w") as file:
    json.dump({"loss": loss}, file)
"""
COMMAND = """
_target_: tasks.trials.command
argv: [python, own.py, --x, "{x}", --switch, "{switch}", --seed, "{seed}"]
objective: {metric: loss, direction: minimize}
baseline: {x: 0.2, z: 0.8, switch: a}
"""
FAULTS = "{E2: small, E3: small, E5: small, E7: small, E10: small, F2: small, F10: small}"
DIGITS = (
    *("workload=digits", "goal=dropout", "budget=quick", "budget.trials=4", "budget.retrains=3", "budget.finalists=1"),
    *("budget.max_train_steps=60", "budget.eval_every_steps=20", "workload.baseline.nesterov.learning_rate=0.0001"),
    *("orchestrate=off", "tracking.enabled=false", f"acknowledge={FAULTS}"),
)


def promoted_by(folder: Path) -> tuple[Record, PromotedRow]:
    """The record of the round that the store beside the folder has, and what it promoted."""
    record = record_in(folder, "store")
    assert record.promoted is not None, record.verdict
    assert record.promoted.point == (record.verdict.candidate and record.verdict.candidate.point)
    return record, record.promoted


def shown(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert history(["show", "incumbent", *words, f"tracking.root={folder.parent / 'store'}"]) == 0
    return capsys.readouterr().out


def loaded(said: str, wanted: str) -> Any:
    """What an interpreter of its own has of the `wanted` expression after the three printed lines of Python."""
    lines = [line.strip() for line in said.splitlines() if line.startswith("    ")]
    assert len(lines) == 3
    code = "\n".join([*lines, "import json", f"print(json.dumps({wanted}))"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.prose
def test_a_training_function_that_saves_has_its_values_and_its_best_retrain_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = TRAIN.replace("return 0.05", "return 0.0").replace("import random, time", "import random, time, torch")
    (folder / "own.py").write_text(code.replace("train_loss=loss)", f"train_loss=loss)\n        {SAVING}"))
    assert main(arguments(folder, "store")) == 0
    record, promoted = promoted_by(folder)
    said = shown(folder, capsys, "own")
    assert "switch" in said and "was a" in said  # noqa: PT018 - one line of the table
    checkpoint = promoted.checkpoint
    assert checkpoint is not None
    retrains = [t for t in record.trials if t.purpose == "retrain" and t.point == promoted.point]
    best = min(retrains, key=lambda t: t.best_value or 0.0)
    assert (checkpoint.trial, checkpoint.step, checkpoint.value) == (best.id, best.best_step, best.best_value)
    assert f"of the best of {len(retrains)} fresh retrains ({best.id})" in said
    assert loaded(said, "state['weight'].tolist()") == pytest.approx([best.best_value] * 2)
    tree = json.loads(shown(folder, capsys, "own", "format=json"))
    assert tree == yaml.safe_load(shown(folder, capsys, "own", "format=yaml"))
    assert (tree["point"], tree["checkpoint"]["there"]) == (promoted.point, True)
    assert tree["was"] == {n: v for n, v in record.verdict.incumbent.point.items() if promoted.point[n] != v}
    words = shlex.split(shown(folder, capsys, "own", "format=argv"))
    assert dict(zip(words[::2], words[1::2], strict=True)) == {f"--{n}": str(v) for n, v in promoted.point.items()}
    Path(tree["checkpoint"]["file"]).unlink()
    assert "which has gone" in shown(folder, capsys)


def test_of_the_shipped_digits_the_weights_are_loaded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DIGITS, f"tracking.root={folder.parent / 'store'}"]) == 0
    _, promoted = promoted_by(folder)
    assert loaded(shown(folder, capsys), "state['0.weight'].shape") == [promoted.point["width"], 64]


@pytest.mark.prose
def test_a_program_is_shown_as_the_command_line_that_starts_it_and_the_file_that_it_wrote(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "own.py").write_text(SCRIPT)
    (folder / "workload/own.yaml").write_text(COMMAND)
    assert main(arguments(folder, "store", "~space.z", "~workload.baseline.z")) == 0
    record, promoted = promoted_by(folder)
    said = shown(folder, capsys)
    assert "The file that the program wrote last" in said
    assert json.loads(loaded(said, "data.decode()"))["loss"] > 0
    assert promoted.checkpoint is not None
    seed = next(t.seed for t in record.trials if t.id == promoted.checkpoint.trial) % 2**31
    words = shlex.split(shown(folder, capsys, "format=argv"))
    point = promoted.point
    assert words == [
        *(sys.executable, str(folder / "own.py")),
        *("--x", str(point["x"]), "--switch", str(point["switch"]), "--seed", str(seed)),
    ]


@pytest.mark.prose
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nobody"], "nothing was promoted yet of workload 'nobody'"),
        (["format=xml"], "format: 'xml' is unknown; allowed are yaml, json, argv"),
        (["own", "other"], "'other' cannot be said of an incumbent"),
        (["seed=1"], "'seed' cannot be said of an incumbent"),
        ([], "several workloads have an incumbent: one, other; name one of them"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.ledger import open_ledger

    with open_ledger(tmp_path) as ledger:
        for workload in ("one", "other"):
            ledger.adopt(workload, 1, {"x": 1.0}, "by hand", {})
    assert history(["show", "incumbent", *words, f"tracking.root={tmp_path}"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert sentence in said.err
    assert said.err.count("\n") == 1


@pytest.mark.prose
def test_what_was_adopted_from_a_file_has_values_and_no_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.ledger import open_ledger

    with open_ledger(tmp_path) as ledger:
        ledger.adopt("one", 1, {"rate": 1e-5}, "by hand", {"budget.max_train_steps": 50})
    assert history(["show", "incumbent", "one", f"tracking.root={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert "(by hand)" in said
    assert "no round of this ledger promoted it" in said
    assert history(["show", "incumbent", "one", "format=yaml", f"tracking.root={tmp_path}"]) == 0
    tree = yaml.safe_load(capsys.readouterr().out)
    assert (tree["point"], tree["settings"]) == ({"rate": 1e-5}, {"budget.max_train_steps": 50})
