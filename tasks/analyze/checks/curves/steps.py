"""F8, F9, H3: is `max_train_steps` long enough, and not far too long?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tasks.analyze.study.curves import FEWEST, TRAIN_LOSS, Shape, decays, loss_shape, objective_shape
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, Value
from tasks.scope.finding import finding
from tasks.scope.goal import Budget
from tasks.text import number, plural
from tasks.trials.trial import Trial

LEADERS = 3  # the best trials of a study that are looked at: "the best few"
SURE = 1.65  # SDs above the measured gain: a larger one is then excluded with 95 % confidence
CUT = 0.1  # of the steps: trials that end earlier than that, and by an evaluation at least, were cut short
CONSISTENT = 0.75  # of the feasible trials: what "consistently" means where the playbook gives no number


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


def still_improving(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose best trials were still improving when they ended.

    The best three, by majority: the last quarter brought a share of the whole descent that noise does not explain.

    Playbook: F8
    """
    return [_still_improving(evidence, s) for s in evidence.studies]


def saturated(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose best trials gained next to nothing since half way, in training or validation.

    The best three together, and their training losses where they are reported: the mean gain since half way, and what
    noise may hide above it, must stay below what F8 calls still improving. Where the noise alone may hide more than
    that, nothing is asked. It says what could be saved, not that anything is wrong: in
    doubt, longer is the safer choice (H4).

    Playbook: F9
    """
    return [_saturated(evidence, s) for s in evidence.studies]


def best_steps(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose best steps all lie in the first tenth, or consistently in the last quarter.

    A decaying learning rate puts the best step at the end of any trial, however long it was. So the end alone is no
    warning: the best trials must also have gained there (F8). The two can therefore never contradict each other.

    Playbook: H3
    """
    return [_best_steps(evidence, s) for s in evidence.studies]


def leaders(study: StudyEvidence) -> tuple[Trial, ...]:
    """The best three feasible trials of a study, best first."""
    order = np.argsort(study.losses, kind="stable")[: int(study.feasible.sum())]
    return tuple(study.trials[i] for i in order[:LEADERS])


def mostly_improving(study: StudyEvidence) -> bool:
    """Whether more than half of the best trials were still improving at their end."""
    shapes = _shapes(study)
    return sum(c.improving for c in shapes) > len(shapes) / 2


def cut_short(study: StudyEvidence) -> int | None:
    """The step at which the best trials ended, where that is well before the budget's; None where they ran.

    Early stopping or a limit on time does that, and what more steps bring was then not seen.

    Playbook: F8, F9, H3, H4
    """
    shapes = _shapes(study)
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
        enough=shapes[0].policy.improving_fraction,
    )


def _shapes(study: StudyEvidence) -> list[Shape]:
    return [c for t in leaders(study) if (c := objective_shape(study, t))]


def _still_improving(evidence: Evidence, s: StudyEvidence) -> Finding:
    shapes = _shapes(s)
    say = partial(finding, "still improving", "F8", study=s.study.id)
    if not shapes:
        return say("na", _too_few(s))
    share = float(np.median([c.late_share for c in shapes]))
    improving = sum(c.improving for c in shapes)
    numbers: dict[str, Value | None] = {
        "late_share": share,
        "improving": improving,
        "judged": len(shapes),
        "late_fraction": s.policy.late_fraction,
        "improving_fraction": s.policy.improving_fraction,
        "overfit_sds": s.policy.overfit_sds,
    }
    told = (
        f"The last {_percent(s.policy.late_fraction)} of the steps brought the best {plural(len(shapes), 'trial')} "
        f"{_percent(max(share, 0.0))} of all their gain (median)"
    )
    if not mostly_improving(s):
        text = f"{told}: {improving} of {len(shapes)} were still improving at the end."
        return say("ok", text, numbers=numbers)
    if end := cut_short(s):
        text = f"{told}, and {cut_words(s, end)}: let them run to their end, whatever stopped them still improving."
        return say("warn", text, numbers={**numbers, "ended": end})
    faded = any(decays(t) for t in leaders(s))
    note = " The learning rate had decayed, so a late gain is normal, and longer may bring less than it seems." * faded
    text = f"{told}: compute-bound at {s.max_train_steps} steps. Train longer, or change the schedule.{note}"
    return say("warn", text, numbers=numbers, remedy=_longer(s))


