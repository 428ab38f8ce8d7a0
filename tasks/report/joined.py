"""The verdict's sentence where it seems to disagree with the answer: no gain, and yet a promotion; or the reverse."""

from tasks.answers import Compared
from tasks.promote.comparison import BASELINE, INCUMBENT, is_finalist
from tasks.record import Record
from tasks.report.retrains import gate_arms
from tasks.text import number, point_label
from tasks.verdict import ComparisonRow


def joining_sentence(record: Record, against: str, gain: str) -> str:
    """What becomes of the configuration, joined to an answer that lets a reader expect another verdict; "" elsewhere.

    `against`: the incumbent by its name; `gain`: ` by 0.08 valid_error`, or "".

    Playbook: E1
    """
    answer, verdict = record.answer, record.verdict
    if not isinstance(answer, Compared) or record.gate is None:
        return ""
    if verdict.outcome == "promote" and verdict.reason == "baseline_better":
        without = f"the configuration without it{_label(record)}, as this round tuned it"
        return f"{_of_the_change(record, answer)}, but {without}, beats {against}{gain} and is promoted."
    if verdict.outcome == "promote":
        return _simpler(record, against)
    if verdict.reason == "declined" or not _beats_baseline(record, answer):
        return ""
    if verdict.outcome == "keep":
        return f"The change beats the arm without it but not what is promoted already, so {against} stays."
    if verdict.outcome == "retrain":
        return f"The change beats the arm without it; against {against} it is undecided, which stays for now."
    return ""


def shows_gain(record: Record, answer: Compared) -> bool:
    """Whether the answer is that the change gains more than it must; where there is no noise there is no band."""
    least = answer.gain if answer.band is None else answer.band[0]
    return answer.conclusive and (least or 0.0) > float(record.policy.get("minimum_gain", 0.0))


def _of_the_change(record: Record, answer: Compared) -> str:
    if _beats_baseline(record, answer):
        return "The change helps and is not yet told from the incumbent"
    return "No gain from the change" if answer.conclusive else "Whether the change helps is open"


def _label(record: Record) -> str:
    """The scientific values of what was promoted in brackets, "" where it has none."""
    point = record.verdict.candidate.point if record.verdict.candidate else {}
    label = point_label({n: point[n] for n in record.roles.scientific if n in point})
    return f" ({label})" if label else ""


def _simpler(record: Record, against: str) -> str:
    """A simpler configuration that shows no gain was promoted: it loses less than its simplicity is worth."""
    found = _deciding(record)
    if found is None or not found.looks or found.margin is None or found.margin >= 0 or found.looks[-1].band[0] > 0:
        return ""
    worth = f"{number(-found.margin)} {record.objective.metric}"
    simpler = f"the configuration{_label(record)} is simpler than {against}"
    return f"No gain was needed: {simpler}, and loses less than that is worth ({worth})."


def _beats_baseline(record: Record, answer: Compared) -> bool:
    """Whether the change beats the arm without it, which is not the incumbent's own configuration."""
    arms = {arm.name: arm.retrained_as for arm in gate_arms(record)}
    return shows_gain(record, answer) and arms.get(BASELINE) not in (None, arms.get(INCUMBENT))


def _deciding(record: Record) -> ComparisonRow | None:
    """The comparison of what was promoted with the incumbent."""
    candidate = record.verdict.candidate
    own = {a.name for a in gate_arms(record) if candidate is not None and a.point == candidate.point}
    rows = record.gate.comparisons if record.gate else ()
    return next((c for c in rows if c.candidate in own and is_finalist(c.candidate) and c.against == INCUMBENT), None)
