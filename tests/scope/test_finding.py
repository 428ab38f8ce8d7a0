"""A finding's first sentence is what tables and the terminal show: it is found, it is short, and it is never cut."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.record import Finding, NotChecked
from tasks.scope.finding import HEADLINE, finding, further, headline, not_checked
from tests.scope.headlines import begins_short

ROOT = Path(__file__).resolve().parents[2]
STORED = sorted({*ROOT.glob("docs/chain/*.json"), *ROOT.glob("tests/records/schema_1/*.json")})
LONG = " and ".join(["a name of which nobody would think"] * 6)


@pytest.mark.parametrize(
    ("evidence", "first"),
    [
        ("One sentence.", "One sentence."),
        ("Three of 24 trials, 0.5 % at most. Then more.", "Three of 24 trials, 0.5 % at most."),
        ("The best is 1. 3 of 24 trials are good.", "The best is 1."),
        ("Is it so? Yes.", "Is it so?"),
        ("Take Adam, e.g. Then go on.", "Take Adam, e.g. Then go on."),
        ("Adam vs. Nesterov is open. More.", "Adam vs. Nesterov is open."),
        (
            "The width is fixed at 128 (as before. So it is) here. More.",
            "The width is fixed at 128 (as before. So it is) here.",
        ),
        ('width is fixed ("as before. So it is"): tune it. More.', 'width is fixed ("as before. So it is"): tune it.'),
        ("a.b.c = 1e-3. learning_rate follows. More.", "a.b.c = 1e-3. learning_rate follows."),
        ("No full stop", "No full stop"),
        ("Two\n  lines. More.", "Two lines."),
    ],
)
def test_the_headline_is_the_first_sentence(evidence: str, first: str) -> None:
    assert headline(evidence) == first


@pytest.mark.prose
def test_a_sentence_that_is_too_long_ends_with_its_last_clause_that_fits() -> None:
    assert headline(f"It was found: 3 of 24 trials (of {LONG}) failed.") == "It was found: 3 of 24 trials."
    assert headline(f"First, second; {LONG}.") == "First, second."


@given(st.text(alphabet='ab ("),.;: A1\n', max_size=400))
def test_a_headline_is_one_short_line_without_an_ellipsis(evidence: str) -> None:
    said = headline(evidence)
    assert len(said) <= HEADLINE
    assert "\n" not in said
    assert "…" not in said


def test_nothing_that_is_said_is_lost() -> None:
    assert further("One. Two.  Three.") == "Two. Three."
    assert further("One.") == ""
    assert further(f"It failed, of {LONG}.") == f"It failed, of {LONG}."


def test_a_name_that_is_too_long_by_itself_is_still_one_line() -> None:
    assert len(headline("x" * 500)) == HEADLINE


@pytest.mark.parametrize("path", STORED, ids=lambda p: p.stem)
def test_every_finding_of_a_stored_record_has_a_headline(path: Path) -> None:
    said = [headline(f["evidence"]) for f in json.loads(path.read_text())["findings"]]
    assert said
    assert all(0 < len(text) <= HEADLINE for text in said)


@pytest.mark.long_names
def test_the_law_sees_what_the_tests_make(findings_made: list[Finding]) -> None:
    """tests/conftest.py fails each test that makes a finding which does not begin with a short sentence."""
    long = finding("a check", "E2", "warn", f"{LONG} fail.", reason="long")
    short = not_checked("a check", "E2", NotChecked.TOO_NOISY, f"They fail. They are {LONG}.")
    assert findings_made == [long, short]
    assert [begins_short(f) for f in findings_made] == [False, True]
