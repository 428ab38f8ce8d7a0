"""E11: does the model show optimization issues?"""

from functools import partial

import numpy as np
from pydantic import Field

from tasks.analyze.checks.curves.leaders import leaders
from tasks.analyze.reviews.review import Review
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import number

SIGNS = {"E5": "a best trial at an instability wall", "F10": "a training loss that rises"}
GRADIENT = "grad_norm"
FEWEST = 8  # reports of the gradient's norm, below which its late median says nothing


class IssuesThresholds(Frozen):
    """When a gradient's norm is a spike."""

    gradient_spike: float = Field(
        default=10.0, gt=1, description="E11, ours: a late gradient norm this many times the late median"
    )


def optimization_issues(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, and one that sums up what speaks for trouble in the optimisation, and what was asked at all.

    Asked are E5, F10 and, where it is logged, the gradient's norm in the best trials: in the last half of training
    its largest value is not to be `gradient_spike` times its median.

    Playbook: E11
    """
    levels = {row: {f.level for f in found if f.row == row} - {"na"} for row in SIGNS}
    asked = [row for row in SIGNS if levels[row]]
    signs = [SIGNS[row] for row in asked if levels[row] & {"fail", "warn"}]
    spikes = [r for s in evidence.studies for r in _spikes(s)]
    bar = evidence.round.scope.policy.of(IssuesThresholds).gradient_spike
    worst = max(spikes, default=None)
    if worst is not None:
        asked.append(GRADIENT)
        if worst > bar:
            signs.append(f"a late gradient norm of {number(worst)} times its median in one of the best trials")
    numbers = {"signs": len(signs), "asked": len(asked), "largest_spike": worst, "gradient_spike": bar}
    if not asked:
        text, because = "Not checked: no sign of them could be looked at.", NotChecked.NOT_REPORTED
        return (*found, not_checked("optimisation issues", "E11", because, text))
    text = f"Optimisation issues: {'; '.join(signs) or 'no sign of them'} (asked: {', '.join(asked)})."
    say = partial(finding, "optimisation issues", "E11", numbers=numbers)
    return (*found, say("warn", text, reason="signs") if signs else say("ok", text, reason="no_signs"))


def _spikes(s: StudyEvidence) -> list[float]:
    """The largest late gradient norm over the late median, of each of the best trials that logged it."""
    late = [v[len(v) // 2 :] for t in leaders(s) if len(v := t.curve.of(GRADIENT)[1]) >= FEWEST]
    return [float(v.max() / np.median(v)) for v in late if np.median(v) > 0]


OPTIMIZATION_ISSUES = Review(
    name="optimisation issues",
    questions=(
        Question(
            row="E11",
            asks="Does the model show optimization issues?",
            warn=("signs",),
            ok=("no_signs",),
            na=(NotChecked.NOT_REPORTED,),
        ),
    ),
    ask=optimization_issues,
    thresholds=(IssuesThresholds,),
)
