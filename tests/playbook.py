"""Writes docs/playbook.md: for each row of the playbook what carries it out, where, and which tests show it.

    python -m tests.playbook            write it
    python -m tests.playbook --check    only say whether it is up to date

All but the grades is read from the source: the last line of a docstring, `Playbook: E2, E3`, names the rows that a
function or class carries out; the marker `@pytest.mark.playbook("E2", case="fires")` names the rows that a test is
evidence for. How far a row is carried out stands in `tests/grades.yaml`.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "playbook.md"
PARTLY: Mapping[str, str] = yaml.safe_load((ROOT / "tests" / "grades.yaml").read_text()) or {}

CHAPTERS = {
    "A": "Starting a project",
    "B": "Rounds and goals",
    "C": "Roles",
    "D": "Studies and budget",
    "E": "The checklist before conclusions",
    "F": "Training curves and isolation",
    "G": "Adopting a change, and after exploration",
    "H": "The number of steps",
    "I": "The instability doctor",
    "J": "Pipeline, checkpoints, tracking",
    "K": "Prescriptions that had no row",
}
# The kind of each chapter's rows, in order: Execute (the software does it), Guard (before compute is spent), Check
# (of the results), Record.
KINDS = {
    "A": "RGGGGEECCGCRGCGGCG",
    "B": "EGGRCCCE",
    "C": "GGRGGGGGGE",
    "D": "EEEGGEERGGGCEREE",
    "E": "RCCECCCECCCEE",
    "F": "ECCCCCCCCCEEGEE",
    "G": "RECCCRCCEGEEGG",
    "H": "CGCGGERCCECRECE",
    "I": "ECEEECCEEECECC",
    "J": "CGEGCCECEEGERGGGGGCR",
    "K": "EGCRGRCR",
}
ROWS = {f"{chapter}{i}": kind for chapter, kinds in KINDS.items() for i, kind in enumerate(kinds, 1)}
KIND_NAMES = {"E": "execute", "G": "guard", "C": "check", "R": "record"}
CASES = ("fires", "silent", "shows")
NAMED_CARRIERS = 3  # of each row; functions before classes, those that name the fewest rows first
NAMED_TESTS = 2  # of each case; the file has the others

ROW = r"[A-K]\d{1,2}"
LAST_LINE = re.compile(rf"\n\s*Playbook: ({ROW}(?:, {ROW})*)\.?\s*$")


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """A function or class that carries out `rows`; `how` is the first line of its docstring."""

    rows: tuple[str, ...]
    how: str
    path: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A test that is evidence for `rows`; `case`: it fires on a fault, is silent on the clean twin, or shows."""

    rows: tuple[str, ...]
    case: str
    path: str
    name: str


