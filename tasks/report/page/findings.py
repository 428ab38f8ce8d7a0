"""The findings as the page shows them: what blocks, what warns, what is clean, and what was not checked."""

from dataclasses import dataclass, field

from tasks.record import Finding, Record
from tasks.report.trials import study_label
from tasks.report.verdict import NOT_APPLICABLE, by_level
from tasks.scope.finding import further, headline
from tasks.text import number

GROUPS = {
    "fail": "Fail",
    "warn": "Warn",
    "ok": "OK",
    "na": "Not checked",
    NOT_APPLICABLE: "Not applicable to this round",
}


@dataclass(frozen=True, kw_only=True)
class FindingCard:
    """A finding as text: its headline, and what follows.

    `why` is the written reason of an acknowledged one, `trial` the trial that the finding speaks of.
    """

    row: str
    level: str
    check: str
    where: tuple[str, ...]
    trial: str
    headline: str
    further: str
    numbers: tuple[tuple[str, str], ...]
    remedy: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class FindingGroup:
    """The findings of one level, the blocking ones first."""

    level: str
    title: str
    cards: tuple[FindingCard, ...] = field(default=())


def groups_of(record: Record) -> tuple[FindingGroup, ...]:
    """The levels that have findings: what blocks, what warns, what is clean, what was not checked.

    Playbook: E1
    """
    every = (
        FindingGroup(level=level, title=title, cards=tuple(_card(record, f) for f in by_level(record, level)))
        for level, title in GROUPS.items()
    )
    return tuple(group for group in every if group.cards)


def spare_reasons(record: Record) -> list[tuple[str, str]]:
    """The rows acknowledged in writing that nothing was found against: the reason stays on the page.

    Playbook: E1
    """
    found = {f.row for f in record.findings if f.level in ("fail", "warn")}
    return [(row, why) for row, why in record.acknowledged.items() if row not in found]


def _card(record: Record, finding: Finding) -> FindingCard:
    where = finding.where
    labels = {s.id: study_label(record, s) for s in record.studies}
    study = "" if where.study is None else labels.get(where.study, where.study)
    parts = [study, where.parameter or "", f"{where.side} side" if where.side else ""]
    return FindingCard(
        row=finding.row,
        level=finding.level,
        check=finding.check,
        where=tuple(p for p in parts if p),
        trial=where.trial or "",
        headline=headline(finding.evidence),
        further=further(finding.evidence),
        numbers=tuple((k.replace("_", " "), number(v)) for k, v in finding.numbers.items()),
        remedy=finding.remedy,
        why=record.acknowledged.get(finding.row, "") if finding.level in ("fail", "warn") else "",
    )
