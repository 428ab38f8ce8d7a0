"""Writes docs/checks.md: for each row what a guard, a check or a review asks, how, with which thresholds, and its ends.

    python -m tests.checks_page            write it
    python -m tests.checks_page --check    only say whether it is up to date

All is read from the registries and from docstrings.
"""

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.analyze import analysis
from tasks.analyze.checks.check import Check
from tasks.analyze.reviews.review import Review
from tasks.analyze.thresholds import bounds_text
from tasks.promote.seeds import SEEDS, RetrainCheck
from tasks.record import Frozen, Level
from tasks.scope.finding import Question
from tasks.scope.guards.all import GUARDS
from tasks.scope.guards.guard import Guard

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "checks.md"
LEVELS: tuple[Level, ...] = ("fail", "warn", "ok", "na")
HEAD = """\
# The checks, row by row

What tunebook asks of a round, how it finds the answer, and in which ways each question can end. Written by
`python -m tests.checks_page` from the registries and docstrings; do not edit it by hand.

- A **guard** is asked of the configuration before anything runs, a **check** of the trials, a **review** of what the
  checks found.
- `fail` blocks: of a guard the start of the round, of a check its conclusion, unless it is acknowledged in writing
  (`acknowledge={E2: "why it may stand"}`). `warn` never blocks. `na` is *not checked*, and never means clean.
- The **reason** is a code that other programs can rely on; the sentence of a finding may change. Every check may also
  end as `na` with `other_purpose`, where no trial was run for what it reads, and every guard with `not_the_question`,
  where its kind of goal makes it meaningless. Findings from before there were reasons have `not_recorded`.
- A check's **thresholds** are set as `policy.<name>=...`, on the command line or in a policy of your own. "playbook":
  the number stands in the Deep Learning Tuning Playbook; "ours": the playbook says it in words, the number is our
  default. Those of the guards stand in [conf/policy/default.yaml](../conf/policy/default.yaml).
- How often each check is wrong, on planted truth: [calibration.md](calibration.md).
"""

Asked = Guard | Check | Review | RetrainCheck


def page() -> str:
    """docs/checks.md: a section a row, in the order of the playbook."""
    found = [(q, asked) for asked in registry() for q in questions(asked)]
    rows = sorted({q.row for q, _ in found}, key=lambda row: (row[0], int(row[1:])))
    parts = [HEAD, *("\n".join(_section(row, [f for f in found if f[0].row == row])) for row in rows)]
    return "\n".join(parts)


def registry() -> tuple[Asked, ...]:
    """Every guard, check and review, in their order."""
    return (*GUARDS, *analysis.CHECKS, *analysis.REVIEWS, SEEDS)


def questions(asked: Asked) -> tuple[Question, ...]:
    """The rows that it answers."""
    return (asked.question,) if isinstance(asked, Guard) else asked.questions


def _section(row: str, found: Sequence[tuple[Question, Asked]]) -> Iterator[str]:
    yield f"## {row}"
    for question, asked in found:
        yield ""
        yield f"### {question.asks}"
        yield ""
        yield f"A {_what(asked)}, *{asked.name}*: {_link(asked)}"
        for text in _how(row, asked):
            yield ""
            yield text
        yield ""
        yield from _ends(question)
        yield from _thresholds(() if isinstance(asked, Guard) else asked.thresholds)
    yield ""


def _what(asked: Asked) -> str:
    return "check of the retrains" if isinstance(asked, RetrainCheck) else type(asked).__name__.lower()


def _link(asked: Asked) -> str:
    path = Path(inspect.getfile(asked.ask)).resolve().relative_to(ROOT)
    return f"[{path.relative_to('tasks')}](../{path}) `{asked.ask.__name__}`."


def _how(row: str, asked: Asked) -> Iterator[str]:
    """The docstring of what is asked, and of those functions of its module that begin with the row."""
    yield _plain(inspect.getdoc(asked.ask) or "")
    for function in vars(inspect.getmodule(asked.ask)).values():
        told = (inspect.getdoc(function) or "") if inspect.isfunction(function) else ""
        if told.startswith(f"{row}: "):
            yield _plain(told.removeprefix(f"{row}: "))


def _plain(docstring: str) -> str:
    """The docstring without the line that names its rows, its paragraphs as they are."""
    kept = [p for p in docstring.split("\n\n") if not p.startswith("Playbook: ")]
    first = kept[0][:1].upper() + kept[0][1:] if kept else ""
    return "\n\n".join([first, *kept[1:]])


def _ends(question: Question) -> Iterator[str]:
    for level in LEVELS:
        reasons = ", ".join(f"`{reason}`" for reason in sorted(question.reasons(level)))
        if reasons:
            yield f"- {level}{' (blocks)' * (level == 'fail')}: {reasons}"


def _thresholds(kinds: Sequence[type[Frozen]]) -> Iterator[str]:
    if not kinds:
        return
    yield ""
    yield from ("| threshold | default | bounds | where it comes from |", "|---|---|---|---|")
    for name, field in ((n, f) for kind in kinds for n, f in kind.model_fields.items()):
        yield f"| `policy.{name}` | {field.default} | {bounds_text(field)} | {field.description} |"


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` say whether it is up to date; 1 where it is not."""
    wanted = page()
    if list(arguments) == ["--check"]:
        return int(not PAGE.exists() or PAGE.read_text() != wanted)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