def carriers(path: str, source: str) -> Iterator[Carrier]:
    """What the docstrings of a module say that it carries out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            docstring = ast.get_docstring(node) or ""
            last = LAST_LINE.search(docstring)
            if last:
                rows = tuple(re.findall(ROW, last[1]))
                how = " ".join(docstring.split("\n\n")[0].split())
                yield Carrier(rows=rows, how=how, path=path, name=getattr(node, "name", ""))


def evidence(path: str, source: str) -> Iterator[Evidence]:
    """What the markers of a test file say that its tests are evidence for, in the order of the file."""
    tree = ast.parse(source)
    of_all = [m for node in tree.body if _assigns(node, "pytestmark") for m in _markers(list(ast.walk(node)))]
    for node in sorted(ast.walk(tree), key=lambda n: getattr(n, "lineno", 0)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for rows, case in (*of_all, *_markers(list(node.decorator_list))):
                yield Evidence(rows=rows, case=case, path=path, name=node.name)


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)


def _markers(nodes: Sequence[ast.AST]) -> Iterator[tuple[tuple[str, ...], str]]:
    """`(rows, case)` of each `pytest.mark.playbook(...)` among the nodes."""
    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.playbook":
            case = next((ast.literal_eval(k.value) for k in node.keywords if k.arg == "case"), "")
            yield tuple(str(ast.literal_eval(a)) for a in node.args), str(case)


@dataclass(frozen=True, kw_only=True)
class Playbook:
    """Everything that the source says of the playbook."""

    carriers: tuple[Carrier, ...]
    evidence: tuple[Evidence, ...]

    def carried(self, row: str) -> list[Carrier]:
        """What carries out the row."""
        found = [c for c in self.carriers if row in c.rows]
        return sorted(found, key=lambda c: (c.name[:1].isupper(), len(c.rows)))

    def shown(self, row: str, case: str) -> list[Evidence]:
        """The tests of that case, each once."""
        return list({(e.path, e.name): e for e in self.evidence if row in e.rows and e.case == case}.values())

    def lacks(self, row: str) -> list[str]:
        """The cases that the row still needs: a guard or a check fires and is silent, the others are shown.

        What is executed or recorded may also be shown by a test that fires.
        """
        if ROWS[row] in "GC":
            return [case for case in ("fires", "silent") if not self.shown(row, case)]
        return [] if any(self.shown(row, case) for case in CASES) else ["shows"]

    def done(self, row: str) -> bool:
        """Whether the row is carried out and tests show it."""
        return bool(self.carried(row)) and not self.lacks(row)

    def grade(self, row: str) -> str:
        """How far the row is carried out, as an outsider would say: `full`, `partly` or `absent`."""
        return "absent" if not self.done(row) else "partly" if row in PARTLY else "full"


def read(root: Path) -> Playbook:
    """What the source below `root` says."""

    def files(*folders: str) -> Iterator[tuple[str, str]]:
        for path in sorted(p for folder in folders for p in (root / folder).rglob("*.py")):
            yield path.relative_to(root).as_posix(), path.read_text()

    return Playbook(
        carriers=tuple(c for path, source in files("flows", "tasks") for c in carriers(path, source)),
        evidence=tuple(e for path, source in files("tests") for e in evidence(path, source)),
    )


def page(playbook: Playbook) -> str:
    """docs/playbook.md."""
    done = [row for row in ROWS if playbook.done(row)]
    full = [row for row in ROWS if playbook.grade(row) == "full"]
    lines = [
        "# The playbook, row by row",
        "",
        "Which function carries out which prescription of the",
        "[Deep Learning Tuning Playbook](https://github.com/google-research/tuning_playbook), and which tests show it.",
        "Written by `python -m tests.playbook` from docstrings and test markers; do not edit it by hand.",
        "",
        f"**{len(done)} of {len(ROWS)} rows are carried out**: a function names the row, and tests show it. A guard or",
        "a check needs a test in which it fires on a planted fault and one in which it is silent on the clean twin.",
        f"Of these, {len(full)} are graded full and {len(done) - len(full)} partly, with what is missing.",
    ]
    for chapter, title in CHAPTERS.items():
        lines += ["", f"## {chapter}. {title}", "", *_table(playbook, [r for r in ROWS if r[0] == chapter])]
    return "\n".join(lines) + "\n"


def _table(playbook: Playbook, rows: list[str]) -> list[str]:
    """The rows of a chapter that something carries out, and the names of those that nothing does."""
    lines = []
    there = [row for row in rows if playbook.carried(row)]
    if there:
        lines += ["| row | kind | grade | how | where | tests |", "|---|---|---|---|---|---|"]
        lines += [_line(playbook, row) for row in there]
    missing = [row for row in rows if row not in there]
    if missing:
        lines += [*([""] if there else []), f"Absent: {', '.join(missing)}."]
    return lines


def _line(playbook: Playbook, row: str) -> str:
    found = playbook.carried(row)
    named = found[:NAMED_CARRIERS]
    how = "<br>".join(dict.fromkeys(_escaped(c.how) for c in named))
    where = "<br>".join(f"{_link(c.path)} `{c.name}`" if c.name else _link(c.path) for c in named)
    where += f"<br>+{len(found) - len(named)}" if len(found) > len(named) else ""
    shown = [_tests(case, playbook.shown(row, case)) for case in CASES if playbook.shown(row, case)]
    lacking = playbook.lacks(row)
    shown += [f"**no test yet: {' and '.join(lacking)}**"] if lacking else []
    grade = playbook.grade(row) + (f": {_escaped(PARTLY[row])}" if playbook.grade(row) == "partly" else "")
    return f"| {row} | {KIND_NAMES[ROWS[row]]} | {grade} | {how} | {where} | {'<br>'.join(shown)} |"


def _tests(case: str, found: list[Evidence]) -> str:
    """`fires: a test that says what it shows (test_guards.py), +3`."""
    named = [f"{e.name.removeprefix('test_').replace('_', ' ')} ({_link(e.path)})" for e in found[:NAMED_TESTS]]
    more = len(found) - len(named)
    return f"*{case}*: {'; '.join(named)}{f'; +{more}' if more else ''}"


def _link(path: str) -> str:
    return f"[{path.removeprefix('tasks/').removeprefix('tests/')}](../{path})"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` say whether it is up to date; 1 where it is not."""
    wanted = page(read(ROOT))
    if list(arguments) == ["--check"]:
        current = PAGE.read_text() if PAGE.exists() else ""
        print(
            "docs/playbook.md is up to date" if current == wanted else "docs/playbook.md: run python -m tests.playbook"
        )
        return int(current != wanted)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
