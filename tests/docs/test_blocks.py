"""Every block of README and docs is of a kind that a test reads, and what breaks that is told by file and line."""

import pytest

from tests.docs.blocks import PAGES, SHELL, Unknown, blocks, blocks_of

EVERY = blocks()


def kinds(text: str) -> list[str]:
    """The kinds of the blocks of a page."""
    return [block.kind for block in blocks_of("page.md", text)]


@pytest.mark.parametrize("block", EVERY, ids=lambda block: block.place)
def test_every_block_is_of_a_kind_that_is_tested(block: object) -> None:
    assert block.kind  # type: ignore[attr-defined]


def test_the_pages_are_looked_at_as_a_whole() -> None:
    assert {"README.md", "docs/chain.md", "docs/architecture.md"} <= set(PAGES)
    assert {"file", "script", "commands", "output", "figure"} <= {block.kind for block in EVERY}


@pytest.mark.parametrize(
    "planted",
    {
        "a language that nothing reads": "```toml\na = 1\n```\n",
        "YAML of no file": "```yaml\na: 1\n```\n",
        "a marker that means nothing": "<!-- picture -->\n```\nx\n```\n",
        "held by a test that there is not": "<!-- held by tests/test_none.py -->\n```\n$ tunebook\n```\n",
        "held by a test of something else": "<!-- held by tests/test_files.py -->\n```\n$ tunebook\n```\n",
        "an output that nothing stands behind": "```\n$ tunebook round\nverdict   keep\n```\n",
    }.items(),
    ids=lambda planted: planted[0],
)
def test_a_block_of_no_kind_is_refused_with_its_place(planted: tuple[str, str]) -> None:
    with pytest.raises(Unknown, match=r"^page\.md:\d+: "):
        kinds(f"# A page\n\n{planted[1]}")


def test_its_clean_twins_have_a_kind() -> None:
    twins = "```yaml\n# mine/space/my.yaml\na: 1\n```\n<!-- figure -->\n```\nx ─▶ y\n```\n"
    twins += "<!-- output: one -->\n```\n$ tunebook round\nverdict   keep\n```\n```python\nprint(1)\n```\n"
    assert kinds(twins) == ["file", "figure", "output", "script"]
    assert kinds("<!-- in a.py, instead of: for step -->\n\n```python\n    pass\n```\n") == ["change"]
    held = "<!-- held by tests/flows/before/test_page.py -->\n```\n$ tunebook round check=plan\nquestion\n```\n"
    assert [block.kind for block in blocks_of("docs/before.md", held)] == ["held"]
    assert kinds("".join(f"```{language}\nmake demo\n```\n" for language in SHELL)) == ["commands"] * len(SHELL)


def test_a_block_knows_its_line_its_section_and_its_text_without_the_indent_of_its_list() -> None:
    page = "# Title\n## One\ntext\n\n- item\n\n  ```bash\n  make demo\n    # more\n  ```\n### In it\n~~~\n```\n~~~\n"
    first, second = blocks_of("page.md", page)
    assert (first.place, first.section, first.text) == ("page.md:7", "One", "make demo\n  # more\n")
    assert (second.line, second.section, second.text) == (12, "One", "```\n")


def test_a_comment_marks_the_block_right_below_it_alone() -> None:
    assert kinds("<!-- figure -->\nwords\n```\nmake demo\n```\n") == ["commands"]
