"""Whole rounds whose code, data or packages change on the way: what is refused, what is begun anew, what is said."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.round import main
from flows.session.provenance import fingerprint as parts_of
from tasks.ledger import Ledger, open_ledger
from tasks.record import Record
from tests.faults.conftest import Tally
from tests.flows.own_round import arguments, record_in, write_folder

pytestmark = pytest.mark.usefixtures("undrawn")
EDITS = """

from pathlib import Path

_train = train

def train(trial):
    beside = Path(__file__).with_name("beside.py")
    if not beside.exists():
        beside.write_text("x = 1")
    _train(trial)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A user's folder with a data file."""
    own = write_folder(tmp_path / "own")
    (own / "table.csv").write_text("1,2\n")
    with (own / "workload" / "own.yaml").open("a") as file:
        file.write("table: table.csv\n")
    (own / "own.py").write_text((own / "own.py").read_text().replace("train(trial)", "train(trial, table)"))
    yield own
    sys.modules.pop("own", None)
    sys.path[:] = [p for p in sys.path if p != str(own)]


@pytest.fixture
def cut_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A round that was cut off just before it would have promoted."""

    def fails(*_: Any) -> bool:
        raise RuntimeError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "promote", fails)
        assert main(arguments(folder, "store")) == 1
    return only(folder)[0]


def refused(record: Record) -> bool:
    """Whether the round would have promoted, were its evidence not mixed."""
    mixed = any("nothing is promoted on mixed evidence" in reason for reason in record.verdict.reasons)
    return record.verdict.outcome == "keep" and mixed


def only(folder: Path) -> list[str]:
    """The rounds of the store, the last one first."""
    with open_ledger(folder.parent / "store") as ledger:
        return [row.round_id for row in ledger.rounds()]


@pytest.mark.prose
def test_code_that_is_edited_while_the_round_runs_is_a_caveat_of_its_verdict(folder: Path, tally: Tally) -> None:
    text = (folder / "own.py").read_text()
    (folder / "own.py").write_text(text + EDITS.replace("(trial)", "(trial, table)"))
    assert main(arguments(folder, "store")) == 0
    (caveat,) = (c for c in record_in(folder, "store").caveats if "ran on two different" in c)
    assert "states of the code" in caveat
    assert refused(record_in(folder, "store"))
    assert "beside.py" in caveat
    tally("D4", "rounds whose code was edited while they ran", 1, 0)


@pytest.mark.prose
def test_other_packages_are_warned_of_and_are_a_caveat_of_the_verdict(
    folder: Path, cut_off: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tally: Tally
) -> None:
    real = parts_of._versions
    monkeypatch.setattr(parts_of, "_versions", lambda *names: real(*names) | {"numpy": "0.0.1"})
    capsys.readouterr()
    assert main(arguments(folder, "store", f"resume={cut_off}")) == 0
    assert "warning: " in (error := capsys.readouterr().err)
    assert "numpy" in error
    assert "0.0.1" in error
    (caveat,) = (c for c in record_in(folder, "store").caveats if "ran on two different" in c)
    assert "sets of packages" in caveat
    assert refused(record_in(folder, "store"))
    tally("D5", "rounds gone on with on other packages", 1, 0)


@pytest.mark.prose
def test_other_data_are_another_round(
    folder: Path, cut_off: str, capsys: pytest.CaptureFixture[str], tally: Tally
) -> None:
    (folder / "table.csv").write_text("3,4\n")
    capsys.readouterr()
    assert main(arguments(folder, "store", f"resume={cut_off}")) == 2
    error = capsys.readouterr().err
    assert "other data" in error
    assert "table.csv" in error or "workload.table" in error
    assert main(arguments(folder, "store")) == 0
    assert f"a new round begins: {cut_off} is unfinished, but" in capsys.readouterr().err
    assert len(only(folder)) == 2
    tally("D6", "rounds not gone on with on other data", 1, 0)


@pytest.mark.prose
def test_a_round_that_is_gone_on_with_on_the_same_has_no_caveat_and_the_same_digest(
    folder: Path, cut_off: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(arguments(folder, "store", f"resume={cut_off}")) == 0
    assert "warning" not in capsys.readouterr().err
    assert main(arguments(folder, "whole")) == 0
    resumed, whole = record_in(folder, "store"), record_in(folder, "whole")
    assert resumed.digest == whole.digest
    assert (whole.verdict.outcome, refused(whole)) == ("promote", False)
    assert resumed.caveats == whole.caveats
    assert not any("ran on two different" in caveat for caveat in resumed.caveats)
