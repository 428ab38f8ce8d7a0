"""F8, F9, H3: is `max_train_steps` long enough, and not far too long?"""

import math
from functools import partial

import numpy as np
from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.checks.curves.leaders import (
    LEADERS,
    cut_short,
    cut_words,
    leaders,
    leading_shapes,
    mostly_improving,
    saturation,
)
from tasks.analyze.study.curves import FEWEST, TRAIN_LOSS, CurveThresholds, decays, loss_shape
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, Frozen, NotChecked, Number
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.goal import Budget
from tasks.text import number, plural

CONSISTENT = 0.75  # of the feasible trials: what "consistently" means where the playbook gives no number


class StepsThresholds(Frozen):
    """Where in training a best step is early, and where it is late."""

    early_step: float = Field(
        default=0.1, gt=0, lt=1, description="H3, playbook: best step always in the first 10 %: far too many steps"
    )
    late_step: float = Field(
        default=0.25, gt=0, lt=1, description="H3, playbook: best step in the last 25 %: train longer, retune the decay"
    )


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


def _still_improving(evidence: Evidence, s: StudyEvidence) -> Finding:
    shapes = leading_shapes(s)
    say = partial(finding, "still improving", "F8", trials=_ids(s), study=s.study.id)
    if not shapes:
        return _too_few("still improving", "F8", s)
    bars = s.policy.of(CurveThresholds)
    share = float(np.median([c.late_share for c in shapes]))
    improving = sum(c.improving for c in shapes)
    numbers: dict[str, Number | None] = {
        "late_share": share,
        "improving": improving,
        "judged": len(shapes),
        "late_fraction": bars.late_fraction,
        "improving_fraction": bars.improving_fraction,
        "overfit_sds": bars.overfit_sds,
    }
    best = f"the best {plural(len(shapes), 'trial')}"
    told = (
        f"The last {_percent(bars.late_fraction)} of the steps brought {best} {_percent(max(share, 0.0))} of all their "
        "gain (median)"
    )
    if not mostly_improving(s):
        text = f"{told}: {improving} of {len(shapes)} were still improving at the end."
        return say("ok", text, reason="done", numbers=numbers)
    if end := cut_short(s):
        text = f"T{best[1:]} ended at step {end} of {s.max_train_steps} while still improving: let them run to the end."
        text += f" {told}."
        return say("warn", text, reason="cut_off_while_improving", numbers={**numbers, "ended": end})
    faded = any(decays(t) for t in leaders(s))
    note = " The learning rate had decayed, so a late gain is normal, and longer may bring less than it seems." * faded
    text = (
        f"Training is compute-bound at {s.max_train_steps} steps, of which the last {_percent(bars.late_fraction)} "
        f"brought {_percent(max(share, 0.0))} of all gain: train longer, or change the schedule. "
        f"Judged are {best}, by the median.{note}"
    )
    reason = "improving_after_decay" if faded else "improving"
    return say("warn", text, reason=reason, numbers=numbers, remedy=_longer(s))


def _saturated(evidence: Evidence, s: StudyEvidence) -> Finding:
    shapes = leading_shapes(s)
    say = partial(finding, "saturated", "F9", trials=_ids(s), study=s.study.id)
    not_asked = partial(not_checked, "saturated", "F9", trials=_ids(s), study=s.study.id)
    if not shapes:
        return _too_few("saturated", "F9", s)
    if end := cut_short(s):
        text = f"Not asked: {cut_words(s, end)}, so the rest was not spent."
        return not_asked(NotChecked.CUT_SHORT, text, numbers={"ended": end})
    train = [c for t in leaders(s) if (c := loss_shape(s, t, TRAIN_LOSS))]
    found = [f for c in (shapes, train) if (f := saturation(c))]
    if len(found) < 1 + bool(train):
        text = "Not asked: some of the best trials never fell by more than their noise."
        return not_asked(NotChecked.TOO_NOISY, text)
    share = s.policy.of(CurveThresholds).saturated_step
    worst = max(found, key=lambda f: f.gain + f.margin)
    numbers: dict[str, Number | None] = {
        "gain": worst.gain,
        "margin": worst.margin,
        "enough": worst.enough,
        "max_train_steps": s.max_train_steps,
        "saturated_step": share,
        "with_training_loss": bool(train),
    }
    if not all(f.askable for f in found):
        text = f"Not asked: the evaluations are too noisy to show whether {_percent(worst.enough)} were gained late."
        return not_asked(NotChecked.TOO_NOISY, text, numbers=numbers)
    half = round(share * s.max_train_steps)
    told = f"the best {plural(len(shapes), 'trial')} gained {_percent(max(worst.gain, 0.0))} of their total after step "
    told += f"{half} of {s.max_train_steps}"
    both = f"Judged are the curves of {'validation and training' if train else 'validation'}"
    both += f", whose late gain is {_percent(max(worst.gain + worst.margin, 0.0))} at most"
    if any(c.improving for c in (*shapes, *train)) or not all(f.shown for f in found):
        text = f"Training is not saturated, or too noisy to tell: {told}. {both}."
        return say("ok", text, reason="not_saturated", numbers=numbers)
    text = f"Train for fewer steps, with a shorter schedule: {told}. {both}: not compute-bound."
    shorter = _rounded(evidence.round.scope.budget, share * s.max_train_steps)
    return say("warn", text, reason="saturated", numbers=numbers, remedy=shorter)


