"""The projects of README run: their files are written, their changes made, their commands run, section by section."""

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]
import pytest

from flows.compose.called import CONSOLE
from tasks.record import Record
from tests.docs.blocks import Block, blocks, blocks_of
from tests.docs.commands import commands_of
from tests.docs.project import by_section, changed, composed, ran, written, yamls
from tests.docs.scripts import scripted, small
from tests.docs.shown import FOLDER, stored
from tests.flows.audit.studies import logged_to_mlflow, loss, made_by_optuna
from tests.processes.warm import Warm

EVERY = blocks()
SCRIPTS = [block for block in EVERY if block.kind == "script"]
TWICE = [block for i, block in enumerate(SCRIPTS) if block.text in {other.text for other in SCRIPTS[:i]}]
SECTIONS = by_section(EVERY)
TOLD = [key for key, own in SECTIONS.items() if {"file", "change", "script", "commands"} & {b.kind for b in own}]


def optuna_study(folder: Path) -> None:
    """`study.db`, as `optuna:sqlite:///study.db study=mlp` reads it."""
    made_by_optuna(folder / "study.db", trials=20)


def mlflow_runs(folder: Path) -> None:
    """`mlflow.db`, with an experiment called sweep."""
    logged_to_mlflow(folder / "mlflow.db")


def table_with_curves(folder: Path) -> None:
    """`trials.csv` and `curves.csv`, of two optimizers."""
    draw = random.Random(0)
    trials = [(i, ("sgd", "adam")[i % 2], 10 ** draw.uniform(-4, -1)) for i in range(24)]
    columns = ["trial", "optimizer", "learning_rate", "valid_error"]
    pd.DataFrame([(*t, loss(t[2], 3e-3)) for t in trials], columns=columns).to_csv(folder / "trials.csv", index=False)
    rows = [(i, step, loss(rate, 3e-3) + 1 / step) for i, _, rate in trials for step in (10, 20, 40, 1000)]
    pd.DataFrame(rows, columns=["trial", "step", "valid_error"]).to_csv(folder / "curves.csv", index=False)


THERE: dict[str, Callable[[Path], None]] = {  # what a reader has already, by the word of a command that names it
    "optuna:sqlite:///study.db": optuna_study,
    "mlflow:sqlite:///mlflow.db": mlflow_runs,
    "trials.csv": table_with_curves,
}


def followed(own: list[Block], folder: Path, warm: Warm) -> None:
    """The section as its reader follows it, in this folder; commands and trials must end well."""
    for block in own:
        if block.kind == "file":
            written(block, folder)
        elif block.kind == "change":
            changed(block, folder)
        elif block.kind == "script":
            *_, last = stored()["outputs"]
            (folder / "record.json").write_text((FOLDER / f"{last}.json").read_text())
            scripted(block, folder, warm)
        elif block.kind == "commands":
            for command in commands_of(block):
                sources = [word.partition("=")[2] for word in command.words if word.startswith("source=")]
                for source in sources:
                    THERE[source](folder)
                assert ran(command) in (None, 0), command.place
                assert broken(folder) == [], command.place
    for block in yamls(own):
        composed(block, folder)


def broken(folder: Path) -> list[str]:
    """Why trials of rounds in this folder failed: the code of a page must not."""
    records = (Record.model_validate_json(p.read_text()) for p in folder.glob("mlruns/records/*/record.json"))
    return [trial.reason for record in records for trial in record.trials if trial.status == "failed"]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("key", TOLD, ids=": ".join)
def test_every_section_works_as_it_is_read(
    key: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: Warm
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBOOK_CALLED", CONSOLE)
    followed([b for b in SECTIONS[key] if b not in TWICE], tmp_path, warm)


WORKLOAD = (
    "```yaml\n# mine/workload/my.yaml\n_target_: mine.train\nobjective: {metric: loss, direction: minimize}\n```\n"
)
SPACE = "```yaml\n# mine/space/my.yaml\nx: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n```\n"
GOAL = "```yaml\n# mine/goal/my.yaml\nquestion: Is b better?\nkind: improve\nscientific: {switch: [a, b]}\n```\n"
CODE = '```python\n# mine/mine.py\ndef train(trial):\n    trial.report(10, loss=trial.point["x"])\n```\n'
COMMAND = "```\ntunebook round --config-dir mine workload=my space=my goal=my\n```\n"
PLANTED = {
    "a name that there is not": (CODE.replace("trial.report", "model.report") + WORKLOAD + SPACE + GOAL + COMMAND),
    "a change of a line that is not there": CODE + "<!-- in mine/mine.py, instead of: for step -->\n```python\n```\n",
    "a space that is none": "```yaml\n# mine/space/other.yaml\nx: {low: 1.0, high: 0.0}\n```\n",
    "a script that fails": "```python\nimport json\nprint(json.load(open('record.json'))['verdicts'])\n```\n",
    "a script that says nothing": "```python\nimport json\n```\n",
    "a file outside": "```yaml\n# ../mine/space/my.yaml\nx: {low: 0.0, high: 1.0}\n```\n",
    "a bad command": "```\ntunebook round --config-dir . workload=my check=plan\n```\n",
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_section_that_does_not_work_is_noticed(
    planted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: Warm
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=r"page\.md:\d+|space\.x"):
        followed([*blocks_of("page.md", PLANTED[planted])], tmp_path, warm)


def test_a_round_from_python_is_made_small_and_all_else_left_as_it_is() -> None:
    assert small('tune("goal=dropout", quiet=True)').startswith("tune('goal=dropout', 'budget.trials=")
    assert small("print(tune)") == "print(tune)"
