"""`Question` is what is asked, `finding` and `not_checked` make findings, `blocking` decides which of them block.

A finding's evidence begins with one sentence that stands alone, its `headline`; more numbers and advice follow.

`fail` blocks a conclusion, `warn` never does, `na` means that the question could not be asked (never: clean).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from tasks.record import Finding, Frozen, Level, NotChecked, Number, Where

Judged = Literal["ok", "warn", "fail"]

HEADLINE = 160  # characters: what a table or a terminal shows of a finding
_END = re.compile(r"""[.?!][")']*(?=\s["'(]?[A-Z0-9])""")  # where a sentence may end
_ABBREVIATED = re.compile(r"\b(?:e\.g|i\.e|vs|cf|approx|resp)\.$")
_CLAUSE = re.compile(r"[;:,] | \(")


class Question(Frozen):
    """One row of the playbook as it is asked, and by level the reasons in which the asking can end.

    `fail` blocks a conclusion. `na`: why it may not be asked, besides the purposes of trials and the kind of goal.
    """

    row: str
    asks: str = Field(pattern=r".*\?$")
    fail: tuple[str, ...] = ()
    warn: tuple[str, ...] = ()
    ok: tuple[str, ...] = ()
    na: tuple[NotChecked, ...] = ()

    def reasons(self, level: Level) -> frozenset[str]:
        """The reasons of one level."""
        return frozenset({"fail": self.fail, "warn": self.warn, "ok": self.ok, "na": self.na}[level])


def finding(
    check: str,
    row: str,
    level: Judged,
    evidence: str,
    *,
    reason: str,
    trials: Iterable[str] = (),
    study: str | None = None,
    parameter: str | None = None,
    side: str | None = None,
    trial: str | None = None,
    numbers: Mapping[str, Number | None] | None = None,
    remedy: Iterable[str] = (),
) -> Finding:
    """A finding of a question that was asked; the keywords say where, with which numbers and what to do about it.

    `reason`: the code of this way to end the check. Of a question that was not asked, see `not_checked`.
    """
    if level not in ("ok", "warn", "fail"):
        raise ValueError(f"{check} ({row}): a question that was not asked is made by not_checked, not by {level}")
    where = Where.model_validate({"study": study, "parameter": parameter, "side": side, "trial": trial})
    return Finding(
        check=check,
        row=row,
        level=level,
        reason=reason,
        trials=tuple(trials),
        where=where,
        evidence=evidence,
        numbers=dict(numbers or {}),
        remedy=tuple(remedy),
    )


def not_checked(
    check: str,
    row: str,
    because: NotChecked,
    evidence: str,
    *,
    trials: Iterable[str] = (),
    study: str | None = None,
    parameter: str | None = None,
    trial: str | None = None,
    numbers: Mapping[str, Number | None] | None = None,
) -> Finding:
    """The finding of level `na`: the question could not be asked or answered, `because` is why. Never: clean."""
    return Finding(
        check=check,
        row=row,
        level="na",
        reason=because.value,
        trials=tuple(trials),
        where=Where(study=study, parameter=parameter, trial=trial),
        evidence=evidence,
        numbers=dict(numbers or {}),
    )


def headline(evidence: str) -> str:
    """The first sentence of a finding's evidence: what tables and the terminal show.

    Of a sentence with more than `HEADLINE` characters, as very long names make it, the clauses that fit.
    """
    line = " ".join(evidence.split())
    ends = (m.end() for m in _END.finditer(line) if not _ABBREVIATED.search(line, 0, m.end()))
    first = line[: next((end for end in ends if _closed(line[:end])), len(line))]
    if len(first) <= HEADLINE:
        return first
    clauses = [m.start() for m in _CLAUSE.finditer(first, 0, HEADLINE) if _closed(first[: m.start()])]
    words = [place for place, character in enumerate(first[:HEADLINE]) if character == " "]
    end = (clauses or words or [HEADLINE - 1])[-1]
    return f"{first[:end].rstrip(' ,;:.')}."


def further(evidence: str) -> str:
    """What follows the headline, which is all of the evidence where the headline is only a part of its sentence."""
    line, first = " ".join(evidence.split()), headline(evidence)
    return line.removeprefix(first).strip()


def _closed(text: str) -> bool:
    """Whether no quotation mark and no parenthesis is left open."""
    return text.count('"') % 2 == 0 and text.count("(") == text.count(")")


def blocking(findings: Iterable[Finding], acknowledged: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings that block a conclusion: every `fail` whose row nobody has acknowledged in writing.

    Playbook: E1
    """
    return tuple(f for f in findings if f.level == "fail" and f.row not in acknowledged)
