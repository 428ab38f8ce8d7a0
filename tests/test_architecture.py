"""docs/architecture.md shows the tree as it is, and every file that it names in its text is there."""

import re
from pathlib import Path

import pytest

from tests import architecture


def test_the_page_is_up_to_date() -> None:
    assert architecture.main(["--check"]) == 0, "python -m tests.architecture writes it anew"


def test_a_file_that_came_or_changed_its_first_line_makes_the_page_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for top in architecture.TOPS:
        (tmp_path / top / "room").mkdir(parents=True)
        (tmp_path / top / "__init__.py").write_text('"""A top."""\n')
        (tmp_path / top / "room" / "__init__.py").write_text('"""A room."""\n')
        (tmp_path / top / "room" / "one.py").write_text('"""One thing.\n\nMore of it."""\n')
    page = tmp_path / "page.md"
    page.write_text(f"text before\n{architecture.BEGIN}\n{architecture.END}\ntext after\n")
    monkeypatch.setattr(architecture, "ROOT", tmp_path)
    monkeypatch.setattr(architecture, "PAGE", page)
    assert architecture.main(["--check"]) == 1
    assert architecture.main([]) == 0
    assert architecture.main(["--check"]) == 0
    assert "  - **room/** A room.\n    - `one.py` One thing.\n" in page.read_text()
    assert page.read_text().endswith("text after\n")
    (tmp_path / "tasks" / "room" / "two.py").write_text('"""Another."""\n')
    assert architecture.main(["--check"]) == 1


def test_every_path_that_the_text_names_exists() -> None:
    text = architecture.PAGE.read_text().split(architecture.BEGIN)[0]
    named = set(re.findall(r"`((?:flows|tasks|conf|tests|docs|mlruns)/[\w./]*)`", text))
    assert len(named) > 20
    assert [path for path in sorted(named) if not (architecture.ROOT / path).exists()] == []
