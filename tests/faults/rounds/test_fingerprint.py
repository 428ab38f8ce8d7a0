"""What a round runs on: every part that changes is noticed by its name, and nothing else is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.compose.compose import from_overrides
from flows.session.provenance import fingerprint as parts_of
from flows.session.provenance.fingerprint import differing, fingerprint, key_of
from flows.session.provenance.programs import installed_as
from tests.faults.conftest import Tally
from tests.faults.kill.reference_round import words, write_folder

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
    "a library that it imports from elsewhere": ("D4", "code", append("../lib/elsewhere/deep.py", "x = 2\n")),
    "a library of that library": ("D4", "code", append("../lib/further.py", "x = 2\n")),
    "a data file": ("D6", "data", append("table.csv", "3,4\n")),
    "a data file that a variable names": ("D6", "data", append("../outside.csv", "3,4\n")),
    "the packages": ("D5", "packages", another("_versions", {"torch": "0.0.1"})),
    "the processor": ("D5", "machine", another("_machine", {"processor": "another"})),
    "the threads": ("D5", "runner", said("runner.threads=2")),
}
UNCHANGED: dict[str, Change] = {
    "nothing": lambda folder, patch: [],
    "how many trials run at once": said("runner.workers=2"),
    "who watches": said("orchestrate=prefect"),
    "another text in the folder": append("README.md", "notes\n"),
    "a hidden file": append(".ipynb_checkpoint.py", "x = 1\n"),
    "a module elsewhere that nobody imports": append("../lib/alone.py", "x = 1\n"),
    "another data file beside the one that is named": append("../another.csv", "3,4\n"),
}


@pytest.fixture
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., parts_of.Parts]:
    """Takes the fingerprint of a round in a user's folder with a data file; its program imports a library elsewhere."""
    folder, library = write_folder(tmp_path / "own"), tmp_path / "lib"
    for name, text in {"elsewhere/__init__.py": "import further\n", "elsewhere/deep.py": "", "further.py": ""}.items():
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text(text)
    monkeypatch.syspath_prepend(library)
    with (folder / "own.py").open("a") as file:
        file.write("\n\ndef later():\n    import elsewhere\n")
    (tmp_path / "outside.csv").write_text("1,2\n")
    monkeypatch.setenv("OUTSIDE", str(tmp_path / "outside.csv"))
    (folder / "table.csv").write_text("1,2\n")
    with (folder / "workload" / "own.yaml").open("a") as file:
        file.write("table: table.csv\n")

    def take(*more: str) -> parts_of.Parts:
        said = ("runner.environment=[OUTSIDE]", *more)
        overrides = words(folder, tmp_path / "store", *said)[2:]  # without the folder
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


def test_an_installed_package_stands_under_its_own_name_and_counts_by_its_version() -> None:
    assert set(installed_as(["yaml", "numpy", "no_such_package"])) == {"PyYAML", "numpy"}


def test_nothing_of_an_installed_package_is_read(taken: Callable[..., parts_of.Parts], tmp_path: Path) -> None:
    (tmp_path / "own" / "own.py").write_text("import numpy\nimport elsewhere\n")
    parts = taken()
    assert "numpy" in parts["packages"]
    assert "numpy" not in parts["code"]
    assert "elsewhere" in parts["code"]