def _best_steps(evidence: Evidence, s: StudyEvidence) -> Finding:
    steps = np.array([t.best_step for t in s.trials if t.feasible and t.best_step is not None], dtype=np.float64)
    say = partial(finding, "best steps", "H3", study=s.study.id)
    not_asked = partial(not_checked, "best steps", "H3", study=s.study.id)
    if len(steps) < LEADERS or not leading_shapes(s):
        short = f"Not checked: fewer than {LEADERS} feasible trials, or than {FEWEST} evaluations a trial."
        because = NotChecked.TOO_FEW_TRIALS if len(steps) < LEADERS else NotChecked.TOO_FEW_EVALUATIONS
        return not_asked(because if s.best else NotChecked.NO_FEASIBLE_TRIAL, short)
    if end := cut_short(s):
        text = f"Not checked: {cut_words(s, end)}, which says where the best step can be."
        return not_asked(NotChecked.CUT_SHORT, text)
    bars = s.policy.of(StepsThresholds)
    at = steps / s.max_train_steps
    late = float((at >= 1.0 - bars.late_step).mean())
    numbers: dict[str, Number | None] = {
        "median": float(np.median(at)),
        "earliest": float(at.min()),
        "latest": float(at.max()),
        "late_share": late,
        "early_step": bars.early_step,
        "late_step": bars.late_step,
        "consistent": CONSISTENT,
    }
    improving = mostly_improving(s)
    told = f"The best steps of {plural(len(at), 'trial')} lie at {_percent(float(np.median(at)))} of training (median)"
    if at.max() <= bars.early_step and not improving:
        text = (
            f"All best steps of {plural(len(at), 'trial')} lie in the first {_percent(bars.early_step)} of training: "
            f"train for fewer steps. {told}."
        )
        remedy = _rounded(evidence.round.scope.budget, 4 * float(steps.max()))
        return say("warn", text, reason="all_early", numbers=numbers, remedy=remedy)
    tail = f"{_percent(late)} of the best steps lie in the last {_percent(bars.late_step)} of training"
    if late >= CONSISTENT and improving:
        text = f"{tail}, with a gain there: train longer, and retune the decay of the learning rate. {told}."
        return say("warn", text, reason="mostly_late", numbers=numbers, remedy=_longer(s))
    if late >= CONSISTENT:
        text = f"{tail}, but the best trials gained little there. {told}, as a decaying learning rate has it."
        return say("ok", text, reason="late_and_gained_little", numbers=numbers)
    return say("ok", f"{tail}. {told}.", reason="spread_out", numbers=numbers)


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


def _ids(s: StudyEvidence) -> tuple[str, ...]:
    return tuple(t.id for t in leaders(s))


def _too_few(check: str, row: str, s: StudyEvidence) -> Finding:
    not_asked = partial(not_checked, check, row, study=s.study.id)
    if s.best is None:
        return not_asked(NotChecked.NO_FEASIBLE_TRIAL, "Not checked: no trial of the study is feasible.")
    text = f"Not enough points: the best trials have fewer than {FEWEST} evaluations of {s.objective.metric}."
    return not_asked(NotChecked.TOO_FEW_EVALUATIONS, text)


def _percent(share: float) -> str:
    return f"{number(round(100 * share, 1))} %"


STILL_IMPROVING = Check(
    name="still improving",
    questions=(
        Question(
            row="F8",
            asks="Were the best trials still improving when they ended?",
            warn=("improving", "improving_after_decay", "cut_off_while_improving"),
            ok=("done",),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.TOO_FEW_EVALUATIONS),
        ),
    ),
    ask=still_improving,
    thresholds=(CurveThresholds,),
)

SATURATED = Check(
    name="saturated",
    questions=(
        Question(
            row="F9",
            asks="Did the best trials gain next to nothing in their second half?",
            warn=("saturated",),
            ok=("not_saturated",),
            na=(
                NotChecked.NO_FEASIBLE_TRIAL,
                NotChecked.TOO_FEW_EVALUATIONS,
                NotChecked.CUT_SHORT,
                NotChecked.TOO_NOISY,
            ),
        ),
    ),
    ask=saturated,
    thresholds=(CurveThresholds,),
)

BEST_STEPS = Check(
    name="best steps",
    questions=(
        Question(
            row="H3",
            asks="Do the best steps say that training is far too long, or too short?",
            warn=("all_early", "mostly_late"),
            ok=("spread_out", "late_and_gained_little"),
            na=(
                NotChecked.NO_FEASIBLE_TRIAL,
                NotChecked.TOO_FEW_TRIALS,
                NotChecked.TOO_FEW_EVALUATIONS,
                NotChecked.CUT_SHORT,
            ),
        ),
    ),
    ask=best_steps,
    thresholds=(StepsThresholds, CurveThresholds),
)
