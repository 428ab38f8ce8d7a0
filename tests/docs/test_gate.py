"""The numbers of README's table of the gate are those that were measured."""

from tests.docs.blocks import ROOT
from tests.docs.gate import BENCHMARKS, DESIGNS, gate_rows, unmeasured

README = (ROOT / "README.md").read_text(encoding="utf-8")
MEASURED = BENCHMARKS.read_text(encoding="utf-8")


def test_every_number_of_the_table_is_one_that_was_measured() -> None:
    assert [*unmeasured(README, MEASURED)] == []


def test_another_number_is_noticed_whichever_it_is() -> None:
    for design, row in gate_rows(README).items():
        for cell in row[1:6]:
            digit = next(i for i, c in enumerate(cell) if c.isdigit())
            planted = f"{cell[:digit]}{(int(cell[digit]) + 1) % 10}{cell[digit + 1 :]}"
            (line,) = (line for line in README.splitlines() if line.startswith(f"| {row[0]} |"))
            told = [*unmeasured(README.replace(line, line.replace(f"| {cell} |", f"| {planted} |")), MEASURED)]
            assert [sentence.partition(":")[0] for sentence in told] == [design], planted


def test_a_row_that_is_not_there_is_noticed() -> None:
    assert len([*unmeasured("# tunebook\n", MEASURED)]) == len(DESIGNS)
