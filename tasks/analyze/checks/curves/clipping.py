"""I14: are most updates clipped, so that clipping only lowers the learning rate?"""

from collections.abc import Iterable
from functools import partial

import numpy as np
from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.checks.curves.leaders import leaders
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.gradients import CLIPPED, clipped_share, typical_norm
from tasks.record import Finding, Frozen, NotChecked, Number
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter
from tasks.text import number, percent, plural
from tasks.trials.trial import Trial

THRESHOLD = "clip_norm"  # the argument of our own training loop
DECADE = 10.0  # by which the learning rate goes down: what E4 moves a side by


class ClippingThresholds(Frozen):
    """From where on clipping is extremely aggressive."""

    clipped_share: float = Field(
        default=0.5, gt=0, lt=1, description="I14, playbook: more updates clipped than that is extremely aggressive"
    )


def aggressive_clipping(evidence: Evidence) -> list[Finding]:
    """A warning for each study in most of whose best trials more than half of the updates are clipped.

    So much clipping is a strange way to lower the learning rate: its range moves down by a decade, and what is not
    typical is clipped, from the 90th percentile of the norms on (I12).

    Playbook: I14
    """
    return [_clipping(s, evidence.round.scope) for s in evidence.studies]


def _clipping(s: StudyEvidence, scope: Scope) -> Finding:
    say = partial(finding, "clipping", "I14", study=s.study.id)
    bar = s.policy.of(ClippingThresholds).clipped_share
    judged = [(t, share) for t in leaders(s) if (share := clipped_share(t.curve)) is not None]
    if not judged:
        return _not_judged(s, scope)
    most = [t for t, share in judged if share > bar]
    median = float(np.median([share for _, share in judged]))
    numbers: dict[str, Number | None] = {
        "clipped": median,
        "clipping": len(most),
        "judged": len(judged),
        "clipped_share": bar,
    }
    told = f"{number(round(100 * median, 1))} % of the updates of the best {plural(len(judged), 'trial')} were clipped"
    if len(most) <= len(judged) / 2:
        return say("ok", f"{told}.", reason="seldom", numbers=numbers)
    norms = [n for t in most if (n := typical_norm(t.curve)) is not None]
    clip = (f"workload.{THRESHOLD}={np.median(norms):.2g}",) if norms and _own_argument(scope) else ()
    text = f"{told}: lower the learning rate instead. Clipping more than {percent(bar)} only lowers the learning rate"
    text += f"; clip above {np.median(norms):.2g}." if clip else "."
    remedy = (*_lower(s, scope, most), *clip)
    return say("warn", text, reason="mostly", trials=[t.id for t in most], numbers=numbers, remedy=remedy)


def _lower(s: StudyEvidence, scope: Scope, clipping: Iterable[Trial]) -> tuple[str, ...]:
    """The overrides that move the ranges of the learning rates of these trials down, or the argument that is one."""
    rates = [n for t in clipping for n in t.planned.point if scope.names.meaning(n) == "learning_rate"]
    ranges = [p for p in s.study.space if p.name in rates and p.numeric and not p.constant and p.bounds[0] >= 0]
    moved = [f"space.{p.name}.{side}={end / DECADE:.3g}" for p in ranges for side, end in _ends(p) if end > 0]
    held = () if rates else scope.arguments.items()
    lowered = [(n, v) for n, v in held if scope.names.meaning(n) == "learning_rate" and isinstance(v, float)]
    return (*moved, *(f"workload.{n}={v / DECADE:.3g}" for n, v in lowered))


def _ends(p: Parameter) -> tuple[tuple[str, float], tuple[str, float]]:
    return ("low", p.bounds[0]), ("high", p.bounds[1])


def _own_argument(scope: Scope) -> bool:
    """Whether the threshold is an argument of the workload, the same for all trials."""
    return THRESHOLD in scope.arguments and THRESHOLD not in scope.declared


def _not_judged(s: StudyEvidence, scope: Scope) -> Finding:
    if _own_argument(scope) and scope.arguments[THRESHOLD] is None:
        text = f"No update is clipped: workload.{THRESHOLD} is null."
        return finding("clipping", "I14", "ok", text, reason="no_clipping", study=s.study.id)
    because = NotChecked.NOT_REPORTED if s.best else NotChecked.NO_FEASIBLE_TRIAL
    text = f"Not checked: no best trial reports the share of updates that were clipped ({' or '.join(CLIPPED[:2])})."
    return not_checked("clipping", "I14", because, text, study=s.study.id)


AGGRESSIVE_CLIPPING = Check(
    name="clipping",
    questions=(
        Question(
            row="I14",
            asks="Are most updates clipped, so that clipping only lowers the learning rate?",
            warn=("mostly",),
            ok=("seldom", "no_clipping"),
            na=(NotChecked.NOT_REPORTED, NotChecked.NO_FEASIBLE_TRIAL),
        ),
    ),
    ask=aggressive_clipping,
    thresholds=(ClippingThresholds,),
)
