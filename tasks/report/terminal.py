"""The round as about forty lines of text for a terminal, the verdict and the next command last."""

import math
import textwrap
from collections.abc import Iterator, Sequence

from tasks.record import Finding, Record, StudyRow
from tasks.report.promoted import promoted_lines
from tasks.report.said import RETRAINS, answer_sentence, compared_in
from tasks.report.stated import evaluation_sentence, exploration_line
from tasks.report.trials import best_of, counted, isolation_of, lost, sign, study_label, trials_of
from tasks.report.verdict import LEVELS, better, by_level, other_caveats, took, verdict_sentence
from tasks.text import band_text, cut, number, one_line, plural

SHOWN = {"fail": 4, "warn": 3}  # findings of each level that are written out; the page has them all
LINES = 2  # of each
REASONS = 3
STUDIES = 5
CAVEATS = 4
INDENT = 10  # the column in which everything but the labels begins
PAINT = {
    "fail": "31",
    "warn": "33",
    "promote": "32",
    "keep": "36",
    "retrain": "33",
    "redesign": "31",
    "na": "0",
    "bold": "1",
}


def text(record: Record, *, width: int = 100, colour: bool = False, paths: Sequence[str] = ()) -> str:
    """The report for a terminal: about forty lines at most, the last ones the verdict, the next command, the paths.

    Control characters in what people wrote are dropped, so that no name can move the cursor or change a colour.
    The command is never wrapped: it is there to be copied.

    Playbook: C3, E1
    """
    verdict = verdict_sentence(record, labels=False)  # the reasons above it tell the arms apart
    lines = [
        *_question(record, width),
        *_caveats(record, width),
        *_studies(record, width),
        *_stated(record, width),
        *_findings(record, width, colour),
        *_labelled("answer", answer_sentence(record) + _band(record), width),
        "",
        *_reasons(record.verdict.reasons[:REASONS], width),
        *(_labelled("accepted", f"by {record.accepted.text} (G9)", width) if record.accepted else ()),
        *_to_do(record, width),
        *_labelled("verdict", f"{record.verdict.outcome}: {verdict}", width, colour=_tone(record, colour)),
        *promoted_lines(record, width, INDENT),
        _one("next", record.next.command),
        *(_one("" if i else "files", path) for i, path in enumerate(paths)),
    ]
    return "\n".join(lines)


def _question(record: Record, width: int) -> Iterator[str]:
    roles = record.roles
    fixed = ", ".join(f"{k} = {number(f.value)}" for k, f in roles.fixed.items())
    parts = [("scientific", ", ".join(roles.scientific)), ("fixed", fixed), ("nuisance", ", ".join(roles.nuisance))]
    yield from textwrap.wrap(one_line(record.goal.question), width)[:2]
    searched = [t for t in record.trials if t.purpose != "retrain"]
    retrains = len(record.trials) - len(searched)
    facts = [record.workload, f"{record.objective.metric}, {better(record)}", counted(record, searched)]
    facts += [plural(retrains, "retrain")] if retrains else []
    facts += [took(record)] if took(record) else []
    yield from textwrap.wrap(one_line(" · ".join(facts)), width)[:2]
    yield ""
    yield cut(f"{'roles':<{INDENT}}" + "; ".join(f"{role} {names}" for role, names in parts if names), width)


def _caveats(record: Record, width: int) -> Iterator[str]:
    """What else the conclusions hang on, a line each: what an audit had to guess, what differed between the trials."""
    told = other_caveats(record)
    for i, caveat in enumerate(told[:CAVEATS]):
        yield cut(f"{'' if i else 'caveats':<{INDENT}}{one_line(caveat)}", width)
    if told[CAVEATS:]:
        yield f"{'':<{INDENT}}and {len(told) - CAVEATS} more"


def _studies(record: Record, width: int) -> Iterator[str]:
    """A line for each study: its label, its best value with the band, its trials; only the best ones if many."""
    studies = (
        sorted(record.studies, key=lambda s: _loss(record, s)) if len(record.studies) > STUDIES else record.studies
    )
    rows = [_study(record, s) for s in studies[:STUDIES]]
    columns = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
    for i, (label, value, count) in enumerate(rows):
        head = "studies" if i == 0 else ""
        yield cut(f"{head:<{INDENT}}{label:<{columns[0]}}  {value:<{columns[1]}}  {count}", width)
    if len(studies) > STUDIES:
        yield f"{'':<{INDENT}}and {len(studies) - STUDIES} more"


def _stated(record: Record, width: int) -> Iterator[str]:
    """Which number is which, and what was explored so far; nothing of what was not recorded."""
    if told := evaluation_sentence(record):
        yield from _labelled("numbers", told, width)
    if told := exploration_line(record):
        yield from _labelled("explored", told, width)


