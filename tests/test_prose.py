"""Every test that holds the wording of a sentence says so, and the rule that finds them would notice."""

from pathlib import Path

import pytest

from tests.prose.names import loader
from tests.prose.wording import unmarked

ROOT = Path(__file__).resolve().parent.parent
HEAD = "import pytest\n"
TABLE = HEAD + 'SAID = {"a": ("x", "the range is too narrow")}\n'
REFUSES = HEAD + "def refused(words, said):\n    with pytest.raises(ValueError, match=said):\n        ask(words)\n"
BREACHES = {
    "compared": 'def test_a():\n    assert said == "the range is too narrow"',
    "found in a text": 'def test_a():\n    assert f"{name} is far too narrow" in text',
    "asked for": 'def test_a():\n    assert text.startswith("the range is")',
    "picked out": 'def test_a():\n    (it,) = [s for s in told if "range is too narrow" in s]\n    assert it',
    "raised": HEAD + 'def test_a():\n    with pytest.raises(ValueError, match=r"range is \\w+ narrow"):\n        f()',
    "parametrized": HEAD + '@pytest.mark.parametrize(("a", "b"), [(1, "it is narrow")])\n'
    "def test_a(a, b):\n    assert f(a) == b",
    "in a table": TABLE + '@pytest.mark.parametrize("a", SAID)\n'
    "def test_a(a):\n    x, said = SAID[a]\n    assert said in f(x)",
    "in a loop over a table": TABLE + "def test_a():\n    for x, said in SAID.values():\n        assert said in f(x)",
    "asked by a function": REFUSES + 'def test_a():\n    refused([1], "a list will not do")',
    "asked by a fixture": HEAD + "@pytest.fixture\ndef refused():\n    def ask(words, said):\n"
    '        assert said in f(words)\n    return ask\ndef test_a(refused):\n    refused([1], "it will not do")',
}
TWINS = {
    "marked": HEAD + '@pytest.mark.prose\ndef test_a():\n    assert said == "the range is too narrow"',
    "marked as a whole": HEAD + 'pytestmark = pytest.mark.prose\ndef test_a():\n    assert said == "it is narrow"',
    "two words": 'def test_a():\n    assert "too narrow" in text',
    "no words": 'def test_a():\n    assert text == "0.1 to 0.5, log: lr=1 a.b.c"',
    "an input": 'def test_a():\n    assert main(["say it is narrow"]) == 0',
    "put in and found again": 'def test_a():\n    assert f(notes="a note of mine").notes == "a note of mine"',
    "why it fails": 'def test_a():\n    assert f(), "it ought to be true"',
    "a document": 'def test_a():\n    """It is far too narrow."""\n    assert f()',
    "the other column": TABLE.replace('"x", ', '"a b c", ') + '@pytest.mark.parametrize("a", SAID)\n'
    "def test_a(a):\n    x, said = SAID[a]\n    assert g(said) == 2",
}


def test_what_compares_three_words_carries_the_marker() -> None:
    load, paths = loader(ROOT), sorted((ROOT / "tests").rglob("test_*.py"))
    found = [(path.name, *breach) for path in paths for breach in unmarked(path.read_text(), load)]
    assert found == [], "mark each with pytest.mark.prose"


@pytest.mark.parametrize("breach", BREACHES)
def test_an_unmarked_sentence_is_noticed(breach: str) -> None:
    assert [name for name, _ in unmarked(BREACHES[breach])] == ["test_a"]


@pytest.mark.parametrize("twin", TWINS)
def test_its_clean_twin_is_left_in_peace(twin: str) -> None:
    assert [*unmarked(TWINS[twin])] == []
