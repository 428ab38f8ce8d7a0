"""The verdict in a sentence, and what else page and terminal say alike of a record."""

from collections import Counter
from datetime import datetime

from tasks.promote.comparison import BASELINE, FINALIST, INCUMBENT, is_finalist
from tasks.promote.reasons import Named
from tasks.record import Finding, Record
from tasks.report.joined import joining_sentence
from tasks.report.retrains import arm_values
from tasks.scope.finding import blocking
from tasks.scope.roles import fixed_caveat
from tasks.text import duration, number, one_line, plural, point_label
from tasks.trials.outcome import cause

ENDS = {"failed": "failed", "infeasible": "were infeasible", "stopped": "were stopped"}
NOT_APPLICABLE = "not applicable"  # no level of a finding: `na`, and nothing that could have been checked
LEVELS = ("fail", "warn", "na", NOT_APPLICABLE, "ok")


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
    """The findings of one level, the ones that block before the ones that were acknowledged.

    Those of level `na` whose question has no object in the round are not among the `na`, but `NOT_APPLICABLE`.
    """
    own = [f for f in record.findings if shown_level(f) == level]
    return tuple(sorted(own, key=lambda f: f.row in record.acknowledged))


def shown_level(finding: Finding) -> str:
    """The level under which a report shows the finding: one of `LEVELS`."""
    return finding.level if finding.applies else NOT_APPLICABLE


def verdict_sentence(record: Record, *, labels: bool = True) -> str:
    """What becomes of the configuration, in one sentence with its numbers, and with what tells its arms apart."""
    verdict, metric = record.verdict, record.objective.metric
    named = Named(arm_values(record) if labels else {})
    finalist, against = named(FINALIST), named(INCUMBENT, f"generation {verdict.incumbent.generation}")
    gain = "" if verdict.gain is None else f" by {number(abs(verdict.gain))} {metric}"
    if verdict.reason == "measured":
        return f"What was measured takes the place of {against}."
    if verdict.reason == "variance_not_measured":
        without = "trial variance was not measured (K4), so it rests on the searches alone and no error rate holds"
        promoted = f"{_candidate(record) or _upper(finalist)} takes the place of {against}, accepted in writing"
        stays = f"{_upper(against)} stays: nothing was retrained"
        return f"{promoted if verdict.outcome == 'promote' else stays}; {without}."
    if verdict.reason == "nothing_feasible":
        return _nothing_feasible(record)
    if sentence := joining_sentence(record, against, gain):
        return sentence
    if verdict.outcome == "promote":
        winner = _candidate(record) or _upper(finalist)
        if record.gate is not None and record.gate.deterministic:
            return f"{winner} beats {against}{gain}. The workload is deterministic: one trial each, and no error rate."
        return f"{winner} beats {against}{gain} on fresh retrains, by more than their noise explains."
    if verdict.outcome == "keep" and record.gate is None:
        said = "what was measured was not accepted" if verdict.reason == "declined" else "it has what was measured"
        return f"{_upper(against)} stays: {said}."
    if verdict.outcome == "keep":
        return f"{_upper(against)} stays: no candidate passed the gate."
    if verdict.outcome == "retrain" and _only_the_baseline_is_open(record):
        without = "whether the configuration without it, as tuned here, beats"
        return f"The change did not win. Undecided is {without} {against}, which stays for now."
    if verdict.outcome == "retrain":
        return f"Undecided: the retrains so far cannot tell {finalist} from luck, so {against} stays for now."
    if verdict.outcome == "redesign":
        rows = ", ".join(dict.fromkeys(f.row for f in blockers(record)))
        found = plural(len(blockers(record)), "finding")
        return f"No conclusion yet: {found} ({rows}) must be mended first." if rows else "No conclusion yet."
    return "No configuration was put before the gate; this round's product is its answer and what was learned."


def _nothing_feasible(record: Record) -> str:
    """How the trials of a round ended of which none can be compared, and what to do first."""
    ended = Counter[str](t.status for t in record.trials)
    told = [f"{ended[status]:,} {words}" for status, words in ENDS.items() if ended[status]]
    every = next((words for status, words in ENDS.items() if ended[status] == ended.total()), "")
    said = f"all {ended.total():,} {every}" if every and ended.total() > 1 else " and ".join(told)
    causes = Counter(cause(t.reason) for t in record.trials if t.status == "infeasible").most_common(1)
    said += f", {causes[0][1]:,} of them since {one_line(causes[0][0])}" if causes and not ended["failed"] else ""
    mend = "Mend the code first" if ended["failed"] * 2 > ended.total() else "Move the search to where trials train"
    return f"No trial gave a result: {said}. {mend}."


def _only_the_baseline_is_open(record: Record) -> bool:
    """Whether every finalist was dropped, and the arm without the change is not told from the incumbent."""
    rows = record.gate.comparisons if record.gate else ()
    open_arms = {c.candidate for c in rows if c.state == "undecided"}
    return BASELINE in open_arms and not any(map(is_finalist, open_arms))


def _candidate(record: Record) -> str:
    """What was gated by its scientific values, "" where it has none: it may be the arm without the change."""
    point = record.verdict.candidate.point if record.verdict.candidate else {}
    arm = point_label({n: point[n] for n in record.roles.scientific if n in point})
    return f"The configuration with {arm}" if arm else ""


def _upper(words: str) -> str:
    return words[0].upper() + words[1:]


def other_caveats(record: Record) -> list[str]:
    """The caveats but for those of what is fixed: the roles tell these already."""
    told = {fixed_caveat(name, role) for name, role in record.roles.fixed.items()}
    return [caveat for caveat in record.caveats if caveat not in told]


def better(record: Record) -> str:
    """Which way is better, for labels."""
    return "lower is better" if record.objective.direction == "minimize" else "higher is better"


def arrow(record: Record, *, across: bool = False) -> str:
    """An arrow to the better end of an axis that goes up, or across."""
    down = record.objective.direction == "minimize"
    return ("(← better)" if down else "(better →)") if across else ("(↓ better)" if down else "(↑ better)")