def _study(record: Record, study: StudyRow) -> tuple[str, str, str]:
    trials = trials_of(record, study)
    best, row = best_of(record, trials), isolation_of(record, study)
    band = f", band {band_text(row.band)}" if best and row and row.band else ""
    value = f"best {number(best.best_value)}{band}" if best else "none feasible"
    gone = lost(record, trials, brief=True)
    count = f"{', '.join(gone)} of {len(trials):,}" if gone else plural(len(trials), "trial")
    return cut(study_label(record, study), 40), value, count


def _loss(record: Record, study: StudyRow) -> float:
    best = best_of(record, trials_of(record, study))
    return math.inf if best is None or best.best_value is None else sign(record) * best.best_value


def _findings(record: Record, width: int, colour: bool) -> Iterator[str]:
    """What is not clean: the blocking first and with their remedies; what could not be asked by its row id alone."""
    groups = {level: by_level(record, level) for level in LEVELS}
    words = {"na": "not checked"}
    tally = ", ".join(f"{len(own)} {words.get(level, level)}" for level, own in groups.items() if own)
    yield cut(f"{'findings':<{INDENT}}{tally or 'none asked'}", width)
    for level, most in SHOWN.items():
        own = groups[level]
        for finding in own[:most]:
            yield from _finding(record, finding, width, colour)
        if len(own) > most:
            yield f"{'':<{INDENT}}and {len(own) - most} more {level}"
    if groups["na"]:
        rows = " ".join(dict.fromkeys(f.row for f in groups["na"]))
        yield cut(f"{'':<{INDENT}}not checked: {rows}", width)


def _finding(record: Record, finding: Finding, width: int, colour: bool) -> Iterator[str]:
    why = record.acknowledged.get(finding.row)
    head = f"{finding.level} {finding.row:<4}"
    several = finding.level == "warn" and len(record.studies) > 1
    study = next((s for s in record.studies if several and s.id == finding.where.study), None)
    label = f"{cut(study_label(record, study), 40)}: " if study else ""
    sentence = label + one_line(finding.evidence)
    room = max(width - INDENT - len(head), 20)
    lines = textwrap.wrap(sentence, room) or [""]
    lines = lines if len(lines) <= LINES else [*lines[: LINES - 1], cut(" ".join(lines[LINES - 1 :]), room)]
    yield f"{'':<{INDENT}}{paint(head, finding.level, colour)}{lines[0]}"
    yield from (f"{'':<{INDENT + len(head)}}{line}" for line in lines[1:])
    if why and finding.level == "fail":
        yield cut(f"{'':<{INDENT + len(head)}}(acknowledged: {one_line(why)})", width)
    if finding.remedy and finding.level == "fail":
        yield cut(f"{'':<{INDENT + len(head)}}remedy: {' '.join(finding.remedy)}", width)


def _reasons(reasons: Sequence[str], width: int) -> Iterator[str]:
    for i, reason in enumerate(reasons):
        yield from _labelled("" if i else "reasons", reason, width)


def _band(record: Record) -> str:
    answer = compared_in(record)
    if answer is None or answer.band is None:
        return ""
    kind = "from fresh retrains" if answer.source == RETRAINS else "in 9 of 10 such searches"
    return f" Band of the gain: {band_text(answer.band)}, {kind}."


def _to_do(record: Record, width: int) -> Iterator[str]:
    """What must be done before the next command can help, where that command is the same again."""
    unsettled = record.verdict.outcome in ("redesign", "retrain")
    if unsettled and record.next.overrides == record.reproduce.overrides:
        yield from _labelled("to do", record.next.why, width)


def _labelled(label: str, sentence: str, width: int, colour: str = "") -> Iterator[str]:
    """A label in the left column and up to three lines of text beside it."""
    room = max(width - INDENT, 20)
    lines = textwrap.wrap(one_line(sentence), room) or [""]
    lines = lines if len(lines) <= 3 else [*lines[:2], cut(" ".join(lines[2:]), room)]
    for i, line in enumerate(lines):
        yield f"{label if i == 0 else '':<{INDENT}}{paint(line, colour, bool(colour))}"


def _one(label: str, value: str) -> str:
    return f"{label:<{INDENT}}{one_line(value)}"


def _tone(record: Record, colour: bool) -> str:
    return record.verdict.outcome if colour else ""


def paint(words: str, name: str, colour: bool) -> str:
    """The words in the colour of that name, or as they are."""
    return f"\x1b[1;{PAINT[name]}m{words}\x1b[0m" if colour else words
