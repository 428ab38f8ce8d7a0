"""E10: does the objective differ from trial to trial at all? If not, it is not what was trained."""

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import number, plural

FEWEST = 4  # trials: of fewer equal ones a coarse metric may be the reason
PERFECT = (0.0, 1.0, 100.0)  # where an error, an accuracy and a percentage cannot get any better, or any worse


def unmoved(evidence: Evidence) -> list[Finding]:
    """Fails where every evaluation of every trial is one and the same number: training has no effect on it.

    Then the objective is not computed of the model that was trained: an untrained copy is evaluated, say, or a number
    is logged before training. A metric that is perfect everywhere is no such case, and neither is one with few trials.

    Playbook: E10
    """
    metric = evidence.round.scope.objective.metric
    trials = [t for s in evidence.studies for t in s.trials if t.feasible]
    values = {float(v) for t in trials for v in t.curve.of(metric)[1]}
    points = {repr(sorted(t.planned.tried.items())) for t in trials}
    numbers = {"trials": len(trials), "values": len(values)}
    if len(points) < FEWEST:
        text = f"Not checked: {plural(len(points), 'feasible configuration')} cannot show whether {metric} moves."
        return [not_checked("unmoved", "E10", NotChecked.TOO_FEW_TRIALS, text, numbers=numbers)]
    if len(values) > 1:
        text = f"{metric} differs between evaluations."
        return [finding("unmoved", "E10", "ok", text, reason="moves", numbers=numbers)]
    only = next(iter(values))
    if only in PERFECT or only in (evidence.round.scope.objective.bounds or ()):
        text = f"{metric} is {number(only)} in every trial, which may be perfect: nothing can be told apart."
        return [not_checked("unmoved", "E10", NotChecked.NOTHING_VARIES, text, numbers=numbers)]
    text = (
        f"{metric} is {number(only)} at every evaluation of all {len(trials)} trials: evaluate the model that was "
        "trained."
    )
    return [
        finding("unmoved", "E10", "fail", text, reason="never_moves", trials=(t.id for t in trials), numbers=numbers)
    ]


UNMOVED = Check(
    name="unmoved",
    questions=(
        Question(
            row="E10",
            asks="Does the objective differ from trial to trial?",
            fail=("never_moves",),
            ok=("moves",),
            na=(NotChecked.TOO_FEW_TRIALS, NotChecked.NOTHING_VARIES),
        ),
    ),
    ask=unmoved,
)
