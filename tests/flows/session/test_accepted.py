"""Who accepted a promotion stands in the YAML, in the ledger's evidence, in the record and in what is printed."""

from pathlib import Path

import pytest

from flows.round import main
from tasks.ledger import open_ledger
from tasks.record import Record, digest
from tasks.report.page.top import top_of
from tests.flows.own_round import TRAIN, arguments, record_in

pytestmark = pytest.mark.usefixtures("undrawn")


def promoted(folder: Path, *more: str) -> tuple[Record, str, dict[str, object]]:
    """The record of a round that promotes, the YAML of what it promoted, and who accepted as the ledger has it."""
    (folder / "own.py").write_text(TRAIN.replace("return 0.05", "return 0.0"))
    assert main(arguments(folder, "store", *more)) == 0
    record = record_in(folder, "store")
    assert record.verdict.outcome == "promote", record.verdict
    with open_ledger(folder.parent / "store") as ledger:
        (generation,) = ledger.generations("own")
    return record, (folder / "incumbent" / "own.yaml").read_text(), generation.evidence["accepted"]


@pytest.mark.playbook("G9", case="shows")
@pytest.mark.prose
def test_what_the_policy_accepts_says_so_in_yaml_ledger_record_and_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, yaml, evidence = promoted(folder)
    assert record.accepted is not None
    assert (record.accepted.by, record.accepted.in_writing) == ("policy", {})
    assert evidence == record.accepted.model_dump()
    assert "# accepted by: the policy (approval=auto)\n" in yaml
    assert "by the policy (approval=auto) (G9)" in capsys.readouterr().out
    assert digest(record.model_copy(update={"accepted": None})) == record.digest


@pytest.mark.playbook("G9", case="shows")
@pytest.mark.prose
def test_what_was_accepted_in_writing_names_the_row_and_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "space/own.yaml").write_text(
        "x: {low: 0.0, high: 0.3}\nz: {low: 0.7, high: 1.0}\nswitch: {choices: [a, b]}\n"
    )
    record, yaml, evidence = promoted(folder, "acknowledge={E2: it is full there, E3: and there, B3: nothing found}")
    assert {f.row for f in record.findings if f.level == "fail"} == {"E2", "E3"}
    assert record.accepted is not None
    assert (record.accepted.by, record.accepted.in_writing) == ("policy", {"E2": "it is full there", "E3": "and there"})
    assert evidence == record.accepted.model_dump()
    assert 'in writing: E2: "it is full there", E3: "and there"' in yaml
    assert 'in writing: E2: "it is full there", E3: "and there"' in " ".join(capsys.readouterr().out.split())
    assert [said for said in top_of(record).sure if said.startswith("Accepted by") and "it is full there" in said]


@pytest.mark.playbook("G9", case="shows")
@pytest.mark.prose
def test_what_a_person_accepts_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: "y")
    record, yaml, evidence = promoted(folder, "approval=ask")
    assert record.accepted is not None
    assert record.accepted.by == evidence["by"] == "person"
    assert "# accepted by: a person (approval=ask)\n" in yaml


@pytest.mark.playbook("G9", case="silent")
def test_a_round_that_promotes_nothing_was_accepted_by_nobody(folder: Path) -> None:
    assert main(arguments(folder, "store", "approval=ask")) == 0
    assert record_in(folder, "store").accepted is None
