"""F2 to F6: do the best trials overfit? If so, nothing is compared before they are regularized."""

from collections.abc import Iterable, Sequence
from functools import partial

from tasks.analyze.checks.check import Check
from tasks.analyze.checks.curves.regularization import advice_for, regularised, shorter
from tasks.analyze.study.curves import (
    FEWEST,
    TRAIN_LOSS,
    VALID_LOSS,
    CurveThresholds,
    Shape,
    loss_shape,
    objective_shape,
    reported,
    rise_numbers,
    share_of_descent,
)
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.regularizers import strength
from tasks.analyze.study.slices import Slice, SliceThresholds, compared_slices
from tasks.record import Finding, NotChecked, Number
from tasks.scope.arms import brief, in_full
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.names.names import REGULARIZING, Names
from tasks.text import number, plural
from tasks.trials.trial import Trial


def overfits(study: StudyEvidence, trial: Trial) -> bool | None:
    """Whether the objective turned and stayed worse while the trial still fitted its training data.

    None with too few evaluations, or where noise may explain so large a rise. Where the training loss rose as well
    the trial came apart, which is F10's or an instability, and no regularizer mends it; where it never fell at all
    there was nothing to overfit.

    Playbook: F2
    """
    objective = objective_shape(study, trial)
    if objective is None:
        return None
    train = loss_shape(study, trial, TRAIN_LOSS)
    if objective.may_rise and not (train is not None and train.rises):
        return None
    fitted = objective.moved if train is None else train.moved and not train.rises
    return objective.rises and fitted


def overfitting(evidence: Evidence) -> list[Finding]:
    """A fail for each scientific value whose best trial overfits: regularise it better before anything is compared.

    Where the scientific hyperparameter is itself a regularizer, every setting but the strongest may overfit, and
    only warns. Judged by the objective; a validation loss that rises under a steady error is told, not failed.

    Playbook: F2, F3, F4
    """
    found = compared_slices(evidence)
    empty = [_no_trial(s) for s in evidence.studies if s.best is None]
    return [_overfitting(evidence, s, found) for s in found] + empty


def retry_bigger(evidence: Evidence) -> list[Finding]:
    """A warning where a smaller model won and a bigger one's best trial overfits.

    Not checked where no size of the model is asked, or where nothing says whether what is asked is one.

    Playbook: F5
    """
    findings = []
    names, asked = evidence.round.scope.names, evidence.round.scope.roles.scientific
    for name in asked:
        sized = [s for s in compared_slices(evidence) if s.parameter == name and _size(s)]
        if names.family(name) != "architecture" or len(sized) < 2:
            continue
        winner = min(sized, key=lambda s: s.best_loss)
        bigger = [s for s in sized if s.place > winner.place and s.best and overfits(s.study, s.best)]
        findings.append(_bigger(evidence, winner, bigger))
    return findings or [_no_size(names, asked)]


def _no_size(names: Names, asked: Sequence[str]) -> Finding:
    unknown = [name for name in asked if names.family(name) is None]
    if unknown:
        text = f"Not checked: nothing says whether {unknown[0]} is a model's size; {names.say('architecture')} does."
        return not_checked("retry bigger", "F5", NotChecked.NOT_RECOGNISED, text)
    text = "Not checked: no two sizes of the model are compared."
    return not_checked("retry bigger", "F5", NotChecked.NOT_THE_QUESTION, text)


def any_overfitting(evidence: Evidence) -> list[Finding]:
    """A warning for each study in which two trials or more overfit, best or not; one alone may be chance.

    Playbook: F6
    """
    return [_any_overfitting(evidence, s) for s in evidence.studies]


