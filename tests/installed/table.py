"""The table of docs/installed.md from what `make installed-full` ran: python -m tests.installed.table TALLY."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from flows.compose.config import CONF
from tests.faults.table import with_table
from tests.installed.project import KINDS

PAGE = CONF.parent / "docs" / "installed.md"
WAYS = {"checkout": "the clone (`python -m flows.X`)", "wheel": "a wheel", "editable": "an editable install"}
NAMES = ("tasks", "flows", "both")
WORDS = {
    "function": "a training function",
    "supervised": "`tasks.trials.supervised` with the user's model and data",
    "command": "`tasks.trials.command`",
    "served": "a round that Prefect starts (`serve`)",
}


def table(rows: Iterable[dict[str, str]], day: str) -> Iterator[str]:
    """The lines of the table: a row for each kind and way, a column for each name of the user's packages."""
    ran = {(row["kind"], row["how"], row["names"]) for row in rows}
    every = len(WORDS) * len(WAYS) * len(NAMES)
    yield f"`make installed-full` on {day}: {len(ran)} of {every} rounds came to a verdict."
    yield ""
    yield "| workload | tunebook is | package `tasks` | package `flows` | both |"
    yield "|---|---|---|---|---|"
    for kind in (*KINDS, "served"):
        for how, words in WAYS.items():
            cells = ("runs" if (kind, how, names) in ran else "**not shown**" for names in NAMES)
            yield f"| {WORDS[kind]} | {words} | {' | '.join(cells)} |"


def main(tally: str) -> None:
    """Write the table between its marks."""
    rows = [json.loads(line) for line in Path(tally).read_text().splitlines()]
    PAGE.write_text(with_table(PAGE.read_text(), "\n".join(table(rows, date.today().isoformat()))))


if __name__ == "__main__":
    main(sys.argv[1])
