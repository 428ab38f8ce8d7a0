"""The folders that `init` writes compose and run to a verdict with the commands that it prints, no file touched."""

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.compose import called
from flows.compose.compose import from_overrides
from flows.init import main
from flows.round import main as run_round
from tasks.record import Record
from tests.flows.starting.scripts_read import PARSER, script

OPTIONS = ["workload=my", "space=my", "goal=my", "budget=my"]
LINES = """
import argparse, json, os, random

p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=0.01)
p.add_argument("--label-smoothing", type=float, default=0.0)
p.add_argument("--epochs", type=int, default=20)
p.add_argument("--seed", type=int, default=0)
args = p.parse_args()
noise = random.Random(args.seed)
for epoch in range(1, args.epochs + 1):
    loss = 1 / epoch + (args.lr - 0.02) ** 2 * 1000 + args.label_smoothing + 0.01 * noise.random()
    with open(os.environ["TUNEBOOK_METRICS"], "a") as file:
        file.write(json.dumps({"step": epoch, "valid_loss": loss}) + "\\n")
"""
Said = Callable[[], str]


@pytest.fixture(autouse=True)
def _modules() -> Iterator[None]:
    """This process sees several folders of the user's, and a command one."""
    yield
    sys.modules.pop("train", None)


def command_in(text: str, folder: Path) -> list[str]:
    """The words of the command that is printed as next."""
    (line,) = (line for line in text.splitlines() if line.startswith(("next ", "then ")))
    words = shlex.split(line[len("next") :])
    assert words[:5] == ["python", "-m", "flows.round", "--config-dir", str(folder)]
    return words[3:]


def record_under(root: Path) -> Record:
    """The record of the only round."""
    (path,) = (root / "records").glob("*/record.json")
    return Record.model_validate_json(path.read_text())


def ran(words: list[str], root: Path, *more: str) -> Record:
    """The record of the round that the words ask for."""
    said = ["orchestrate=off", "tracking.enabled=false", f"tracking.root={root}"]
    assert run_round([*words, *said, *more]) == 0
    return record_under(root)


@pytest.mark.usefixtures("undrawn")
def test_the_example_runs_to_a_conclusive_verdict_and_can_be_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my example"
    assert main([str(folder)]) == 0
    words = command_in(capsys.readouterr().out, folder)
    record = ran(words, tmp_path / "store", "budget.trials=10", "budget.retrains=4")
    assert record.verdict.outcome in ("promote", "keep")
    assert {t.status for t in record.trials} == {"complete"}
    assert record.next.overrides[-1] == "goal=my_width"
    assert run_round([*words, "check=resume", f"tracking.root={tmp_path / 'store'}"]) == 0
    assert "identical" in capsys.readouterr().out


