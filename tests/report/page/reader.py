"""The page of an example, and what a browser would make of it."""

import functools
from html.parser import HTMLParser
from typing import Any

from tasks.record import Record
from tasks.report.page.page import page
from tests.report.example_records import curves_of, example
from tests.report.odd_records import hostile


class Reader(HTMLParser):
    """What a browser would make of the page: its tags with their attributes, and its visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.unseen = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.unseen = tag in ("title", "style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.unseen = False

    def handle_data(self, data: str) -> None:
        self.words += [] if self.unseen else [data]

    @property
    def text(self) -> str:
        """The visible text, blanks folded."""
        return " ".join(" ".join(self.words).split())


@functools.cache
def drawn(outcome: str) -> str:
    """The page of the example with that outcome, drawn once for all tests."""
    record = hostile() if outcome == "hostile" else example(outcome)
    return page(record, curves_of(record), record_path="<script>" if outcome == "hostile" else "")


def read(outcome: str) -> Reader:
    return Reader(drawn(outcome))


def undrawn(outcome: str, **changes: Any) -> Record:
    """The example without a trial: a page that is all words and quickly made."""
    return example(outcome, **{"studies": [], "trials": [], "isolation": []} | changes)
