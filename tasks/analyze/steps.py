"""Is `max_train_steps` long enough, and not far too long?"""

import math
from functools import partial

import numpy as np

from tasks.analyze.curves import FEWEST, TRAIN_LOSS, Shape, decays, loss_shape, objective_shape
from tasks.analyze.evidence import Evidence, StudyEvidence
from tasks.analyze.sentences import number, plural
from tasks.record import Finding, Value
from tasks.scope.finding import finding
from tasks.scope.goal import Budget
from tasks.trials.trial import Trial

LEADERS = 3  # the best trials of a study that are looked at: "the best few"
CONSISTENT = 0.75  # of the feasible trials: what "consistently" means where the playbook gives no number


def still_improving(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose best trials were still improving when they ended.

    The best three, by majority: the last quarter brought a share of the whole descent that noise does not explain.

    Playbook: F8
    """
    return [_still_improving(evidence, s) for s in evidence.studies]


def saturated(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose best trials gained nothing, in training or validation, since half way or earlier.

    All of the best three, and the training loss as well where it is reported. It says what could be saved, not that
    anything is wrong: in doubt, longer is the safer choice (H4).

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
    faded = any(decays(t) for t in leaders(s))
    note = " The learning rate had decayed, so a late gain is normal, and longer may bring less than it seems." * faded
    text = f"{told}: compute-bound at {s.max_train_steps} steps. Train longer, or change the schedule.{note}"
    return say("warn", text, numbers=numbers, remedy=_longer(s))


def _saturated(evidence: Evidence, s: StudyEvidence) -> Finding:
    shapes = _shapes(s)
    say = partial(finding, "saturated", "F9", study=s.study.id)
    if not shapes:
        return say("na", _too_few(s))
    train = [c for t in leaders(s) if (c := loss_shape(s, t, TRAIN_LOSS))]
    by = max(c.saturation_step for c in (*shapes, *train))
    numbers: dict[str, Value | None] = {
        "saturation_step": by,
        "max_train_steps": s.max_train_steps,
        "saturated_step": s.policy.saturated_step,
        "with_training_loss": bool(train),
    }
    if not all(c.saturated for c in (*shapes, *train)):
        text = "The best trials had not all stopped gaining long before their end, or are too noisy to tell."
        return say("ok", text, numbers=numbers)
    both = "validation and training" if train else "validation"
    text = (
        f"In {both}, the best {plural(len(shapes), 'trial')} gained nothing after step {by} of {s.max_train_steps}: "
        f"not compute-bound, and fewer steps would do if the schedule is shortened with them."
    )
    shorter = _rounded(evidence.round.scope.budget, s.policy.saturated_step * s.max_train_steps)
    return say("warn", text, numbers=numbers, remedy=shorter)


def _best_steps(evidence: Evidence, s: StudyEvidence) -> Finding:
    steps = np.array([t.best_step for t in s.trials if t.feasible and t.best_step is not None], dtype=np.float64)
    say = partial(finding, "best steps", "H3", study=s.study.id)
    if len(steps) < LEADERS or not _shapes(s):
        short = f"Not checked: fewer than {LEADERS} feasible trials, or than {FEWEST} evaluations a trial."
        return say("na", short)
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