def _overfitting(evidence: Evidence, s: Slice, found: Iterable[Slice]) -> Finding:
    study, trial = s.study, s.best
    assert trial is not None  # a compared slice has one
    curve, verdict = objective_shape(study, trial), overfits(study, trial)
    say = partial(finding, "overfitting", "F2", trials=[trial.id], study=study.study.id, trial=trial.id)
    not_asked = partial(not_checked, "overfitting", "F2", trials=[trial.id], study=study.study.id, trial=trial.id)
    if curve is None:
        return not_asked(NotChecked.TOO_FEW_EVALUATIONS, f"{s.label}: {_too_few(study, trial)}")
    numbers = rise_numbers(curve)
    if verdict is None:
        told = f"{study.objective.metric} ended {number(curve.rise)} off its best smoothed value"
        count = plural(len(curve.losses), "evaluation")
        text = f"{s.label}: not checked; {count} as noisy as these cannot tell a rise from chance. The {told}."
        return not_asked(NotChecked.TOO_NOISY, text, numbers=numbers)
    if not verdict:
        reason, why = _why_not(study, trial, curve)
        text = f"{s.label}: the best trial does not overfit; {why}."
        return say("ok", text + _loss_note(study, trial), reason=reason, numbers=numbers)
    told = f"{s.label}: the best trial overfits from step {curve.turning_step} of {curve.steps[-1]} on"
    worse = (
        f"The {study.objective.metric} ended {number(curve.rise)} worse than its best, {share_of_descent(curve)}; "
        f"the late noise is {number(curve.noise)}."
    )
    if _exempt(evidence, s):
        text = f"{told}, as a weaker setting of the compared regularizer may. {worse} That is its result (F4)."
        return say("warn", text, reason="weaker_setting", numbers=numbers)
    remedy = regularised(evidence.round.scope, s) or shorter(evidence, found)
    advice, more = advice_for(remedy)
    return say("fail", f"{told}: {advice}. {worse} {more}", reason="best_overfits", numbers=numbers, remedy=remedy)


def _exempt(evidence: Evidence, s: Slice) -> bool:
    """Whether the slice is a weaker setting of a regularizer that is itself in question (F4)."""
    if s.parameter is None or evidence.round.scope.names.family(s.parameter) not in REGULARIZING:
        return False
    strengths = [strength(t) for t in compared_slices(evidence) if t.parameter == s.parameter]
    return strength(s) < max(strengths)


def _size(s: Slice) -> bool:
    """Whether the slices of the hyperparameter have an order of size: numbers, not names."""
    return s.bucket is not None or (isinstance(s.value, int | float) and not isinstance(s.value, bool))


def _bigger(evidence: Evidence, winner: Slice, bigger: list[Slice]) -> Finding:
    assert winner.best is not None
    say = partial(finding, "retry bigger", "F5", study=winner.study.study.id, parameter=winner.parameter)
    numbers: dict[str, Number | None] = {"overfitting_bigger": len(bigger)}
    trials = [s.best.id for s in bigger if s.best]
    if not bigger:
        text = f"{winner.label} is best, and no bigger one's best trial overfits."
        return say("ok", text, reason="none_overfits", numbers=numbers)
    labels = [s.label for s in bigger]
    text = (
        f"{winner.label} is best, but {brief(labels)} {'overfits' if len(labels) == 1 else 'overfit'}: regularise the "
        f"bigger model more, then compare again. Judged are the best trials.{in_full(labels)}"
    )
    remedy = regularised(evidence.round.scope, bigger[0])
    return say("warn", text, reason="bigger_overfits", trials=trials, numbers=numbers, remedy=remedy)


def _any_overfitting(evidence: Evidence, s: StudyEvidence) -> Finding:
    judged = {t.id: v for t in s.trials if t.feasible and (v := overfits(s, t)) is not None}
    say = partial(finding, "any overfitting", "F6", study=s.study.id)
    if not judged:
        return _none_judged(s)
    trials = [id for id, overfit in judged.items() if overfit]
    count = len(trials)
    numbers: dict[str, Number | None] = {"overfitting": count, "judged": len(judged), "share": count / len(judged)}
    told = f"{count} of {plural(len(judged), 'feasible trial')} overfit"
    if count < 2:
        reason = "one_alone" if count else "none"
        return say("ok", f"{told}{'; one alone may be chance' * count}.", reason=reason, trials=trials, numbers=numbers)
    text = (
        f"{told}: tune a regularizer, or the best may be a setting that regularises by accident. Such a setting is a "
        f"learning rate that is too small, for example; a tuned regularizer lets the others compete."
    )
    first = next((c for c in compared_slices(evidence) if c.study.study.id == s.study.id), None)
    remedy = regularised(evidence.round.scope, first) if first else ()
    return say("warn", text, reason="several", trials=trials, numbers=numbers, remedy=remedy)


