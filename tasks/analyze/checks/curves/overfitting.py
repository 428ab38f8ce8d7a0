"""F2 to F6: do the best trials overfit? If so, nothing is compared before they are regularized."""

import json
from collections.abc import Iterable
from functools import partial

from tasks.analyze.study.curves import (
    FEWEST,
    TRAIN_LOSS,
    VALID_LOSS,
    Shape,
    loss_shape,
    objective_shape,
    reported,
    rise_numbers,
    share_of_descent,
)
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.slices import Slice, compared_slices
from tasks.record import Finding, Value
from tasks.scope.arms import can_exist
from tasks.scope.finding import finding
from tasks.scope.names.families import family, is_switch
from tasks.scope.roles import Scope
from tasks.text import number, plural
from tasks.trials.trial import Trial

OFF = frozenset({"none", "off", "no", "null", "false", ""})


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
    """A warning where a smaller model won and a bigger one's best trial overfits; nothing unless a size is asked.

    Playbook: F5
    """
    findings = []
    for name in evidence.round.scope.roles.scientific:
        sized = [
            s for s in compared_slices(evidence) if s.parameter == name and family(name) == "architecture" and _size(s)
        ]
        if len(sized) < 2:
            continue
        winner = min(sized, key=lambda s: s.best_loss)
        bigger = [s for s in sized if s.place > winner.place and s.best and overfits(s.study, s.best)]
        findings.append(_bigger(evidence, winner, bigger))
    return findings


def any_overfitting(evidence: Evidence) -> list[Finding]:
    """A warning for each study in which two trials or more overfit, best or not; one alone may be chance.

    Playbook: F6
    """
    return [_any_overfitting(evidence, s) for s in evidence.studies]


def _overfitting(evidence: Evidence, s: Slice, found: Iterable[Slice]) -> Finding:
    study, trial = s.study, s.best
    assert trial is not None  # a compared slice has one
    curve, verdict = objective_shape(study, trial), overfits(study, trial)
    say = partial(finding, "overfitting", "F2", study=study.study.id, trial=trial.id)
    if curve is None:
        return say("na", f"{s.label}: {_too_few(study, trial)}")
    numbers = rise_numbers(curve)
    if verdict is None:
        told = f"{study.objective.metric} ended {number(curve.rise)} off its best smoothed value"
        text = f"{told}, which evaluations as few or as noisy as these ({len(curve.losses)}) cannot tell from chance"
        return say("na", f"{s.label}: not checked: {text}.", numbers=numbers)
    if not verdict:
        text = f"{s.label}: the best trial does not overfit; {_why_not(study, trial, curve)}."
        return say("ok", text + _loss_note(study, trial), numbers=numbers)
    told = (
        f"{s.label}: {study.objective.metric} of the best trial was best around step {curve.turning_step} of "
        f"{curve.steps[-1]} and ended {number(curve.rise)} worse, {share_of_descent(curve)}, with a late noise of "
        f"{number(curve.noise)}"
    )
    if _exempt(evidence, s):
        text = f"{told}. It is a weaker setting of the regularizer in question, so that is its result (F4)."
        return say("warn", text, numbers=numbers)
    remedy = regularised(evidence.round.scope, s) or _shorter(evidence, found)
    advice = _advice(remedy)
    return say("fail", f"{told}. {advice}", numbers=numbers, remedy=remedy)


def regularised(scope: Scope, s: Slice) -> tuple[str, ...]:
    """The overrides that let a regularizer vary which this round held fixed; empty where there is none.

    The strength of one that can exist as things are comes first, else a switch is turned on.

    Playbook: F3
    """
    arm = dict(s.study.study.scientific)
    held = [p for p in scope.declared if p.name in scope.roles.fixed and family(p.name) == "regularizer"]
    for p in held:
        if not is_switch(p) and not p.constant and can_exist(scope, arm, p) and _unfix(scope, p.name):
            return _unfix(scope, p.name)
    for p in held:
        on = next((v for v in p.values if not _off(v)), None)
        if is_switch(p) and on is not None and _off(scope.roles.fixed[p.name].value) and p.name in scope.goal.fixed:
            return (f"++goal.fixed.{p.name}.value={str(on).lower() if isinstance(on, bool) else on}",)
    return ()


def _unfix(scope: Scope, name: str) -> tuple[str, ...]:
    """Take a parameter out of `goal.fixed` and into the nuisances.

    Hydra cannot delete a key with a dot in it: there the whole mapping is said again, without that key.
    """
    fixed, nuisance = scope.goal.fixed, scope.goal.nuisance
    listed = () if nuisance is None else (f"goal.nuisance=[{','.join((*nuisance, name))}]",)
    if name not in fixed:
        return listed
    if "." not in name:
        return (f"~goal.fixed.{name}", *listed)
    kept = {n: wish.model_dump(exclude_none=True) for n, wish in fixed.items() if n != name}
    said = ",".join(
        f"{n}:{{{','.join(f'{k}:{json.dumps(v, ensure_ascii=False)}' for k, v in wish.items())}}}"
        for n, wish in kept.items()
    )
    return ("~goal.fixed", f"++goal.fixed={{{said}}}", *listed)


