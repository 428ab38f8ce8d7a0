"""The verdict and the answer in a sentence each, read from a record; shared by page and terminal."""

from datetime import datetime

from tasks.record import Finding, Record, Value
from tasks.scope.finding import blocking
from tasks.text import duration, number, plural, point_label

LEVELS = ("fail", "warn", "na", "ok")


def took(record: Record) -> str:
    """How long the round took, "" where its dates do not say: an audit has no time of its own."""
    try:
        seconds = (datetime.fromisoformat(record.finished) - datetime.fromisoformat(record.created)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return duration(seconds) if seconds > 0 else ""


def blockers(record: Record) -> tuple[Finding, ...]:
    """The findings that block a conclusion: each `fail` that nobody has acknowledged in writing.

    Playbook: E1
    """
    return blocking(record.findings, record.acknowledged)


def by_level(record: Record, level: str) -> tuple[Finding, ...]:
    """The findings of one level, the ones that block before the ones that were acknowledged."""
    own = [f for f in record.findings if f.level == level]
    return tuple(sorted(own, key=lambda f: f.row in record.acknowledged))


def verdict_sentence(record: Record) -> str:
    """What becomes of the configuration, in one sentence with its numbers."""
    verdict, metric = record.verdict, record.objective.metric
    against = f"the incumbent (generation {verdict.incumbent.generation})"
    gain = "" if verdict.gain is None else f" by {number(abs(verdict.gain))} {metric}"
    if verdict.outcome == "promote":
        return f"{_candidate(record)} beats {against}{gain} on fresh retrains, by more than their noise explains."
    if verdict.outcome == "keep":
        return f"{against[0].upper()}{against[1:]} stays: no candidate passed the gate."
    if verdict.outcome == "retrain":
        return f"Undecided: the retrains so far cannot tell the finalist from luck, so {against} stays for now."
    if verdict.outcome == "redesign":
        rows = ", ".join(dict.fromkeys(f.row for f in blockers(record)))
        found = plural(len(blockers(record)), "finding")
        return f"No conclusion yet: {found} ({rows}) must be mended first." if rows else "No conclusion yet."
    return "No configuration was put before the gate; this round's product is its answer and what was learned."


def _candidate(record: Record) -> str:
    """The configuration that was gated, by its scientific values: it may be the arm without the change."""
    point = record.verdict.candidate.point if record.verdict.candidate else {}
    arm = point_label({n: point[n] for n in record.roles.scientific if n in point})
    return f"The configuration with {arm}" if arm else "The finalist"


def answer_sentence(record: Record) -> str:
    """The answer to the question with what stands behind it, or that there is none."""
    return " ".join(part for part in answer_parts(record) if part)


def answer_parts(record: Record) -> tuple[str, str]:
    """`(answer, reserve)`: the answer in one sentence, and why it is none where it is not conclusive."""
    return ("Not conclusive.", _so_far(record)) if not record.answer.conclusive else (_conclusion(record), "")


def _conclusion(record: Record) -> str:
    """A gain above 0 means that `value` is the better one."""
    answer, metric = record.answer, record.objective.metric
    if answer.gain is None:
        return f"{_scientific(record, answer.value)}." if answer.value is not None else "See what was learned."
    value, against = _scientific(record, answer.value), _scientific(record, answer.against)
    if answer.value is None:
        value, against = "The change", "the configuration without it"
    word = "is better than" if answer.gain > 0 else "is worse than" if answer.gain < 0 else "is as good as"
    bar = float(record.policy.get("minimum_gain", 0.0))
    if record.goal.kind == "improve" and answer.band is not None and answer.band[0] <= bar < answer.band[1]:
        return f"No gain is shown: {value} against {against} came out at {number(answer.gain)} {metric}."
    by = f" by {number(abs(answer.gain))} {metric}" if answer.gain else ""
    return f"{value} {word} {against}{by}."


def _so_far(record: Record) -> str:
    answer = record.answer
    if blockers(record):
        return "The findings that block come first; until then the numbers are provisional."
    if not record.roles.scientific:
        return "Nothing was to be compared: goal.scientific={name: [first, second]} says what."
    if answer.gain is None or answer.value is None:
        return "The trials do not suffice for an answer."
    word = "ahead of" if answer.gain > 0 else "behind"
    luck = answer.band is not None and answer.band[0] <= 0 <= answer.band[1]
    noise = "noise of the retrains" if gated(record) else "luck of the search"
    return (
        f"{_scientific(record, answer.value)} is {number(abs(answer.gain))} {record.objective.metric} {word} "
        f"{_scientific(record, answer.against)} so far" + (f", which the {noise} explains as well." if luck else ".")
    )


def other_caveats(record: Record) -> list[str]:
    """The caveats but for those of what is fixed: the roles tell these already."""
    return [c for c in record.caveats if not any(c.startswith(f"Holds for {name} = ") for name in record.roles.fixed)]


def gated(record: Record) -> bool:
    """Whether the answer's band is the gate's: one of its looks then has it."""
    noise, band = record.verdict.noise, record.answer.band
    ends = ((low, noise.get(f"{name[:-4]}.high")) for name, low in noise.items() if name.endswith(".low"))
    return band is not None and any(pair == band for pair in ends)


def _scientific(record: Record, value: Value | None) -> str:
    """`optimizer = adam` where one hyperparameter is scientific, the bare value elsewhere."""
    names = record.roles.scientific
    return f"{names[0]} = {number(value)}" if len(names) == 1 and value is not None else number(value)


def better(record: Record) -> str:
    """Which way is better, for labels."""
    return "lower is better" if record.objective.direction == "minimize" else "higher is better"


def arrow(record: Record, *, across: bool = False) -> str:
    """An arrow to the better end of an axis that goes up, or across."""
    down = record.objective.direction == "minimize"
    return ("(← better)" if down else "(better →)") if across else ("(↓ better)" if down else "(↑ better)")
