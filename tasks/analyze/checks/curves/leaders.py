"""The best few trials of a study: whether they still improve, gain nothing any more, or were cut short."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.analyze.study.curves import Shape, objective_shape
from tasks.analyze.study.evidence import StudyEvidence
from tasks.trials.trial import Trial

LEADERS = 3  # the best trials of a study that are looked at: "the best few"
SURE = 1.65  # SDs above the measured gain: a larger one is then excluded with 95 % confidence
CUT = 0.1  # of the steps: trials that end earlier than that, and by an evaluation at least, were cut short


@dataclass(frozen=True, kw_only=True)
class Saturation:
    """What curves gained from half way to their end, as a share of their descent: the mean, and how well it is known.

    `enough`: the gain that would be worth the steps, which is what F8 calls still improving.
    """

    gain: float
    margin: float
    enough: float

    @property
    def shown(self) -> bool:
        """Whether so small a gain is shown, and not only that no larger one is."""
        return self.gain + self.margin <= self.enough

    @property
    def askable(self) -> bool:
        """Whether the evaluations are calm enough for a curve without any gain to show it."""
        return self.margin <= self.enough


def leaders(study: StudyEvidence) -> tuple[Trial, ...]:
    """The best three feasible trials of a study, best first."""
    order = np.argsort(study.losses, kind="stable")[: int(study.feasible.sum())]
    return tuple(study.trials[i] for i in order[:LEADERS])


def mostly_improving(study: StudyEvidence) -> bool:
    """Whether more than half of the best trials were still improving at their end."""
    shapes = leading_shapes(study)
    return sum(c.improving for c in shapes) > len(shapes) / 2


def cut_short(study: StudyEvidence) -> int | None:
    """The step at which the best trials ended, where that is well before the budget's; None where they ran.

    Early stopping or a limit on time does that, and what more steps bring was then not seen.

    Playbook: F8, F9, H3, H4
    """
    shapes = leading_shapes(study)
    if not shapes:
        return None
    last = int(np.median([c.steps[-1] for c in shapes]))
    gap = float(np.median([c.steps[-1] - c.steps[-2] for c in shapes]))
    return last if last + max(gap, CUT * study.max_train_steps) < study.max_train_steps else None


def cut_words(study: StudyEvidence, end: int) -> str:
    """What `cut_short` found, in words."""
    return f"the best trials ended at step {end} of {study.max_train_steps}"


def saturation(shapes: Sequence[Shape]) -> Saturation | None:
    """What the curves gained in their second half, each counted alike; None where one never fell.

    A test of equivalence: noise that would hide a gain widens the margin, so it can never pass for saturation.
    """
    if not shapes or not all(c.moved for c in shapes):
        return None
    gains, deviations = np.array([c.gain_since_half for c in shapes]).T
    return Saturation(
        gain=float(gains.mean()),
        margin=SURE * float(np.sqrt((deviations**2).sum())) / len(shapes),
        enough=shapes[0].bars.improving_fraction,
    )


def leading_shapes(study: StudyEvidence) -> list[Shape]:
    """The shapes of the objective of the best three trials, of those that have one."""
    return [c for t in leaders(study) if (c := objective_shape(study, t))]
