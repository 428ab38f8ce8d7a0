"""Every command of README and docs is one that there is, with words that it takes; what cannot be is told by place."""

from pathlib import Path

import pytest

from flows.session.plan import Imported
from tests.docs.blocks import PAGES, ROOT, Block, blocks, blocks_of
from tests.docs.commands import Command, against, commands_of, typed, within_lines
from tests.docs.project import ran

BLOCKS = [typed(block) for block in blocks() if block.kind in ("commands", "output", "held")]
IMPORTED: Imported = set()


def block(*lines: str) -> Block:
    """A block of a page."""
    (one,) = blocks_of("page.md", "\n".join(["```", *lines, "```"]))
    return one


def told(line: str) -> str:
    """What is said against the command of a line."""
    (command,) = commands_of(block(line))
    return against(command, IMPORTED)


@pytest.mark.parametrize("page", sorted({one.page for one in BLOCKS}))
def test_nothing_can_be_said_against_any_command(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [command for one in BLOCKS if one.page == page for command in commands_of(one)]
    run_elsewhere = [command for command in commands if "--config-dir" in command.words]  # by test_projects.py
    assert all(command.ours == "round" for command in run_elsewhere)
    assert [*filter(None, (against(c, IMPORTED) for c in commands if c not in run_elsewhere))] == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_can_be_said_against_the_commands_within_the_lines_of_a_page(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = within_lines(page, (ROOT / page).read_text(encoding="utf-8"))
    assert [*filter(None, (against(command, IMPORTED) for command in commands))] == []


def test_commands_within_lines_are_found_and_names_of_commands_need_no_words() -> None:
    page = "Say `tunebook history\n shows ROUND x` or `tunebook init`, `tunebook instal`.\n\n```\n`make nothing`\n```\n"
    told = [against(command, IMPORTED).partition(": ")[0] for command in within_lines("page.md", page)]
    assert told == ["page.md:1", "", "page.md:2"]


@pytest.mark.parametrize(
    "line",
    [
        "tunebook rounds goal=optimizer",
        "tunebook round goal=optimiser",
        "tunebook round goal=optimizer budget.trails=3",
        "tunebook round goal=optimizer space.adam.learning_rate.high=1e-9",
        "tunebook audit source=trials.csv goals.scientific=x",
        "tunebook history shows ROUND",
        "tunebook demo budget=slow",
        "tunebook serve --crons x",
        "make demos",
        "pip install 'path/to/tunebook[training]'",
        "python -m tests.docs.redme",
        "brew install tunebook",
    ],
)
def test_a_command_that_would_not_work_is_told_with_its_place(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(line).startswith("page.md:2: ")


@pytest.mark.parametrize(
    "line",
    [
        "tunebook",
        "tunebook round goal=optimizer budget.trials=3 keep=optimizer-20260101-000000-0000",
        "tunebook audit source=trials.csv 'goal.scientific={optimizer: [sgd, adam]}'",
        "tunebook history rank ROUND objective=final",
        "tunebook demo budget=standard",
        'tunebook serve --cron "0 3 * * *" goal=optimizer',
        "tunebook ui --mlflow-port 5001",
        "tunebook init mine --from train.py",
        "make test ARGS=tests/scope",
        "pip install -e .",
        "python -m tests.docs.readme replay",
        ". .venv/bin/activate",
    ],
)
def test_nothing_is_said_against_its_clean_twin(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(line) == ""


def test_lines_are_taken_apart_as_a_shell_does() -> None:
    found = [
        *commands_of(
            block("# a comment", "git clone … there && cd there", "", "$ A=1 B=. tunebook round \\", "  x=2 # 3")
        )
    ]
    assert found == [
        Command(place="page.md:3", words=("git", "clone", "…", "there")),
        Command(place="page.md:3", words=("cd", "there")),
        Command(place="page.md:5", words=("tunebook", "round", "x=2"), environment=("A=1", "B=.")),
    ]
    assert [command.ours for command in found] == ["", "", "round"]


def test_what_is_no_project_of_the_readers_is_not_run() -> None:
    assert ran(Command(place="page.md:1", words=("tunebook", "round", "goal=optimizer"))) is None
    assert ran(Command(place="page.md:1", words=("make", "demo"))) is None
