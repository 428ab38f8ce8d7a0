"""What a round runs on: every part that changes is noticed by its name, and nothing else is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows import fingerprint as parts_of
from flows.compose import from_overrides
from flows.fingerprint import differing, fingerprint, key_of
from tests.faults.conftest import Tally
from tests.faults.reference_round import words, write_folder

Change = Callable[[Path, pytest.MonkeyPatch], list[str]]


def append(name: str, text: str) -> Change:
    """A file of the user's folder is edited."""

    def change(folder: Path, _: pytest.MonkeyPatch) -> list[str]:
        path = folder / name
        path.write_text((path.read_text() if path.exists() else "") + text)
        return []

    return change


def said(override: str) -> Change:
    """The command says something else."""
    return lambda folder, patch: [override]


def another(name: str, value: object) -> Change:
    """The machine is another one."""

    def change(_: Path, patch: pytest.MonkeyPatch) -> list[str]:
        patch.setattr(parts_of, name, lambda *values: value)
        return []

    return change


CHANGES: dict[str, tuple[str, str, Change]] = {
    "a seed": ("D11", "config", said("seed=7")),
    "a budget": ("D11", "config", said("budget.trials=4")),
    "a bound": ("D3", "config", said("space.x.high=2.0")),
    "a YAML": ("D3", "config", append("space/own.yaml", "extra: {low: 0.0, high: 1.0}\n")),
    "the program": ("D4", "code", append("own.py", "# another line\n")),
    "a module that it may import": ("D4", "code", append("beside.py", "x = 1\n")),
    "a data file": ("D6", "data", append("table.csv", "3,4\n")),
    "the packages": ("D5", "packages", another("_versions", {"torch": "0.0.1"})),
    "the processor": ("D5", "machine", another("_machine", {"processor": "another"})),
    "the threads": ("D5", "runner", said("runner.threads=2")),
}
UNCHANGED: dict[str, Change] = {
    "nothing": lambda folder, patch: [],
    "how many trials run at once": said("runner.workers=2"),
    "who watches": said("orchestrate=prefect"),
    "another text in the folder": append("README.md", "notes\n"),
}


@pytest.fixture
def taken(tmp_path: Path) -> Callable[..., parts_of.Parts]:
    """Takes the fingerprint of a round in a user's folder with a data file."""
    folder = write_folder(tmp_path / "own")
    (folder / "table.csv").write_text("1,2\n")
    with (folder / "workload" / "own.yaml").open("a") as file:
        file.write("table: table.csv\n")

    def take(*more: str) -> parts_of.Parts:
        overrides = words(folder, tmp_path / "store", *more)[2:]  # without the folder
        return fingerprint(from_overrides(overrides, str(folder)))

    return take


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_named(
    what: str,
    taken: Callable[..., parts_of.Parts],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tally: Tally,
) -> None:
    fault, part, change = CHANGES[what]
    before = taken()
    now = taken(*change(tmp_path / "own", monkeypatch))
    found = differing(before, now)
    assert set(found) == {part}, found
    assert key_of(before) != key_of(now)
    tally(fault, f"fingerprints after a change of {what}", 1, 0)


@pytest.mark.parametrize("what", UNCHANGED)
def test_what_plays_no_part_is_not_named(
    what: str, taken: Callable[..., parts_of.Parts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = taken()
    now = taken(*UNCHANGED[what](tmp_path / "own", monkeypatch))
    assert differing(before, now) == {}
    assert key_of(before) == key_of(now)
