"""README's table of the gate against the rows of docs/benchmarks.md that each of its numbers comes from."""

import re
from collections.abc import Iterator, Sequence

from tests.docs.blocks import ROOT

BENCHMARKS = ROOT / "docs" / "benchmarks.md"
DESIGNS = {  # words of README's row: the design in docs/benchmarks.md
    "one finalist against the incumbent": "one finalist",
    "16 retrains of the incumbent on record": "one finalist, 16 kept",
    "three finalists, one of them better": "several finalists",
    "policy=thorough": "thorough, 1 finalist",
}
WORST = {"one finalist, 16 kept": "with 16 kept at 3:1 4.95 %"}  # from more rounds than the row of the table
NO_GAIN = re.compile(r"no gain, SDs \d:\d")
GAINS = ("one better by 1.0", "one better by 1.25", "one better by 1.5")
_FALSE, _RIGHT, _RETRAINS = 2, 3, 6  # columns of docs/benchmarks.md


def cells(row: str) -> list[str]:
    """The cells of a row of a Markdown table."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def gate_rows(readme: str) -> dict[str, list[str]]:
    """README's rows by their designs."""
    rows = [cells(line) for line in readme.splitlines() if line.startswith("| ") and "%" in line]
    return {design: row for words, design in DESIGNS.items() for row in rows if words in row[0]}


def unmeasured(readme: str, benchmarks: str) -> Iterator[str]:
    """A sentence for each number of README's rows that is another one in docs/benchmarks.md, or is not there."""
    measured = [cells(line) for line in benchmarks.splitlines() if line.startswith("| ")]
    found = gate_rows(readme)
    yield from (f"README has no row of the design {design}" for design in DESIGNS.values() if design not in found)
    for design, row in found.items():
        numbers = _behind({truth[1]: truth for truth in measured if truth[0] == design})
        if closer := WORST.get(design):
            assert closer in benchmarks, f"docs/benchmarks.md no longer says {closer!r}"
            numbers[1] = float(closer.split()[-2])
        for said, number in zip(_numbers(row), numbers, strict=True):
            if abs(float(said) - number) > _half(said):
                yield f"{design}: README says {said}, and docs/benchmarks.md has {number:.4g}"


def _numbers(row: Sequence[str]) -> list[str]:
    """The numbers of a row: false, the worst false where it is given, retrains, and how often each gain is found."""
    false = re.findall(r"([\d.]+) %", row[1])
    return [false[0], false[-1], *(re.findall(r"[\d.]+", cell)[0] for cell in row[2:6])]


def _behind(own: dict[str, list[str]]) -> list[float]:
    """What was measured of each of these numbers, shares in percent."""
    false = {truth: 100 * float(row[_FALSE]) for truth, row in own.items() if NO_GAIN.fullmatch(truth)}
    equal = own["no gain, SDs 1:1"]
    found = [100 * float(own[gain][_RIGHT]) for gain in GAINS]
    return [false["no gain, SDs 1:1"], max(false.values()), float(equal[_RETRAINS]), *found]


def _half(said: str) -> float:
    """Half of the last digit that is printed, and what rounding twice may add."""
    return 0.5 * 10.0 ** -len(said.partition(".")[2]) + 1e-9
