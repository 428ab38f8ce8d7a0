"""Writes the tree of docs/architecture.md: each file with the first line of its docstring, so that it is never stale.

python -m tests.architecture            write it
python -m tests.architecture --check    only say whether it is up to date
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.house.laws import ROOMS, SIDE_ROOMS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- tree: written by python -m tests.architecture -->", "<!-- end of the tree -->"
TOPS = ("flows", "tasks")


def tree(root: Path) -> str:
    """The files of the tops as a Markdown list, folders before what they hold."""
    return "\n".join(line for top in TOPS for line in _lines(root / top, 0))


def _lines(folder: Path, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}- **{folder.name}/** {_says(folder / '__init__.py')}"
    for path in sorted(folder.glob("*.py"), key=lambda p: p.name):
        if path.name != "__init__.py":
            yield f"{'  ' * (depth + 1)}- `{path.name}` {_says(path)}"
    for inner in sorted((p.parent for p in folder.glob("*/__init__.py")), key=_place):
        yield from _lines(inner, depth + 1)


def _place(folder: Path) -> tuple[int, str]:
    """Rooms in the order in which data flows, other folders by name."""
    rooms = (*ROOMS, *SIDE_ROOMS)
    return (rooms.index(folder.name) if folder.name in rooms else 0, folder.name)


def _says(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]


def written(page: str, root: Path) -> str:
    """The page with the tree as it is now between its marks."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{tree(root)}\n{END}{rest.split(END)[1]}"


def main(arguments: Sequence[str]) -> int:
    """The exit status: 1 where `--check` finds the page out of date."""
    before = PAGE.read_text()
    after = written(before, ROOT)
    if "--check" in arguments:
        return int(before != after)
    PAGE.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
