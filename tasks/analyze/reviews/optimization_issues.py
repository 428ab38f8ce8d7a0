"""E11: does the model show optimization issues?"""

import numpy as np

from tasks.analyze.checks.curves.steps import leaders
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, Level
from tasks.scope.finding import finding
from tasks.text import number

SIGNS = {"E5": "a best trial at an instability wall", "F10": "a training loss that rises"}
GRADIENT = "grad_norm"
FEWEST = 8  # reports of the gradient's norm, below which its late median says nothing


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
    bar = evidence.round.scope.policy.gradient_spike
    worst = max(spikes, default=None)
    if worst is not None:
        asked.append(GRADIENT)
        if worst > bar:
            signs.append(f"a late gradient norm of {number(worst)} times its median in one of the best trials")
    numbers = {"signs": len(signs), "asked": len(asked), "largest_spike": worst, "gradient_spike": bar}
    if not asked:
        return (*found, finding("optimisation issues", "E11", "na", "Not checked: no sign of them could be looked at."))
    text = f"Optimisation issues: {'; '.join(signs) or 'no sign of them'} (asked: {', '.join(asked)})."
    level: Level = "warn" if signs else "ok"
    return (*found, finding("optimisation issues", "E11", level, text, numbers=numbers))


def _spikes(s: StudyEvidence) -> list[float]:
    """The largest late gradient norm over the late median, of each of the best trials that logged it."""
    late = [v[len(v) // 2 :] for t in leaders(s) if len(v := t.curve.of(GRADIENT)[1]) >= FEWEST]
    return [float(v.max() / np.median(v)) for v in late if np.median(v) > 0]
