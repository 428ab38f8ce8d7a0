"""A report of hostile strings has no live tag, and says nothing that its reader does not see (S10)."""

from collections import Counter
from html.parser import HTMLParser

import pytest

from tasks.report.page.page import SCRIPT, page
from tests.faults.conftest import Tally, Times
from tests.report import odd_records
from tests.report.example_records import curves_of, example
from tests.report.odd_records import hostile

STRINGS = (
    *("<script>alert(1)</script>", "javascript:alert(1)", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "\x1b[31mred"),
    *(
        "</script><script>alert(1)</script>",
        "data:text/html,<b>",
        "' onmouseover='alert(1)",
        "{% raw %}",
        "\u202etxt.exe",
    ),
    *("</title><svg/onload=alert(1)>", "vbscript:x", "`${alert(1)}`", "$\\href{javascript:1}{x}$", "\u2066x\u2069"),
    *(
        "]]><script>1</script>",
        "//evil.example/x.js",
        '" style="background:url(//evil.example)"',
        "<!--",
        "\x00\x08\x9b",
    ),
    *(
        "</style><iframe src=//evil.example>",
        "x" * 10_000,
        "&#x3c;script&#x3e;1&#x3c;/script&#x3e;",
        "%3Cscript%3E",
        "\ufeff",
    ),
    *("<math><mtext><script>1</script>", "file:///etc/passwd", '\\"><base href=//evil.example>', "$$", "\u2028\u2029"),
)
LIVE = {
    "script",
    "img",
    "iframe",
    "object",
    "embed",
    "link",
    "base",
    "form",
    "a",
    "video",
    "audio",
    "math",
    "foreignobject",
}


class Reader(HTMLParser):
    """How often each tag is there, and what in the page would act or load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.alive: list[str] = []
        self.feed(text.replace(f"<script>{SCRIPT}</script>", "", 1))  # ours, once

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.alive += [tag] if tag in LIVE else []
        for name, value in attrs:
            acts = name.startswith("on") or ("script:" in (value or "").lower())
            loads = name.split(":")[-1] in ("src", "href", "srcset", "data", "action", "formaction")
            if acts or (loads and not (value or "").startswith(("#", "data:image/png;base64,"))):
                self.alive.append(f"{tag} {name}={value}")


def test_no_string_of_a_record_comes_alive_in_its_report(
    monkeypatch: pytest.MonkeyPatch, times: Times, tally: Tally
) -> None:
    clean = set(Reader(page(example("redesign"), {})).tags)
    batches = [STRINGS[i : i + 5] for i in range(0, len(STRINGS), 5)][: times(2, 99)]
    wrong = []
    for batch in batches:
        monkeypatch.setattr(odd_records, "HOSTILE", batch)
        record = hostile()
        text = page(record, curves_of(record), record_path=batch[0])
        reader = Reader(text)
        wrong += [*reader.alive, *(set(reader.tags) - clean)]
        wrong += [repr(c) for c in "\x00\x08\x1b\x9b\u202e\u2066" if c in text]
    assert wrong == []
    tally("S10", "hostile strings in reports", sum(map(len, batches)), len(wrong))


def test_the_reader_would_notice() -> None:
    for text in (
        "<p onclick=x>",
        "<script>",
        "<a href=javascript:x>",
        "<img src=//x>",
        "<svg onload=x>",
        "<use xlink:href=/x>",
    ):
        assert Reader(text).alive, text
    assert Reader("<p class=x>&lt;script&gt; javascript: onclick=x</p><use xlink:href='#a'/>").alive == []
