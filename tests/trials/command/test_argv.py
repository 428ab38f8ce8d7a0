"""A program's arguments: what a template and a point make of each other, and what is refused before anything runs."""

import sys
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from tasks.design.study import design
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import Objective, Workload
from tasks.trials.command.argv import WORDS, files_named, rendered
from tasks.trials.command.check import check_command, program_files, wants_mlflow
from tests.scope.example_scopes import DROPOUT, SPACE, scope

POINT: dict[str, Value] = {"learning_rate": 1e-5, "adam.beta": 0.9, "width": 64, "nesterov": True, "name": "a b"}
NAMED = dict.fromkeys(WORDS, "w") | {"seed": "7"}


def made(*argv: Any, point: dict[str, Value] = POINT, own: str | None = None) -> list[str]:
    """What follows the program."""
    return rendered(["python", *argv], point, NAMED, own)[1:]


def test_names_in_braces_become_values_and_every_element_stays_one_argument() -> None:
    argv = [
        "--lr",
        "{learning_rate}",
        "--b={adam.beta}",
        "-w{width}x{width}",
        "{nesterov}",
        "{name}",
        "{seed}",
        3,
        False,
    ]
    assert made(*argv) == ["--lr", "1e-05", "--b=0.9", "-w64x64", "true", "a b", "7", "3", "false"]


def test_double_braces_are_braces() -> None:
    assert made('{{"lr": {learning_rate}}}', "{{learning_rate}}") == ['{"lr": 1e-05}', "{learning_rate}"]


@pytest.mark.playbook("C10", case="shows")
def test_a_list_is_left_out_as_a_whole_where_its_hyperparameter_does_not_exist() -> None:
    argv = [["--lr", "{learning_rate}"], ["--rate", "{dropout.rate}", "--seed", "{seed}"], "end"]
    assert made(*argv) == ["--lr", "1e-05", "end"]
    assert made(*argv, point=POINT | {"dropout.rate": 0.5})[2:] == ["--rate", "0.5", "--seed", "7", "end"]


def test_overrides_are_a_name_and_a_value_for_every_hyperparameter() -> None:
    expected = ["learning_rate=1e-05", "adam.beta=0.9", "width=64", "nesterov=true", "name='a b'", "x"]
    assert made("{overrides}", "x") == expected


@given(value=st.one_of(st.text(alphabet=st.characters(codec="ascii"), min_size=1), st.floats(-1, 1), st.booleans()))
def test_hydra_reads_every_override_back_as_it_was(value: Value) -> None:
    (override,) = made("{overrides}", point={"group.name": value})
    read = OverridesParser.create().parse_override(override)
    assert (read.key_or_group, read.value()) == ("group.name", value)