def _shorter(evidence: Evidence, found: Iterable[Slice]) -> tuple[str, ...]:
    """The longest that any compared best trial still had use for, where that is less than the budget."""
    shapes = [objective_shape(s.study, s.best) for s in found if s.best]
    budget = evidence.round.scope.budget
    last = max((_useful(c) if c else budget.max_train_steps for c in shapes), default=budget.max_train_steps)
    enough = max(last, FEWEST * budget.eval_every_steps)
    return (f"budget.max_train_steps={enough}",) if enough < budget.max_train_steps else ()


def _useful(curve: Shape) -> int:
    """The last step from which the curve had anything."""
    if curve.rises:
        return curve.turning_step
    return int(curve.steps[-1]) if curve.improving else curve.saturation_step


def _advice(remedy: tuple[str, ...]) -> str:
    if any(r.startswith("budget.") for r in remedy):
        return "No regularizer stands fixed that could be tuned: add one to the space, or stop where the curves turn."
    if remedy:
        return "Tune the regularizer that this round held fixed, then compare."
    return (
        "Tune its regularisation better (weight decay, dropout, label smoothing: none stands fixed in this space) and "
        "compare then; fewer steps would cut short another arm."
    )


def _exempt(evidence: Evidence, s: Slice) -> bool:
    """Whether the slice is a weaker setting of a regularizer that is itself in question (F4)."""
    if s.parameter is None or family(s.parameter) != "regularizer":
        return False
    strengths = [_strength(t) for t in compared_slices(evidence) if t.parameter == s.parameter]
    return _strength(s) < max(strengths)


def _strength(s: Slice) -> float:
    if s.bucket is not None:
        return float(s.place)
    if isinstance(s.value, str | bool):
        return 0.0 if _off(s.value) else 1.0
    return float(s.value or 0.0)


def _off(value: Value) -> bool:
    return value is False or (isinstance(value, str) and value.lower() in OFF)


def _size(s: Slice) -> bool:
    """Whether the slices of the hyperparameter have an order of size: numbers, not names."""
    return s.bucket is not None or (isinstance(s.value, int | float) and not isinstance(s.value, bool))


def _bigger(evidence: Evidence, winner: Slice, bigger: list[Slice]) -> Finding:
    assert winner.best is not None
    say = partial(finding, "retry bigger", "F5", study=winner.study.study.id, parameter=winner.parameter)
    numbers: dict[str, Value | None] = {"overfitting_bigger": len(bigger)}
    if not bigger:
        text = f"{winner.label} is best, and no bigger one's best trial overfits."
        return say("ok", text, numbers=numbers)
    labels = ", ".join(s.label for s in bigger)
    text = (
        f"{winner.label} is best so far, but the best trial of {labels} overfits: try the bigger model with more "
        f"regularisation before the smaller one is preferred."
    )
    remedy = regularised(evidence.round.scope, bigger[0])
    return say("warn", text, numbers=numbers, remedy=remedy)


def _any_overfitting(evidence: Evidence, s: StudyEvidence) -> Finding:
    judged = [v for t in s.trials if t.feasible and (v := overfits(s, t)) is not None]
    say = partial(finding, "any overfitting", "F6", study=s.study.id)
    if not judged:
        return say("na", f"No trial has {FEWEST} evaluations that are calm enough to judge.")
    count = sum(judged)
    numbers: dict[str, Value | None] = {"overfitting": count, "judged": len(judged), "share": count / len(judged)}
    told = f"{count} of {plural(len(judged), 'feasible trial')} overfit"
    if count < 2:
        return say("ok", f"{told}{'; one alone may be chance' * count}.", numbers=numbers)
    text = (
        f"{told}. Picking the best then favours settings that regularise by accident, such as a learning rate that is "
        f"too small; a regularizer that is tuned would let the others compete."
    )
    first = next((c for c in compared_slices(evidence) if c.study.study.id == s.study.id), None)
    remedy = regularised(evidence.round.scope, first) if first else ()
    return say("warn", text, numbers=numbers, remedy=remedy)


def _no_trial(s: StudyEvidence) -> Finding:
    return finding("overfitting", "F2", "na", "Not checked: no trial of the study is feasible.", study=s.study.id)


def _too_few(study: StudyEvidence, trial: Trial) -> str:
    count = len(trial.curve.of(study.objective.metric)[1])
    return f"not enough points: {plural(count, 'evaluation')} of {study.objective.metric}, {FEWEST} are needed."


def _why_not(study: StudyEvidence, trial: Trial, curve: Shape) -> str:
    if not curve.rises:
        off = f"{number(curve.rise)} off its best smoothed value"
        return f"{study.objective.metric} ended {off}, with a late noise of {number(curve.noise)}"
    train = loss_shape(study, trial, TRAIN_LOSS)
    if train is not None and train.rises:
        return f"{study.objective.metric} turned, but the training loss rose as well (see F10)"
    return f"{study.objective.metric} rose, but the trial never fitted its training data in the first place"


def _loss_note(study: StudyEvidence, trial: Trial) -> str:
    """What a validation loss does under a steady error, which is common and hurts confidence, not decisions."""
    name = reported(trial.curve, VALID_LOSS)
    curve = loss_shape(study, trial, VALID_LOSS)
    if curve is None or name == study.objective.metric or not curve.rises:
        return ""
    return f" Its {name} rose from step {curve.turning_step} on, though: it grows overconfident."
