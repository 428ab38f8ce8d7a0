"""docs/playbook.md tells the truth: it is read from the source, and every row that claims to be done is shown."""

import re
from pathlib import Path

import pytest

from tests import playbook
from tests.playbook import CASES, KINDS, PAGE, PARTLY, ROOT, ROWS, Playbook

NOW = playbook.read(ROOT)
CITED = [row for row in ROWS if NOW.carried(row)]


def test_the_checklist_has_151_rows_in_eleven_chapters() -> None:
    assert {chapter: len(kinds) for chapter, kinds in KINDS.items()} == {
        "A": 18, "B": 8, "C": 10, "D": 16, "E": 13, "F": 15, "G": 14, "H": 15, "I": 14, "J": 20, "K": 8
    }  # fmt: skip
    assert len(ROWS) == 151
    assert set("".join(KINDS.values())) == set(playbook.KIND_NAMES)


def test_the_page_is_up_to_date() -> None:
    current = PAGE.read_text() if PAGE.exists() else ""
    assert current == playbook.page(NOW), "run: python -m tests.playbook"


@pytest.mark.parametrize("row", CITED)
def test_every_row_that_the_code_names_is_shown_by_tests(row: str) -> None:
    assert NOW.lacks(row) == [], f"{row} ({playbook.KIND_NAMES[ROWS[row]]}) is named by {NOW.carried(row)[0].path}"


@pytest.mark.parametrize("row", [row for row in ROWS if NOW.grade(row) == "full"])
def test_every_row_that_is_graded_full_names_the_tests_that_show_it(row: str) -> None:
    line = next(text for text in playbook.page(NOW).splitlines() if text.startswith(f"| {row} |"))
    wanted = ("fires", "silent") if ROWS[row] in "GC" else ("fires", "shows")
    named = [case for case in wanted if f"*{case}*: " in line]
    assert named == list(wanted) if ROWS[row] in "GC" else named
    assert "no test yet" not in line


def test_what_is_graded_partly_is_carried_out_and_says_what_is_missing() -> None:
    assert {row for row in PARTLY if NOW.grade(row) != "partly"} == set()
    assert {row: why for row, why in PARTLY.items() if not (20 <= len(why) <= 160 and why.endswith("."))} == {}


def test_docstrings_and_markers_name_rows_that_exist() -> None:
    named = {row for c in NOW.carriers for row in c.rows} | {row for e in NOW.evidence for row in e.rows}
    assert named - set(ROWS) == set()
    assert {e.case for e in NOW.evidence} <= set(CASES)


def test_every_test_is_evidence_for_rows_that_something_carries_out() -> None:
    orphans = {row: e.name for e in NOW.evidence for row in e.rows if row not in CITED}
    assert orphans == {}


def test_every_line_that_begins_like_a_citation_is_one() -> None:
    for folder in ("flows", "tasks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            lines = re.findall(r"^\s*Playbook:.*$", path.read_text(), re.MULTILINE)
            cited = list(playbook.carriers("", path.read_text()))
            assert len(lines) == len(cited), (
                f"{path}: one of {lines} is not `Playbook: E2, E3` on a docstring's last line"
            )


def test_every_file_that_the_page_links_to_exists() -> None:
    links = re.findall(r"\]\((\.\./[^)]+)\)", playbook.page(NOW))
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


CODE = '''
def near_edge() -> int:
    """Warns where the best
    is near an edge | or < so.

    Why.

    Playbook: E2, E13
    """

def unrelated() -> int:
    """Cites Playbook: E3 in the middle of things."""
'''
TESTS = """
@pytest.mark.playbook("E2", "E13", case="fires")
@pytest.mark.playbook("E2", case="silent")
def test_a_b() -> None: ...

@pytest.mark.parametrize("x", [1])
@pytest.mark.playbook("E2", case="fires")
def test_c() -> None: ...

def test_without() -> None: ...
"""


def planted(code: str, tests: str) -> Playbook:
    """What one module and one test file say."""
    return Playbook(
        carriers=tuple(playbook.carriers("tasks/a.py", code)),
        evidence=tuple(playbook.evidence("tests/test_a.py", tests)),
    )


@pytest.mark.prose
def test_a_row_is_done_when_it_is_named_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbook, "PARTLY", {"E13": "Not for a parameter of one value."})
    found = planted(CODE, TESTS)
    assert [row for row in ROWS if found.done(row)] == ["E2", "E13"]
    assert [e.name for e in found.shown("E2", "fires")] == ["test_a_b", "test_c"]
    assert "**2 of 151 rows are carried out**" in playbook.page(found)
    assert (
        "| E2 | check | full | Warns where the best is near an edge \\| or &lt; so. "
        "| [a.py](../tasks/a.py) `near_edge` |" in (playbook.page(found))
    )


@pytest.mark.parametrize(
    ("code", "tests", "lacking"),
    [
        (CODE, TESTS.replace('case="silent"', 'case="shows"'), ["silent"]),
        (CODE, TESTS.replace('case="fires"', 'case="silent"'), ["fires"]),
        (CODE, "", ["fires", "silent"]),
    ],
)
def test_a_check_without_its_planted_fault_or_its_twin_is_not_done(code: str, tests: str, lacking: list[str]) -> None:
    found = planted(code, tests)
    assert found.lacks("E2") == lacking
    assert not found.done("E2")
    assert f"**no test yet: {' and '.join(lacking)}**" in playbook.page(found)


@pytest.mark.prose
def test_a_shown_row_that_no_code_names_is_not_done() -> None:
    assert not planted("", TESTS).done("E2")
    assert "Absent: E1, E2," in playbook.page(planted("", TESTS))


def test_a_marker_for_a_whole_file_counts_for_each_of_its_tests() -> None:
    found = planted(CODE, 'pytestmark = [pytest.mark.playbook("E13", case="shows")]\ndef test_x() -> None: ...\n')
    assert found.done("E13")


def test_the_command_writes_the_page_and_then_finds_it_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playbook, "PAGE", tmp_path / "docs" / "playbook.md")
    assert playbook.main(["--check"]) == 1
    assert playbook.main([]) == 0
    assert playbook.main(["--check"]) == 0
