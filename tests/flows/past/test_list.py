"""What the list shows besides single rounds: audits, and a multirun as one table; ids that are cut short."""

from pathlib import Path

import pytest

from flows.history import main as history
from flows.past.found import Past
from flows.past.listed import multiruns
from flows.round import main
from tasks.ledger import open_ledger
from tests.flows.test_history import begin
from tests.report.example_records import example

AUDIT = "audit-sweep-20260101-100000-abcd"


def said(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = history([*words, f"tracking.root={root}"])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.fixture
def audited(tmp_path: Path) -> Path:
    """A root that has an audit and no round."""
    record = example("na").model_copy(update={"round_id": AUDIT})
    folder = tmp_path / "audits" / AUDIT
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(record.model_dump_json(by_alias=True))
    return tmp_path


@pytest.mark.prose
def test_audits_are_listed_and_shown_where_no_round_ever_ran(audited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, audited)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["audit", "study", "question", "best", "fail", "warn", "when"]
    assert lines[1].startswith(f"{AUDIT}  mnist1d_mlp  Does adam reach")
    assert "verdict   na:" in said(capsys, audited, "show", "audit-sw")[1]
    assert not (audited / "ledger.db").exists()


@pytest.mark.prose
def test_an_audit_whose_record_cannot_be_read_is_listed_as_such(
    audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (audited / "audits" / AUDIT / "record.json").write_text("{")
    code, out, _ = said(capsys, audited)
    assert code == 0
    assert "its record cannot be read" in out


@pytest.mark.prose
def test_an_id_may_be_cut_short_where_only_one_begins_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_ledger(tmp_path) as ledger:
        for id in ("dropout-1", "dropout-12", "depth-3"):
            begin(ledger, id, "dropout")
    assert said(capsys, tmp_path, "show", "dep")[1].startswith("round depth-3 is interrupted")
    assert said(capsys, tmp_path, "show", "dropout-1")[1].startswith("round dropout-1 is")
    code, out, error = said(capsys, tmp_path, "show", "drop")
    assert (code, out) == (2, "")
    assert error == "2 ids begin with 'drop': dropout-12, dropout-1; give more of the one that is meant\n"
    assert said(capsys, tmp_path, "compare", "dep", "drop")[0] == 2
    assert "has not ended" in said(capsys, tmp_path, "compare", "dep", "dep")[2]


@pytest.mark.prose
@pytest.mark.usefixtures("undrawn")
def test_the_rounds_of_a_multirun_stand_in_one_table_with_what_varied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["workload=synthetic", "goal=synthetic", "budget=quick", "budget.retrains=3", "orchestrate=off"]
    words += ["tracking.enabled=false", f"tracking.root={tmp_path}"]
    assert main(["-m", "seed=1,2", *words]) == 0
    with open_ledger(tmp_path) as ledger:
        begin(ledger, "alone-1", "dropout", ("seed=3",))
    _, out, _ = said(capsys, tmp_path)
    single, together, *_ = out.split("\n\n")
    assert [line.split()[3] for line in single.splitlines()[1:]] == ["3"]
    head, columns, *rows = together.splitlines()
    assert head.startswith("multirun m-")
    assert "2 rounds with workload=synthetic goal=synthetic budget=quick" in head
    assert columns.split() == ["round", "varied", "answer", "gain", "band", "verdict", "when"]
    assert [row.split()[1] for row in rows] == ["seed=1", "seed=2"]
    with open_ledger(tmp_path) as ledger:
        ((_, rounds),) = multiruns(Past(root=tmp_path, ledger=ledger)).items()
    _, out, _ = said(capsys, tmp_path, "compare", *(r.round_id for r in rounds))
    assert out.splitlines()[0].split() == [r.round_id for r in rounds]
    assert ["seed", "1", "2"] in [line.split() for line in out.splitlines()]
    assert "budget" not in out.partition("found")[0]
    assert out.splitlines()[-1].startswith("Their bands")
