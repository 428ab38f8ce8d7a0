"""Two finished rounds beside each other: in what they differ, what each answered, and what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.answers import Compared
from tasks.record import Record
from tasks.report.joined import shows_gain
from tasks.report.page.tables import domain_text
from tasks.report.said import answer_parts, compared_in
from tasks.report.trials import best_of
from tasks.text import MISSING, band_text, number, plainly

ALIKE = "Both rounds were asked the same, on the same."


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a comparison: what it is about, and how it stands in either round."""

    name: str
    one: str
    other: str


def asked_lines(one: Record, other: Record) -> tuple[Line, ...]:
    """In what the two rounds were asked otherwise: question, seed, overrides, incumbent, space, budget, code."""
    pairs = [Line(name=name, one=a, other=b) for name, a, b in _asked(one, other)]
    return tuple(line for line in pairs if line.one != line.other)


def found_lines(one: Record, other: Record) -> tuple[Line, ...]:
    """What either round answered, with its band; the best value of its search; its verdict."""
    sides = [dict(_found(record)) for record in (one, other)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    return tuple(Line(name=n, one=sides[0].get(n, MISSING), other=sides[1].get(n, MISSING)) for n in names)


def together(one: Record, other: Record) -> str:
    """Whether the two answers can both be true, where they compare the same; else what keeps them apart."""
    if (one.workload, one.objective.metric) != (other.workload, other.objective.metric):
        return "Another workload or metric: their values cannot be compared."
    first, second = compared_in(one), compared_in(other)
    if first is None or second is None or not _same_question(first, second):
        return "They do not compare the same values, so neither answer speaks for or against the other."
    if first.band is None or second.band is None:
        return "One of the answers has no band, so it cannot be told whether they agree."
    apart = first.band[1] < second.band[0] or second.band[1] < first.band[0]
    if apart:
        return "Their bands do not meet: the answers differ by more than luck."
    return "Their bands overlap: luck may explain what the answers differ by."


def answer_cells(record: Record) -> tuple[str, str, str]:
    """`(answer, gain, band)` of a round, each short enough for a column."""
    answer = compared_in(record)
    if answer is None or answer.gain is None:
        return answer_parts(record)[0], "", ""
    word = ("gain" if shows_gain(record, answer) else "no gain") if answer.conclusive else "not conclusive"
    return word, f"{answer.gain:+.4g}", band_text(answer.band)


def _same_question(one: Compared, other: Compared) -> bool:
    return (one.value, one.against) == (other.value, other.against)


def _asked(one: Record, other: Record) -> Iterator[tuple[str, str, str]]:
    yield "workload", one.workload, other.workload
    yield "question", one.goal.question, other.goal.question
    yield "seed", str(one.seed), str(other.seed)
    for name, a, b in _differing(_overrides(one), _overrides(other)):
        yield f"override {name}", a, b
    for name, a, b in _differing(_incumbent(one), _incumbent(other)):
        yield f"incumbent {name}", a, b
    for name, a, b in _differing(_roles(one), _roles(other)):
        yield f"role {name}", a, b
    for name, a, b in _differing(_space(one), _space(other)):
        yield f"space {name}", a, b
    for group in ("budget", "policy"):
        for name, a, b in _differing(getattr(one, group), getattr(other, group)):
            yield f"{group} {name}", a, b
    yield "code", _code(one), _code(other)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys([*one, *other]):
        if one.get(name) != other.get(name):
            a, b = (plainly(side[name]) if name in side else MISSING for side in (one, other))
            yield name, a, b


def _overrides(record: Record) -> dict[str, str]:
    """What was typed, but for what has a line of its own, or says only where a round is kept."""
    said = (o.partition("=") for o in record.reproduce.overrides)
    own = ("seed", "resume", "tracking.root", "workload", "goal")
    return {name.lstrip("+"): value for name, _, value in said if name.lstrip("+") not in own}


def _incumbent(record: Record) -> dict[str, Any]:
    now = record.verdict.incumbent
    return {"generation": now.generation, **now.point, **now.settings}


def _roles(record: Record) -> dict[str, str]:
    roles = record.roles
    named = {**dict.fromkeys(roles.scientific, "scientific"), **dict.fromkeys(roles.nuisance, "nuisance")}
    return named | {name: f"fixed at {number(role.value)}" for name, role in roles.fixed.items()}


def _space(record: Record) -> dict[str, str]:
    """The domain of every hyperparameter that was searched."""
    return {name: domain_text(tree) for study in record.studies for name, tree in study.space.items()}


def _code(record: Record) -> str:
    """What the round ran on, by its fingerprint, with the commit where one is known."""
    commit = (record.reproduce.git_commit or "")[:10]
    return " ".join(part for part in (record.reproduce.fingerprint[:10], commit and f"commit {commit}") if part)


def _found(record: Record) -> Iterator[tuple[str, str]]:
    answer, verdict = compared_in(record), record.verdict
    yield "answer", " ".join(part for part in answer_parts(record) if part)
    if answer is not None and answer.gain is not None:
        yield "gain", f"{number(answer.gain)} {record.objective.metric}, from {answer.source}"
        yield "band", band_text(answer.band)
    searched = [t for t in record.trials if t.purpose != "retrain"]
    best = best_of(record, searched)
    yield "trials", f"{len(searched)} and {len(record.trials) - len(searched)} retrains"
    yield f"best {record.objective.metric}", number(best.best_value) if best else "none feasible"
    yield "fails", ", ".join(dict.fromkeys(f.row for f in record.findings if f.level == "fail")) or "none"
    yield "verdict", f"{verdict.outcome} ({verdict.reason.replace('_', ' ')})"
    if verdict.gain is not None:
        yield "over incumbent", f"{number(verdict.gain)} {record.objective.metric}"