HOSTILE = [
    "$(touch canary)",
    "; touch canary",
    "`touch canary`",
    "a'b\"c",
    "{seed}",
    "--lr",
    "",
    "*",
    "~",
    "\n|&",
    "%s",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_passed_as_it_is_and_never_read_again(value: str) -> None:
    assert made("--name={name}", "{name}", point={"name": value}) == [f"--name={value}", value]


def test_an_element_that_names_a_file_of_the_users_folder_becomes_its_path(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("train.py", "sub/data.csv"):
        (tmp_path / name).touch()
    argv = ["train.py", "sub/data.csv", "out.csv", "sub", "--data=train.py"]
    assert made(*argv, own=str(tmp_path)) == [
        *(f"{tmp_path}/train.py", f"{tmp_path}/sub/data.csv"),
        *("out.csv", "sub", "--data=train.py"),
    ]
    assert files_named(["python", *argv], str(tmp_path)) == [tmp_path / "train.py", tmp_path / "sub/data.csv"]


@pytest.mark.prose
def test_the_program_is_a_file_of_the_users_folder_or_one_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "go.sh").touch(mode=0o755)
    (tmp_path / "dull.sh").touch(mode=0o644)
    assert rendered(["python"], POINT, NAMED, None) == [sys.executable]
    assert rendered(["go.sh"], POINT, NAMED, str(tmp_path)) == [f"{tmp_path}/go.sh"]
    assert rendered(["sh"], POINT, NAMED, str(tmp_path))[0].endswith("/sh")
    with pytest.raises(InputError, match="is not executable; chmod"):
        rendered(["dull.sh"], POINT, NAMED, str(tmp_path))


def checked(folder: Path, regularizer: str = "dropout", **arguments: Any) -> None:
    """The check before any compute, of a round in which `dropout.rate` exists in one arm of two."""
    asked = {"regularizer": ["none", regularizer]}
    round = design(scope(asked, SPACE | DROPOUT, baseline={"regularizer": "none", "width": 64}, trials=4))
    check_command(workload(arguments), round, str(folder))


def workload(arguments: dict[str, Any], target: str = "tasks.trials.command") -> Workload:
    return Workload(
        name="w", target=target, arguments=arguments, objective=Objective(metric="loss", direction="minimize")
    )


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a text": ({"argv": "python train.py"}, "workload.argv: 'python train.py' is no list"),
    "nothing": ({"argv": []}, "workload.argv: [] is no list"),
    "no argv": ({}, "workload.argv: missing"),
    "braces without quotes": ({"argv": ["sh", {"learning_rate": None}]}, "None} is no text; put quotes around"),
    "a list in a list": ({"argv": ["sh", ["a", ["b"]]]}, "argv[1]: ['b'] is no text"),
    "null": ({"argv": ["sh", None]}, "argv[1]: None is no text"),
    "an optional program": ({"argv": [["sh"]]}, "argv[0]: ['sh'] is no program"),
    "overrides as a program": ({"argv": ["{overrides}"]}, "is no program"),
    "a misspelt name": (
        {"argv": ["sh", "{learning_rat}"]},
        "{learning_rat} is no hyperparameter of this round; it has",
    ),
    "a misspelt name in a list": ({"argv": ["sh", ["-x", "{dropout}"]]}, "{dropout} is no hyperparameter"),
    "braces of JSON": ({"argv": ["sh", '{"a": 1}']}, "braces themselves are written {{ and }}"),
    "a brace alone": ({"argv": ["sh", "a{b"]}, "a brace alone in 'a{b'"),
    "a conditional one in the open": ({"argv": ["sh", "{dropout.rate}"]}, 'such as ["--rate", "{dropout.rate}"]'),
    "no program": ({"argv": ["no-such-program"]}, "nor on PATH; give its path"),
    "no file": ({"argv": ["./train"]}, "./train is no program in"),
    "no script": ({"argv": ["python", "train.py"]}, "there is no train.py in"),
    "another key": ({"argv": ["sh"], "shell": True}, "workload.shell: tasks.trials.command has no such argument"),
    "another way back": ({"argv": ["sh"], "metrics": "wandb"}, "'wandb' is unknown; allowed are lines, mlflow"),
    "no working folder": ({"argv": ["sh"], "cwd": "nowhere"}, "workload.cwd: 'nowhere' is no folder"),
    "a program within": (
        {"argv": ["sh"], "model": {"_target_": "tasks.trials.command", "argv": ["sh"]}},
        "is a workload and no part of one",
    ),
}


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
@pytest.mark.prose
def test_what_could_not_be_started_is_one_sentence_before_any_compute(
    tmp_path: Path, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError) as refusal:
        checked(tmp_path, **arguments)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.prose
def test_a_choice_with_a_nul_in_it_is_refused_and_its_twin_is_not(tmp_path: Path) -> None:
    checked(tmp_path, "drop out", argv=["sh", "{regularizer}"])
    with pytest.raises(InputError, match="no program takes an argument with a NUL"):
        checked(tmp_path, "drop\0out", argv=["sh", "{regularizer}"])


@pytest.mark.prose
def test_a_hyperparameter_that_is_named_like_a_word_is_refused_where_it_is_used() -> None:
    round = design(scope(space=SPACE | {"seed": {"values": [1, 2]}}, trials=4))
    check_command(workload({"argv": ["sh", "{overrides}"]}), round, None)
    with pytest.raises(InputError, match="means two things here"):
        check_command(workload({"argv": ["sh", "{seed}"]}), round, None)


def test_what_can_be_started_passes(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    argv = ["python", "train.py", "{learning_rate}", ["--rate", "{dropout.rate}"], *(f"{{{word}}}" for word in WORDS)]
    checked(tmp_path, argv=argv)
    checked(tmp_path, argv=["python", "train.py", "{overrides}"], metrics="mlflow", cwd=".")
    other = workload({"model": {"_target_": "tasks.trials.workloads.models.mlp"}, "argv": "of its own"}, "mine.train")
    check_command(other, design(scope(trials=4)), None)


def test_what_a_round_must_know_of_a_program_is_read_off_its_workload(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    program = {"argv": ["python", ["train.py"]], "metrics": "mlflow"}
    assert wants_mlflow(workload(program))
    assert not wants_mlflow(workload(program, "mine.train"))
    assert not wants_mlflow(workload({"argv": ["sh"]}))
    assert program_files(workload(program), str(tmp_path)) == [tmp_path / "train.py"]
    assert program_files(workload(program, "mine.train"), str(tmp_path)) == []