def _saturated(evidence: Evidence, s: StudyEvidence) -> Finding:
    shapes = _shapes(s)
    say = partial(finding, "saturated", "F9", study=s.study.id)
    if not shapes:
        return say("na", _too_few(s))
    if end := cut_short(s):
        return say("na", f"Not asked: {cut_words(s, end)}, so the rest was not spent.", numbers={"ended": end})
    train = [c for t in leaders(s) if (c := loss_shape(s, t, TRAIN_LOSS))]
    found = [f for c in (shapes, train) if (f := saturation(c))]
    if len(found) < 1 + bool(train):
        return say("na", "Not asked: some of the best trials never fell by more than their noise.")
    worst = max(found, key=lambda f: f.gain + f.margin)
    numbers: dict[str, Value | None] = {
        "gain": worst.gain,
        "margin": worst.margin,
        "enough": worst.enough,
        "max_train_steps": s.max_train_steps,
        "saturated_step": s.policy.saturated_step,
        "with_training_loss": bool(train),
    }
    if not all(f.askable for f in found):
        text = f"Not asked: the evaluations are too noisy to show whether {_percent(worst.enough)} were gained late."
        return say("na", text, numbers=numbers)
    half = round(s.policy.saturated_step * s.max_train_steps)
    told = f"{_percent(max(worst.gain, 0.0))} of all that the best {plural(len(shapes), 'trial')} gained came after"
    told += f" step {half} of {s.max_train_steps} ({_percent(max(worst.gain + worst.margin, 0.0))} at most)"
    both = "validation and training" if train else "validation"
    if any(c.improving for c in (*shapes, *train)) or not all(f.shown for f in found):
        return say("ok", f"In {both}, {told}: not saturated, or too noisy to tell.", numbers=numbers)
    text = f"In {both}, {told}: not compute-bound, and fewer steps would do if the schedule is shortened with them."
    shorter = _rounded(evidence.round.scope.budget, s.policy.saturated_step * s.max_train_steps)
    return say("warn", text, numbers=numbers, remedy=shorter)


def _best_steps(evidence: Evidence, s: StudyEvidence) -> Finding:
    steps = np.array([t.best_step for t in s.trials if t.feasible and t.best_step is not None], dtype=np.float64)
    say = partial(finding, "best steps", "H3", study=s.study.id)
    if len(steps) < LEADERS or not _shapes(s):
        short = f"Not checked: fewer than {LEADERS} feasible trials, or than {FEWEST} evaluations a trial."
        return say("na", short)
    if end := cut_short(s):
        return say("na", f"Not checked: {cut_words(s, end)}, which says where the best step can be.")
    at = steps / s.max_train_steps
    late = float((at >= 1.0 - s.policy.late_step).mean())
    numbers: dict[str, Value | None] = {
        "median": float(np.median(at)),
        "earliest": float(at.min()),
        "latest": float(at.max()),
        "late_share": late,
        "early_step": s.policy.early_step,
        "late_step": s.policy.late_step,
        "consistent": CONSISTENT,
    }
    improving = mostly_improving(s)
    told = f"The best steps of {plural(len(at), 'trial')} lie at {_percent(float(np.median(at)))} of training (median)"
    if at.max() <= s.policy.early_step and not improving:
        text = f"{told}, all in the first {_percent(s.policy.early_step)}: far too many steps."
        remedy = _rounded(evidence.round.scope.budget, 4 * float(steps.max()))
        return say("warn", text, numbers=numbers, remedy=remedy)
    tail = f"{_percent(late)} of them in the last {_percent(s.policy.late_step)}"
    if late >= CONSISTENT and improving:
        text = f"{told}, {tail}, and the best gained there: train longer, and retune the decay of the learning rate."
        return say("warn", text, numbers=numbers, remedy=_longer(s))
    calm = ", as a decaying learning rate has it, but the best trials gained little there" * (late >= CONSISTENT)
    return say("ok", f"{told}, {tail}{calm}.", numbers=numbers)


def _longer(s: StudyEvidence) -> tuple[str, ...]:
    return (f"budget.max_train_steps={2 * s.max_train_steps}",)


def _rounded(budget: Budget, steps: float) -> tuple[str, ...]:
    """Fewer steps: whole evaluations, and as many of them as before where too few would be left to judge."""
    wanted = max(math.ceil(steps / budget.eval_every_steps), FEWEST) * budget.eval_every_steps
    if wanted >= budget.max_train_steps:
        return ()
    every = max(1, wanted // budget.evaluations)
    denser = (f"budget.eval_every_steps={every}",) if wanted // budget.eval_every_steps < 2 * FEWEST else ()
    return (f"budget.max_train_steps={wanted}", *denser)


def _too_few(s: StudyEvidence) -> str:
    if s.best is None:
        return "Not checked: no trial of the study is feasible."
    return f"Not enough points: the best trials have fewer than {FEWEST} evaluations of {s.objective.metric}."


def _percent(share: float) -> str:
    return f"{number(round(100 * share, 1))} %"
