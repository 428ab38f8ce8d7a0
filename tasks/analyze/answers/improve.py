"""The answer of a goal that tries a change, as far as the searches go: the gate's fresh retrains settle it."""

from tasks.analyze.isolation import held_against, ranking
from tasks.analyze.study.evidence import Evidence
from tasks.record import Answer


def best_change(evidence: Evidence, blocked: bool) -> Answer:
    """The best changed value against the baseline, the first value; never conclusive.

    Playbook: F11
    """
    order = ranking(evidence)
    if not order or order[0].parameter is None:
        return Answer()
    baseline = next((s for s in order if s.place == 0 and s.bucket is None), None)
    changed = [s for s in order if s is not baseline]
    if baseline is None or not changed:
        return Answer(value=order[0].answer_value())
    return held_against(changed[0], baseline, conclusive=False)
