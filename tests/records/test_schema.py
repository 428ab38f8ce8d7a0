"""docs/record.schema.json is what the types say, and records of every kind are valid by it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tasks.record import Record
from tasks.report.verdict import blockers
from tasks.upgrade import read_record
from tests import record_schema
from tests.report.example_records import example
from tests.report.odd_records import joint, with_kept, with_looks

ROOT = Path(__file__).resolve().parents[2]
STORED = sorted(Path(__file__).with_name("schema_1").glob("*.json"))


@pytest.fixture(scope="module")
def validator() -> Any:
    """Of the published file."""
    tree = json.loads(record_schema.PAGE.read_text())
    Draft202012Validator.check_schema(tree)
    return Draft202012Validator(tree)


def tree_of(record: Record) -> dict[str, Any]:
    """The record as its file has it."""
    tree: dict[str, Any] = json.loads(record.model_dump_json(by_alias=True))
    return tree


def test_the_file_is_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert record_schema.main(["--check"]) == 0, "python -m tests.record_schema writes it anew"
    monkeypatch.setattr(record_schema, "PAGE", tmp_path / "record.schema.json")
    assert record_schema.main(["--check"]) == 1
    assert record_schema.main([]) == 0
    assert record_schema.main(["--check"]) == 0


@pytest.mark.parametrize("path", STORED, ids=lambda p: p.stem)
def test_upgraded_records_of_real_rounds_and_of_an_audit_are_valid(path: Path, validator: Any) -> None:
    assert [*validator.iter_errors(tree_of(read_record(path.read_text())))] == []
    assert not validator.is_valid(json.loads(path.read_text()))


def test_records_of_both_kinds_and_with_an_answer_of_another_are_valid(validator: Any) -> None:
    looked = with_looks(with_kept(example("promote")), ("finalist", "incumbent", 3, {}))
    other = example("na", answer={"kind": "capacity", "largest": 512})
    for record in (looked, example("redesign"), example("keep", feasible=False), joint(), other):
        assert [*validator.iter_errors(tree_of(record))] == []
    assert validator.is_valid(tree_of(looked) | {"weather": "fair"})


def broken(record: Record, *path: str | int, value: object) -> dict[str, Any]:
    """The record's tree with another value at a place."""
    tree = tree_of(record)
    here: Any = tree
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return tree


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 1),
        (("verdict", "reason"), "because"),
        (("trials", 0, "status"), "done"),
        (("gate", "arms", 0, "trials", 0, "value"), "low"),
        (("answer", "source"), "a guess"),
        (("findings", 0, "row"), "Z1"),
    ],
    ids=str,
)
def test_what_is_no_record_is_not_valid(path: tuple[str | int, ...], value: object, validator: Any) -> None:
    assert not validator.is_valid(broken(example("promote"), *path, value=value))


def test_the_lines_of_the_readme_read_what_blocks_from_a_record(tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text().partition("## For other programs")[2]
    lines = section.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "record.json").write_text(example("redesign").model_dump_json(by_alias=True))
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, check=True)
    outcome, findings = done.stdout.splitlines()
    assert outcome.split() == ["redesign", example("redesign").verdict.reason]
    assert all(row in findings for row in {f.row for f in blockers(example("redesign"))})
