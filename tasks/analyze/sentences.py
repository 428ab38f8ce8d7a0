"""What a record says in words: verdict, answer and arms in a sentence each, shared by page and terminal."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from tasks.record import Finding, IsolationRow, Record, StudyRow, TrialRow, Value
from tasks.scope.finding import blocking
from tasks.scope.space import same

LEVELS = ("fail", "warn", "na", "ok")
MISSING = "\u2013"
STUCK_TRIALS = "stuck_trials"  # E8's number that names them, as a JSON list
NEVER_LEARNED = "never learned (stayed at chance or blew up): counts as infeasible in the checks"


def number(value: Value | None) -> str:
    """A value as a person writes it: four significant digits, no padded exponent, a dash for what is missing."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    if math.isfinite(value) and 1e4 <= abs(value) < 1e6:
        return f"{value:.0f}"
    mantissa, mark, exponent = f"{value:.4g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else mantissa


def band_text(band: tuple[float, float] | None) -> str:
    """The two ends of a band, a dash where there is none."""
    return MISSING if band is None else f"{number(band[0])} to {number(band[1])}"


def spread_text(mean: float, half: float) -> str:
    """`mean ± half`, both to the second significant digit of the half width."""
    if not math.isfinite(half) or half <= 0:
        return number(mean)
    digits = max(0, 1 - math.floor(math.log10(half)))
    return f"{mean:.{digits}f} ± {half:.{digits}f}" if digits < 8 else f"{number(mean)} ± {half:.2g}"


def percent(share: float) -> str:
    """A share between 0 and 1 in whole percent."""
    return f"{100 * share:.3g} %"


def duration(seconds: float) -> str:
    """A time in the two units that matter."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def took(record: Record) -> str:
    """How long the round took, "" where its dates do not say: an audit has no time of its own."""
    try:
        seconds = (datetime.fromisoformat(record.finished) - datetime.fromisoformat(record.created)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return duration(seconds) if seconds > 0 else ""


def point_label(point: dict[str, Value]) -> str:
    """A point, or the scientific values of an arm, on one line in the order given."""
    return ", ".join(f"{k} = {number(v)}" for k, v in point.items())


def study_label(record: Record, study: StudyRow) -> str:
    """The arm's scientific values; a study that has none is the round's joint study, or goes by its id."""
    if study.scientific:
        return point_label(study.scientific)
    return "all trials" if len(record.studies) == 1 else study.id


def trials_of(record: Record, study: StudyRow) -> tuple[TrialRow, ...]:
    """The study's trials without the retrains, in the order of its points; unlisted ones after them."""
    place = {id: i for i, id in enumerate(study.trials)}
    own = [t for t in record.trials if t.study == study.id and t.purpose != "retrain"]
    return tuple(sorted(own, key=lambda t: place.get(t.id, len(place))))


def feasible(trial: TrialRow) -> bool:
    """Whether the trial may be compared at all: complete, with a value."""
    return trial.status == "complete" and trial.best_value is not None


def never_learned(record: Record) -> frozenset[str]:
    """The ids of the finite trials that count as infeasible in the checks: they never left chance, or blew up.

    Playbook: E8
    """
    told = [f.numbers.get(STUCK_TRIALS) for f in record.findings if f.row == "E8"]
    return frozenset(str(id) for names in told if isinstance(names, str) for id in json.loads(names))


def learned(record: Record, trials: Iterable[TrialRow]) -> list[TrialRow]:
    """The feasible ones but for those that never learned."""
    stuck = never_learned(record)
    return [t for t in trials if feasible(t) and t.id not in stuck]


def sign(record: Record) -> float:
    """+1 where lower is better, -1 where higher is: a value times this is a loss."""
    return 1.0 if record.objective.direction == "minimize" else -1.0


def ranked(record: Record, trials: Iterable[TrialRow]) -> list[TrialRow]:
    """Best first; of equals the one that came first; the ones that cannot be compared at the end."""
    factor = sign(record)
    return sorted(trials, key=lambda t: (not feasible(t), factor * (t.best_value or 0.0) if feasible(t) else 0.0))


def best_of(record: Record, trials: Iterable[TrialRow]) -> TrialRow | None:
    """The best feasible trial, None where there is none."""
    order = ranked(record, trials)
    return order[0] if order and feasible(order[0]) else None


def counted(record: Record, trials: Sequence[TrialRow]) -> str:
    """How many trials, and how many of them came to nothing."""
    return ", ".join([plural(len(trials), "trial"), *lost(record, trials)])


def lost(record: Record, trials: Sequence[TrialRow], *, brief: bool = False) -> list[str]:
    """`3 infeasible`, `1 failed`, `2 more never learned` (briefly `2 stuck`), without what there is none of.

    Playbook: E8
    """
    counts = {status: sum(t.status == status for t in trials) for status in ("infeasible", "failed")}
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    stuck = len(never_learned(record).intersection(t.id for t in trials))
    word = "stuck" if brief else "more never learned" if parts else "never learned"
    return [*parts, f"{stuck} {word}"] if stuck else parts


def plural(count: int, noun: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def isolation_of(record: Record, study: StudyRow) -> IsolationRow | None:
    """The isolation row of a study's scientific value, None where its band was not estimated."""
    for row in record.isolation:
        value = study.scientific.get(row.parameter)
        if value is not None and row.value is not None and same(value, row.value):
            return row
    return None


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
