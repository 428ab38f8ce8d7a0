"""The fenced blocks of README.md and docs/*.md, each with its place, its kind and the comment that marks it.

A block without a kind is tested by nothing. The kinds:

- `figure`: a drawing, or lines that only show a form; marked `<!-- figure -->`;
- `output`: a command and what it printed; marked `<!-- output: NAME -->`, or `<!-- output: NAME, the next of OTHER -->`
  where the command is the one that the round of `OTHER` names as next (tests/docs/shown.py);
- `held`: what a command printed, or what another test looks at; marked `<!-- held by tests/…/test_NAME.py -->`;
- `change`: lines that take the place of one line of a file; marked `<!-- in FILE, instead of: START OF THE LINE -->`;
- `file`: a file of the reader's project; its first line is a comment with the path, `# mine/space/my.yaml`;
- `script`: Python that runs as it is, beside the record.json of a round;
- `commands`: lines for a shell, in a block without a language or with `bash`, `sh` or `console`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", *(str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").glob("*.md"))))
Kind = Literal["figure", "output", "held", "change", "file", "script", "commands"]
SHELL = ("", "bash", "sh", "console")
_FENCE = re.compile(r"( *)(`{3,}|~{3,})\s*(\S*)")
_MARKER = re.compile(r"<!--\s*(.*?)\s*-->")
_OUTPUT = re.compile(r"output: (\w+)(?:, the next of (\w+))?")
_HELD = re.compile(r"held by (tests/\S+\.py)")
_CHANGE = re.compile(r"in (\S+), instead of: (\S.*)")
_FILE = re.compile(r"# (\S*\w\.\w+)")


class Unknown(Exception):
    """A block of no kind, or one whose kind leaves something out."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block. `line` is that of its fence, from 1; `section` is the heading of the second level above it."""

    page: str
    line: int
    section: str
    marker: str
    language: str
    text: str

    @property
    def place(self) -> str:
        """Where the block stands, for whoever mends it."""
        return f"{self.page}:{self.line}"

    @property
    def kind(self) -> Kind:
        """What the block is, and so how it is tested.

        Raises:
            Unknown: nothing tests such a block.
        """
        if self.marker:
            return self._marked()
        if any(line.startswith("$ ") for line in self.text.splitlines()):
            raise Unknown(f"{self.place}: a command with `$ ` and what it printed need a marker, <!-- output: NAME -->")
        if self.language not in SHELL and self.names_file:
            return "file"
        if self.language == "python":
            return "script"
        if self.language in SHELL:
            return "commands"
        raise Unknown(f"{self.place}: a block of `{self.language}` that no test reads; begin it with # PATH")

    def _marked(self) -> Kind:
        if self.marker == "figure":
            return "figure"
        if _OUTPUT.fullmatch(self.marker):
            return "output"
        if _CHANGE.fullmatch(self.marker):
            return "change"
        if (held := _HELD.fullmatch(self.marker)) is not None:
            test = ROOT / held[1]
            if not test.is_file() or Path(self.page).name not in test.read_text():
                raise Unknown(f"{self.place}: {held[1]} is no test that speaks of {Path(self.page).name}")
            return "held"
        raise Unknown(f"{self.place}: <!-- {self.marker} --> marks no kind of block; see tests/docs/blocks.py")

    @property
    def names_file(self) -> str:
        """The path in the comment of the first line; empty where there is none."""
        found = _FILE.match(self.text)
        return found[1] if found else ""

    @property
    def output(self) -> tuple[str, str]:
        """`(name, other)` of a block of output: its name, and that of the round that named its command, if one did."""
        found = _OUTPUT.fullmatch(self.marker)
        return (found[1], found[2] or "") if found else ("", "")

    @property
    def change(self) -> tuple[str, str]:
        """`(file, start)` of a change: the file, and how the line begins that is replaced."""
        found = _CHANGE.fullmatch(self.marker)
        return (found[1], found[2]) if found else ("", "")


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """Every fenced block of a page. A fence that is never closed ends with the page."""
    lines = text.splitlines()
    i, section = 0, ""
    while i < len(lines):
        fence = _FENCE.match(lines[i])
        if fence is None:
            section = lines[i].removeprefix("## ") if lines[i].startswith("## ") else section
            i += 1
            continue
        end = _end(lines, i, fence[2])
        inner = [line.removeprefix(fence[1]) for line in lines[i + 1 : end]]
        yield Block(
            page=page,
            line=i + 1,
            section=section,
            marker=_marker(lines[:i]),
            language=fence[3],
            text="".join(f"{line}\n" for line in inner),
        )
        i = end + 1


def _end(lines: Sequence[str], start: int, fence: str) -> int:
    """The line that closes the fence of the line `start`."""
    closing = (i for i in range(start + 1, len(lines)) if lines[i].strip() == fence)
    return next(closing, len(lines))


def _marker(above: Sequence[str]) -> str:
    """The comment on the line above a block, without its brackets; an empty line may stand between."""
    said = [line for line in above[-2:] if line.strip()]
    found = _MARKER.fullmatch(said[-1].strip()) if said else None
    return found[1] if found else ""


def blocks() -> tuple[Block, ...]:
    """Every block of every page."""
    return tuple(block for page in PAGES for block in blocks_of(page, (ROOT / page).read_text(encoding="utf-8")))
