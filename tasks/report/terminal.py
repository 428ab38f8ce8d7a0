"""The round in at most 25 lines of text for a terminal: verdict, answer and reasons first, the next command last."""

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tasks.record import Finding, Record, StudyRow
from tasks.report.promoted import promoted_parts
from tasks.report.said import RETRAINS, answer_sentence, compared_in
from tasks.report.stated import evaluation_sentence, exploration_line
from tasks.report.trials import best_of, counted, isolation_of, lost, sign, study_label, trials_of
from tasks.report.verdict import LEVELS, better, blockers, by_level, other_caveats, took, verdict_sentence
from tasks.scope.finding import headline
from tasks.scope.guards.all import GUARDS
from tasks.text import band_text, number, one_line, plural

LINES = 25  # of the whole, without the next command and the paths
INDENT = 10  # the column in which everything but the labels begins
REASONS = 2  # of the verdict: those of the candidate that won, or came furthest, stand first
_GUARDS = frozenset(guard.name for guard in GUARDS)
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


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of the report: items of a line or more, of which the first `most` are shown as far as there is room.

    `rank`: blocks of the lowest rank are given room first. `more`: what items that are left out are called, "" where
    nothing is said of them; `sizes`: how many of them an item stands for, one where nothing is said.
    """

    rank: int
    items: tuple[tuple[str, ...], ...]
    label: str = ""
    most: int = 99
    more: str = ""
    sizes: tuple[int, ...] = ()

    def within(self, room: int) -> list[str]:
        """The lines of as many items as there is room for, and one line that counts the others."""
        shown, left = list(self.items[: self.most]), room - bool(self.more and len(self.items) > self.most)
        while shown and sum(map(len, shown)) > left:
            shown.pop()
            left = room - bool(self.more)
        lines = [line for item in shown for line in item]
        if self.more and shown and len(shown) < len(self.items):
            rest = sum((self.sizes or (1,) * len(self.items))[len(shown) :])
            lines.append(f"and {rest} more{self.more}")
        return [f"{self.label if i == 0 else '':<{INDENT}}{line}" for i, line in enumerate(lines)]


def text(record: Record, *, width: int = 100, colour: bool = False, paths: Sequence[str] = ()) -> str:
    """The report for a terminal: at most `LINES` lines, the next command and the paths apart.

    What does not fit is left out whole, the least important first, and nothing is cut off within a sentence: of a
    finding the first sentence is shown. Control characters in what people wrote are dropped, so that no name can move
    the cursor or change a colour. The command is never wrapped: it is there to be copied.

    Playbook: C3, E1
    """
    room = max(width - INDENT, 20)
    parts = [*_conclusion(record, room, colour), *_evidence(record, room), *_findings(record, room, colour)]
    parts += [*_stated(record, room), *_next(record, room)]
    head = _head(record, width)
    given: dict[int, list[str]] = {}
    left = LINES - len(head)
    for i, part in sorted(enumerate(parts), key=lambda each: each[1].rank):
        given[i] = part.within(left if part.rank else sum(map(len, part.items)))  # of rank 0 nothing is left out
        left -= len(given[i])
    lines = [*head, *(line for i in range(len(parts)) for line in given[i])]
    lines += [f"{'':<{INDENT}}{one_line(record.next.command)}"] if record.next.command else []
    lines += [f"{'' if i else 'files':<{INDENT}}{one_line(path)}" for i, path in enumerate(paths)]
    return "\n".join(lines)


def _head(record: Record, width: int) -> list[str]:
    """The question, and what was run."""
    searched = [t for t in record.trials if t.purpose != "retrain"]
    retrains = len(record.trials) - len(searched)
    facts = [record.workload, f"{record.objective.metric}, {better(record)}", counted(record, searched)]
    facts += [plural(retrains, "retrain")] if retrains else []
    facts += [took(record)] if took(record) else []
    question = textwrap.wrap(one_line(record.goal.question), width)
    return [*question[:2], *textwrap.wrap(one_line(" · ".join(facts)), width)[:2], ""]


def _conclusion(record: Record, room: int, colour: bool) -> Iterator[Block]:
    """The verdict, the answer, and the reasons; where findings block, those are the reasons and stand below."""
    verdict = verdict_sentence(record, labels=False)  # the reasons below tell the arms apart
    said = (
        paint(line, record.verdict.outcome, colour) for line in _wrapped(f"{record.verdict.outcome}: {verdict}", room)
    )
    yield Block(rank=0, label="verdict", items=(tuple(said),))
    yield Block(rank=0, label="answer", items=(_wrapped(answer_sentence(record) + _band(record), room),))
    for label, lines in promoted_parts(record, room):
        yield Block(rank=2, label=label, items=(lines,))
    if not blockers(record):
        reasons = [_wrapped(reason, room) for reason in record.verdict.reasons]
        yield Block(rank=3, label="reasons", items=tuple(reasons[:REASONS]))
        yield Block(rank=8, items=tuple(reasons[REASONS:]))
    if record.accepted:
        rank = 2 if record.accepted.in_writing else 11  # what rests on a written reason is not left out first
        yield Block(rank=rank, label="accepted", items=(_wrapped(f"by {record.accepted.text} (G9)", room),))


def _evidence(record: Record, room: int) -> Iterator[Block]:
    """The roles, a line each, and the studies, the best first if there are many."""
    studies = sorted(record.studies, key=lambda s: _loss(record, s)) if len(record.studies) > 5 else record.studies
    rows = [_study(record, s) for s in studies]
    columns = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
    lines = (f"{label:<{columns[0]}}  {value:<{columns[1]}}  {count}" for label, value, count in rows)
    items = tuple(tuple(textwrap.wrap(line, room, drop_whitespace=False)) or ("",) for line in lines)
    yield Block(rank=4, label="studies", items=items, most=5, more=" studies")
    fixed = [f"{name} = {number(role.value)}" for name, role in record.roles.fixed.items()]
    roles = (("scientific", record.roles.scientific), ("nuisance", record.roles.nuisance), ("fixed", fixed))
    told = tuple((names_line(f"{role} ", [one_line(name) for name in names], room),) for role, names in roles if names)
    yield Block(rank=9, label="roles", items=told)


def _findings(record: Record, room: int, colour: bool) -> Iterator[Block]:
    """What is not clean: the blocking first; what could not be asked by its row id alone."""
    groups = {level: by_level(record, level) for level in LEVELS}
    alike: dict[str, dict[tuple[str, str], list[Finding]]] = {"fail": {}, "warn": {}}
    for level, said in alike.items():
        for found in sorted(groups[level], key=_was_warned_of):
            said.setdefault((found.row, found.reason), []).append(found)
    words = {"na": "not checked"}
    tally = [f"{len(own)} {words.get(level, level)}" for level, own in groups.items() if own]
    yield Block(rank=0, label="findings", items=(_wrapped(", ".join(tally) or "none asked", room),))
    for level, rank, most in (("fail", 1, 4), ("warn", 6, 3)):
        items = tuple(_finding(record, own, room, colour) for own in alike[level].values())
        sizes = tuple(map(len, alike[level].values()))
        yield Block(rank=rank, items=items, most=most, more=f" {level}", sizes=sizes)
    rows = [*dict.fromkeys(f.row for f in groups["na"])]
    yield Block(rank=8, items=((names_line("not checked: ", rows, room),),) if rows else ())
    caveats = tuple(_wrapped(caveat, room) for caveat in other_caveats(record))
    yield Block(rank=7, label="caveats", items=caveats, most=3, more=" caveats")


def _was_warned_of(finding: Finding) -> bool:
    """Whether it is a guard's, and so was printed before the round began: what the trials say comes first."""
    return finding.level == "warn" and finding.check in _GUARDS


