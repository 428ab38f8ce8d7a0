"""docs/reliability.md's table, from a tally: python -m tests.faults.table build/faults.jsonl [COMMAND]"""

import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
HEAD = "| fault | what was injected | runs | violations | test |\n|---|---|---:|---:|---|"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each fault and what was injected, in the order of the fault model."""
    lines = [
        f"| {row['fault']} | {row['what']} | {row['runs']:,} | {row['violations']:,} | `{row['test']}` |"
        for row in sorted(rows, key=lambda row: (_place(row["fault"]), row["what"]))
    ]
    return "\n".join([HEAD, *lines])


def written(page: str, rows: Sequence[dict[str, Any]], when: str) -> str:
    """The page with its table replaced.

    Raises:
        ValueError: the page has no place for it.
    """
    return with_table(page, f"{when}\n\n{table(rows)}")


def with_table(page: str, text: str) -> str:
    """The page with the text between its marks.

    Raises:
        ValueError: the page has no place for it.
    """
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _place(fault: str) -> tuple[str, int]:
    match = re.match(r"([A-Z])(\d+)", fault)
    return (match[1], int(match[2])) if match else ("Z", 0)


def main(arguments: Sequence[str]) -> int:
    """Write the page anew from the tally's lines."""
    rows = [json.loads(line) for line in Path(arguments[0]).read_text().splitlines()]
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    command = arguments[1] if len(arguments) > 1 else "make faults"
    when = f"`{command}` on {datetime.now(UTC):%Y-%m-%d}; {machine}."
    PAGE.write_text(written(PAGE.read_text(), rows, when))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