def _none_judged(s: StudyEvidence) -> Finding:
    shaped = any(t.feasible and objective_shape(s, t) for t in s.trials)
    because = NotChecked.TOO_NOISY if shaped else NotChecked.TOO_FEW_EVALUATIONS
    because = because if s.best else NotChecked.NO_FEASIBLE_TRIAL
    text = f"No trial has {FEWEST} evaluations that are calm enough to judge."
    return not_checked("any overfitting", "F6", because, text, study=s.study.id)


def _no_trial(s: StudyEvidence) -> Finding:
    text = "Not checked: no trial of the study is feasible."
    return not_checked("overfitting", "F2", NotChecked.NO_FEASIBLE_TRIAL, text, study=s.study.id)


def _too_few(study: StudyEvidence, trial: Trial) -> str:
    count = len(trial.curve.of(study.objective.metric)[1])
    return f"not enough points: {plural(count, 'evaluation')} of {study.objective.metric}, {FEWEST} are needed."


def _why_not(study: StudyEvidence, trial: Trial, curve: Shape) -> tuple[str, str]:
    """The reason and the words of a best trial that does not overfit."""
    if not curve.rises:
        off = f"{number(curve.rise)} off its best smoothed value"
        return "no_rise", f"{study.objective.metric} ended {off}. The late noise is {number(curve.noise)}"
    train = loss_shape(study, trial, TRAIN_LOSS)
    if train is not None and train.rises:
        return "training_loss_rose", f"{study.objective.metric} turned, but the training loss rose as well (see F10)"
    text = f"{study.objective.metric} rose, but the trial never fitted its training data in the first place"
    return "never_fitted", text


def _loss_note(study: StudyEvidence, trial: Trial) -> str:
    """What a validation loss does under a steady error, which is common and hurts confidence, not decisions."""
    name = reported(trial.curve, VALID_LOSS)
    curve = loss_shape(study, trial, VALID_LOSS)
    if curve is None or name == study.objective.metric or not curve.rises:
        return ""
    return f" Its {name} rose from step {curve.turning_step} on, though: it grows overconfident."


OVERFITTING = Check(
    name="overfitting",
    questions=(
        Question(
            row="F2",
            asks="Does the best trial of a compared value overfit?",
            fail=("best_overfits",),
            warn=("weaker_setting",),
            ok=("no_rise", "training_loss_rose", "never_fitted"),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.TOO_FEW_EVALUATIONS, NotChecked.TOO_NOISY),
        ),
    ),
    ask=overfitting,
    thresholds=(CurveThresholds, SliceThresholds),
)

RETRY_BIGGER = Check(
    name="retry bigger",
    questions=(
        Question(
            row="F5",
            asks="Did a smaller model win because the bigger ones overfit?",
            warn=("bigger_overfits",),
            ok=("none_overfits",),
            na=(NotChecked.NOT_RECOGNISED, NotChecked.NOT_THE_QUESTION),
        ),
    ),
    ask=retry_bigger,
    thresholds=(CurveThresholds, SliceThresholds),
)

ANY_OVERFITTING = Check(
    name="any overfitting",
    questions=(
        Question(
            row="F6",
            asks="Do several trials of a study overfit, best or not?",
            warn=("several",),
            ok=("none", "one_alone"),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.TOO_FEW_EVALUATIONS, NotChecked.TOO_NOISY),
        ),
    ),
    ask=any_overfitting,
    thresholds=(CurveThresholds,),
)