def _stated(record: Record, room: int) -> Iterator[Block]:
    """Which number is which, and what was explored so far; nothing of what was not recorded."""
    for label, told in (("numbers", evaluation_sentence(record)), ("explored", exploration_line(record))):
        yield Block(rank=12, label=label, items=(_wrapped(told, room),) if told else ())


def _next(record: Record, room: int) -> Iterator[Block]:
    why = record.next.why
    yield Block(rank=0, label="next", items=(_wrapped(why[:1].upper() + why[1:] or "The command:", room),))


def _study(record: Record, study: StudyRow) -> tuple[str, str, str]:
    trials = trials_of(record, study)
    best, row = best_of(record, trials), isolation_of(record, study)
    band = f", band {band_text(row.band)}" if best and row and row.band else ""
    value = f"best {number(best.best_value)}{band}" if best else "none feasible"
    gone = lost(record, trials, brief=True)
    count = f"{', '.join(gone)} of {len(trials):,}" if gone else plural(len(trials), "trial")
    return one_line(study_label(record, study)), value, count


def _loss(record: Record, study: StudyRow) -> float:
    best = best_of(record, trials_of(record, study))
    return math.inf if best is None or best.best_value is None else sign(record) * best.best_value


def _finding(record: Record, alike: Sequence[Finding], room: int, colour: bool) -> tuple[str, ...]:
    """The first sentence of the first of findings that say the same of several studies, and what was written of it."""
    finding, others = alike[0], len(alike) - 1
    why = record.acknowledged.get(finding.row)
    head = f"{finding.level} {finding.row:<4}"
    study = next((s for s in record.studies if len(record.studies) > 1 and s.id == finding.where.study), None)
    named = study_label(record, study) if study else ""
    sentence = headline(one_line(finding.evidence))
    named = f"{named} and {others} more" if named and others else named
    label = f"{named}: " if named and named not in sentence else ""
    lines = list(_wrapped(label + sentence, room - len(head)))
    if why and finding.level == "fail":
        lines += _wrapped(f"(acknowledged: {one_line(why)})", room - len(head))
    first, *rest = lines
    return (paint(head, finding.level, colour) + first, *(f"{'':<{len(head)}}{line}" for line in rest))


def _band(record: Record) -> str:
    answer = compared_in(record)
    if answer is None or answer.band is None:
        return ""
    kind = "from fresh retrains" if answer.source == RETRAINS else "in 9 of 10 such searches"
    return f" Band of the gain: {band_text(answer.band)}, {kind}."


def _wrapped(words: str, room: int) -> tuple[str, ...]:
    """The words in as many lines as they need."""
    return tuple(textwrap.wrap(one_line(words), max(room, 10))) or ("",)


def names_line(head: str, names: Iterable[str], room: int) -> str:
    """The names on one line after its head; those for which there is no room are counted."""
    names = list(names)
    whole = head + ", ".join(names)
    shown = len(names)
    while shown and len(whole) > room:
        shown -= 1
        whole = f"{head}{', '.join(names[:shown])}{' and ' if shown else ''}{len(names) - shown} more"
    return whole


def paint(words: str, name: str, colour: bool) -> str:
    """The words in the colour of that name, or as they are."""
    return f"\x1b[1;{PAINT[name]}m{words}\x1b[0m" if colour else words