@pytest.mark.usefixtures("undrawn")
def test_a_script_that_writes_lines_runs_to_a_verdict_at_its_own_budget(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.py").write_text(LINES)
    assert main([str(tmp_path), "--from", str(tmp_path / "train.py")]) == 0
    record = ran(command_in(capsys.readouterr().out, tmp_path)[:-1], tmp_path / "store")
    assert record.goal.question.endswith("label_smoothing?")
    assert {(t.status, t.steps_done) for t in record.trials} == {("complete", 20)}
    assert len([t for t in record.trials if t.purpose == "search"]) == 20


@pytest.mark.usefixtures("undrawn")
def test_a_script_that_logs_to_mlflow_runs_to_a_verdict_with_no_file_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = script(tmp_path / "theirs", "logistic")
    assert main([str(tmp_path / "mine"), "--from", str(path)]) == 0
    words = command_in(capsys.readouterr().out, tmp_path / "mine")[:-1]
    record = ran(words, tmp_path / "store", "budget.trials=2", "budget.retrains=1")
    assert record.verdict.outcome in ("promote", "keep", "retrain", "redesign")
    assert {(t.status, t.reason, t.steps_done) for t in record.trials} == {("complete", "", 200)}
    assert record.objective.model_dump()["metric"] == "valid_accuracy"


@pytest.mark.parametrize("name", ["images", "language", "speech", "logistic"])
def test_each_folder_composes_and_its_guards_find_nothing_once_what_is_asked_for_is_filled_in(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = script(tmp_path, name)
    assert main([str(tmp_path), "--from", str(path)]) == 0
    words = command_in(capsys.readouterr().out, tmp_path)
    if name in ("images", "speech"):
        assert run_round(words) == 2
        assert re.search(r"workload\.(argv\.\d+|objective\.metric): missing", capsys.readouterr().err)
        (workload,) = (tmp_path / "workload").iterdir()
        workload.write_text(
            workload.read_text().replace('"???"', "filled").replace("direction: ???", "direction: minimize")
        )
        words.append("workload.objective.metric=valid_error")
    assert run_round(words) == 0
    said = capsys.readouterr().out
    assert "scientific" in said
    assert not re.search(r"^(?:warn|fail)", said, re.MULTILINE)


@pytest.mark.parametrize("form", [called.MODULES, called.CONSOLE])
def test_every_command_in_the_readme_and_the_yamls_is_as_init_was_called(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEBOOK_CALLED", form)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(LINES)
    for folder, more in (("a folder", ()), ("other", ("--from", "train.py"))):
        assert main([folder, *more, "--name", "mine"]) == 0
        for path in (p for p in (tmp_path / folder).rglob("*.*") if p.suffix in (".md", ".yaml")):
            text = path.read_text()
            assert f"{form}round --config-dir {shlex.quote(folder)} workload=mine space=mine goal=mine" in text
            assert not re.search(r"<\w+>", text)
            assert (called.MODULES if form == called.CONSOLE else called.CONSOLE) not in text


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("cats", "cats"),
        ("cats and dogs!", "cats-and-dogs"),
        ("digits", "my"),
        ("2024", "my"),
        ("null", "my"),
        ("\u732b", "my"),
    ],
)
def test_the_yamls_of_a_script_are_called_as_the_folder_is_where_that_will_do(
    folder: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(LINES)
    assert main([str(tmp_path / folder), "--from", str(tmp_path / "train.py")]) == 0
    assert [p.name for p in (tmp_path / folder / "workload").iterdir()] == [f"{name}.yaml"]
    given = [f"{group}={name}" for group in ("workload", "space", "goal", "budget")]
    assert from_overrides(given, str(tmp_path / folder)).workload.name == name


def test_a_script_with_thousands_of_arguments_has_a_yaml_that_a_round_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.py").write_text(
        PARSER
        + "".join(f"parser.add_argument('--argument-{i}', default='{i:0>40}')\n" for i in range(5000))
        + "parser.add_argument('--lr', type=float, default=0.1)\n"
    )
    assert main([str(tmp_path), "--from", str(tmp_path / "train.py"), "--name", "my"]) == 0
    assert len(capsys.readouterr().out.splitlines()) < 80
    given = [*OPTIONS, "workload.objective.metric=e", "workload.objective.direction=minimize"]
    assert from_overrides(given, str(tmp_path)).workload.baseline == {"lr": 0.1}


def test_argv_names_the_script_from_the_folder_wherever_the_two_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train it.py").write_text(LINES)
    monkeypatch.chdir(tmp_path)
    for folder, wanted in ((".", "src/train it.py"), ("src", "train it.py"), ("a/b", "../../src/train it.py")):
        assert main([folder, "--from", "src/train it.py", "--name", "my"]) == 0
        config = from_overrides(OPTIONS, folder)
        assert config.workload.arguments["argv"][:2] == ["python", wanted]
        assert run_round(["--config-dir", folder, *OPTIONS, "check=plan", "orchestrate=off"]) == 0


@settings(max_examples=20)
@given(
    choices=st.lists(st.text(max_size=8), min_size=2, max_size=4, unique=True),
    rate=st.floats(1e-9, 10),
    help=st.text(max_size=20),
    other=st.text(max_size=20),
)
def test_whatever_the_texts_and_numbers_are_what_is_written_reads_back_equal(
    choices: list[str], rate: float, help: str, other: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    lines = [
        f"parser.add_argument('--act', choices={choices!r}, default={choices[0]!r}, help={help!r})",
        f"parser.add_argument('--lr', type=float, default={rate!r})",
        f"parser.add_argument('--other', default={other!r})",
    ]
    (folder / "train.py").write_bytes((PARSER + "\n".join(lines)).encode("utf-8", "backslashreplace"))
    assert main([str(folder), "--from", str(folder / "train.py"), "--name", "my"]) == 0
    given = [*OPTIONS, "workload.objective.metric=e", "workload.objective.direction=minimize"]
    config = from_overrides(given, str(folder))
    assert config.workload.baseline["lr"] == rate
    if "act" in config.space:
        assert config.space["act"].values == tuple(choices)
        assert config.workload.baseline["act"] == choices[0]
