"""What `init` refuses: one sentence, exit code 2, and not one file or folder written; a script is never run."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.init import main
from tests.flows.starting.scripts_read import PARSER, script

pytestmark = pytest.mark.prose
TUNABLE = PARSER + "parser.add_argument('--lr', type=float, default=0.1)\nparser.parse_args()\n"
Refused = Callable[..., str]


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every path under the folder, and what is in it."""
    return {str(p): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """The one sentence with which these words are refused; nothing has changed on the disk then."""

    def sentence(*words: str) -> str:
        before = tree(tmp_path)
        capsys.readouterr()
        assert main(words) == 2
        assert tree(tmp_path) == before
        said = capsys.readouterr()
        assert said.out == ""
        (line,) = said.err.splitlines()
        assert line.startswith("error: ")
        assert line.endswith(".")
        return line

    return sentence


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def f(:\n", "is no Python that can be parsed: line 1: "),
        ("x = 1\n\0", "is no Python that can be parsed: "),
        ("import torch\n", "has no argparse parser; write workload/my.yaml by hand"),
        ("import click\n@click.command()\ndef f(): ...\n", "it uses click, which is not read; write"),
        ("from typer import Typer\n", "it uses typer, which is not read"),
        ("from absl import flags\n", "it uses absl's flags, which is not read"),
        ("import fire\nfire.Fire(f)\n", "it uses fire, which is not read"),
        ("import hydra\n", "it uses Hydra, which is not read"),
        ("from hydra.utils import instantiate\n", "it uses Hydra, which is not read"),
        ("from transformers import HfArgumentParser\n", "it uses HfArgumentParser of transformers"),
        (PARSER + "parser.parse_args()\n", "(none) none is known to be a hyperparameter"),
        (PARSER + "parser.add_argument('--gpu', type=int)\n", "(--gpu) none is known to be a hyperparameter"),
        (TUNABLE + TUNABLE.replace("parser", "other"), "has 2 parsers (lines 2, 6), and which of them reads"),
        ("from argparse import *\n", "has no argparse parser"),
    ],
)
def test_a_script_that_cannot_be_read_is_refused_with_the_reason_and_the_way_out(
    source: str, why: str, tmp_path: Path, refused: Refused
) -> None:
    path = tmp_path / "train.py"
    path.write_text(source)
    said = refused(str(tmp_path / "mine"), "--from", str(path))
    assert why in said
    assert str(path) in said


def test_a_script_that_is_not_there_or_is_a_folder_or_too_large_is_refused(tmp_path: Path, refused: Refused) -> None:
    new, absent, huge = str(tmp_path / "mine"), tmp_path / "absent.py", tmp_path / "huge.py"
    assert refused(new, "--from", str(absent)) == f"error: --from: there is no file {absent}."
    assert refused(new, "--from", str(tmp_path)).startswith(f"error: --from: {tmp_path} is a folder")
    huge.write_text("#" * (5 << 20))
    assert "more than 4 MiB" in refused(new, "--from", str(huge))
    os.mkfifo(tmp_path / "pipe.py")
    assert "there is no file" in refused(new, "--from", str(tmp_path / "pipe.py"))


@pytest.mark.parametrize("taken", ["workload/my.yaml", "space/my.yaml", "goal/my.yaml", "budget/my.yaml"])
@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
def test_nothing_is_ever_overwritten(taken: str, kind: str, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "train.py").write_text(TUNABLE)
    place = tmp_path / "mine" / taken
    place.parent.mkdir(parents=True)
    if kind == "file":
        place.touch()
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("nowhere")
    for more in ((), ("--from", str(tmp_path / "train.py"), "--name", "my")):
        said = refused(str(tmp_path / "mine"), *more)
        assert said == (
            f"error: {place} is there already, and nothing is overwritten; name another folder, or move it away."
        )


def test_a_second_time_is_refused_and_another_name_is_not(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "train.py").write_text(TUNABLE)
    mine = (str(tmp_path / "mine"), "--from", str(tmp_path / "train.py"))
    assert main(mine) == 0
    assert "is there already" in refused(*mine)
    assert main([*mine, "--name", "second"]) == 0
    assert (tmp_path / "mine" / "TUNING.md").is_file()
    assert "TUNING.md is there already" in refused(*mine, "--name", "third")


def test_a_file_where_a_folder_is_needed_is_named(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "mine").touch()
    assert f"{tmp_path / 'mine'} is a file" in refused(str(tmp_path / "mine"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "goal").touch()
    assert f"{tmp_path / 'other' / 'goal'} is a file" in refused(str(tmp_path / "other"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "Permission denied" in refused(str(tmp_path / "locked" / "mine"))


def test_what_was_written_is_taken_back_where_the_disk_refuses(
    tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, mkdir = [0], Path.mkdir

    def full(path: Path, *words: object, **more: object) -> None:
        count[0] += 1
        if count[0] == 4:
            raise OSError(28, "No space left on device", str(path))
        mkdir(path)

    monkeypatch.setattr(Path, "mkdir", full)
    assert "No space left on device; nothing was written" in refused(str(tmp_path / "mine"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["mine", "--name", "a/b"], "--name: 'a/b' will not do: letters, digits, dashes and underscores do"),
        (["mine", "--name", ""], "--name: '' will not do"),
        (["mine", "--name", "null"], "--name: 'null' will not do"),
        (["mine", "--name", "digits"], "--name: 'digits' is the name of a workload of tunebook's own"),
        (["mine", "--name", "quick"], "--name: 'quick' is the name of a budget of tunebook's own"),
        (["mine\nrm"], "is a name that no command line should hold"),
        ([""], "is a name that no command line should hold"),
        (["--", "-mine"], "is a name that no command line should hold"),
        ([], "the following arguments are required: FOLDER; python -m flows.init --help"),
        (["mine", "more"], "unrecognized arguments: more"),
        (["mine", "--frm", "x"], "unrecognized arguments: --frm x"),
    ],
)
def test_words_that_cannot_be_used_are_refused(
    words: list[str], why: str, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert why in refused(*words)


def test_a_path_with_a_brace_is_refused(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "{x}").mkdir()
    (tmp_path / "{x}" / "train.py").write_text(TUNABLE)
    assert "is a path that argv cannot hold" in refused(
        str(tmp_path / "mine"), "--from", str(tmp_path / "{x}/train.py")
    )


def test_nothing_of_a_script_is_ever_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    touch = f"open({str(ran)!r}, 'w')"
    path = script(tmp_path, "logistic")
    hooks = [
        touch,
        f"class A:\n    def __init_subclass__(cls): {touch}",
        "class B(A): pass",
        f"@{touch}.write\ndef f(x={touch}): pass",
        f"parser.add_argument('--wd', type=float, default={touch})",
        f"parser.add_argument('--x', type=lambda x: {touch}, choices=[{touch}], nargs={touch}, action={touch})",
        f'parser.add_argument(f"--{{{touch}}}")',
        f"parser.set_defaults(lr={touch})",
    ]
    path.write_text(
        "\n".join([*hooks[:1], PARSER, *hooks[1:], "parser.add_argument('--momentum', type=float, default=0.9)"])
    )
    (tmp_path / "argparse.py").write_text(touch)
    (tmp_path / "mlflow.py").write_text(touch)
    assert main([str(tmp_path / "mine"), "--from", str(path)]) == 0
    assert not ran.exists()
