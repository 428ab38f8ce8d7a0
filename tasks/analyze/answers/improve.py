"""The answer of a goal that tries a change, as far as the searches go: the gate's fresh retrains settle it."""

from tasks.analyze.isolation import held_against, ranking
from tasks.analyze.study.evidence import Evidence
from tasks.answers import Compared


def best_change(evidence: Evidence, blocked: bool) -> Compared:
    """The best changed value against the baseline, the first value; never conclusive.

    Playbook: F11
    """
    order, kind = ranking(evidence), evidence.round.scope.goal.kind
    if not order or order[0].parameter is None:
        return Compared(kind=kind, source="search")
    baseline = next((s for s in order if s.place == 0 and s.bucket is None), None)
    changed = [s for s in order if s is not baseline]
    if baseline is None or not changed:
        return Compared(kind=kind, source="search", value=order[0].answer_value())
    return held_against(kind, changed[0], baseline, conclusive=False)
