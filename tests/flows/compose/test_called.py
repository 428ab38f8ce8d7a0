"""Commands are printed in the form in which this process was called, and survive the shell."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.compose.called import CONSOLE, called_as, line, program, round_line


@pytest.fixture
def installed() -> Iterator[None]:
    """The process as the console command starts it."""
    called_as(CONSOLE)
    yield
    del os.environ["TUNEBOOK_CALLED"]


def test_the_command_survives_the_shell() -> None:
    overrides = ('acknowledge.E5="it\'s a wall; no cure"', "goal.nuisance=[a,b]")
    words = shlex.split(round_line(overrides, "/my folder"))
    assert words == ["python", "-m", "flows.round", "--config-dir", "/my folder", *overrides]


@pytest.mark.usefixtures("installed")
def test_the_console_command_prints_commands_of_its_own_form() -> None:
    assert program("sync") == "tunebook sync"
    assert line("audit", ["source=a b.csv"]) == "tunebook audit 'source=a b.csv'"
    assert shlex.split(round_line(["seed=1"], "mine")) == ["tunebook", "round", "--config-dir", "mine", "seed=1"]


def test_a_folder_below_the_working_folder_is_named_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert round_line(["seed=1"], str(tmp_path / "mine")) == "python -m flows.round --config-dir mine seed=1"
    assert round_line(["seed=1"], str(tmp_path)) == "python -m flows.round --config-dir . seed=1"
    assert round_line([], str(tmp_path.parent)) == f"python -m flows.round --config-dir {tmp_path.parent}"
