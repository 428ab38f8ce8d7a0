"""Tests that hold the wording of a sentence carry the marker `prose`: they are what a change of words will meet.

What a test compares in its own lines is looked at here; what it takes from tables was marked by hand.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MARKER = "pytest.mark.prose"
SENTENCE = re.compile(r"(?:(?:^| )[\"'(`]*[A-Za-z][A-Za-z'-]*[\"')`,;:.]*(?= |$)){3}")  # three words in a row


def unmarked(source: str) -> Iterator[tuple[str, str]]:
    """`(test, words)` of each test without the marker that compares three words, or wants them to be raised."""
    tree = ast.parse(source)
    if any(MARKER in ast.unparse(n) for n in tree.body if isinstance(n, ast.Assign)):
        return
    for test in (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")):
        if not any(MARKER in ast.unparse(d) for d in test.decorator_list):
            asked = [text for text in _compared(test) if SENTENCE.search(text) and source.count(text) == 1]
            yield from ((test.name, text) for text in asked[:1])


def _compared(test: ast.FunctionDef) -> Iterator[str]:
    """The strings that a test compares with, or looks for."""
    for node in ast.walk(test):
        sides: list[ast.expr] = []
        if isinstance(node, ast.Assert):
            compares = [c for c in ast.walk(node.test) if isinstance(c, ast.Compare)]
            sides = [side for c in compares for side in (c.left, *c.comparators)]
        elif isinstance(node, ast.keyword) and node.arg == "match":
            sides = [node.value]
        yield from (side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str))


BREACHES = {
    "compared": 'def test_a():\n    assert said == "the range is too narrow"',
    "found in a text": 'def test_a():\n    assert "range is too narrow" in text',
    "raised": 'def test_a():\n    with pytest.raises(ValueError, match="range is too narrow"):\n        f()',
}
TWINS = {
    "marked": '@pytest.mark.prose\ndef test_a():\n    assert said == "the range is too narrow"',
    "marked as a whole": 'pytestmark = pytest.mark.prose\ndef test_a():\n    assert said == "it is narrow"',
    "two words": 'def test_a():\n    assert "too narrow" in text',
    "numbers": 'def test_a():\n    assert text == "0.1 to 0.5, log: lr=1 a.b.c"',
    "an input": 'def test_a():\n    assert main(["say it is narrow"]) == 0',
    "why it fails": 'def test_a():\n    assert f(), "it ought to be true"',
    "put in and found again": 'def test_a():\n    assert f(notes="note of mine").notes == "note of mine"',
}


def test_what_compares_a_sentence_carries_the_marker() -> None:
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    found = [(str(path.relative_to(ROOT)), *breach) for path in paths for breach in unmarked(path.read_text())]
    assert found == [], "mark each with pytest.mark.prose"


@pytest.mark.parametrize("breach", BREACHES)
def test_an_unmarked_sentence_is_noticed(breach: str) -> None:
    assert [name for name, _ in unmarked(BREACHES[breach])] == ["test_a"]


@pytest.mark.parametrize("twin", TWINS)
def test_its_clean_twin_is_left_in_peace(twin: str) -> None:
    assert [*unmarked(TWINS[twin])] == []
