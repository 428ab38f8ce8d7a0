"""H1, H4, H5: is the workload compute-bound, and do the steps suffice for each compared value?"""

import re
from functools import partial

import numpy as np

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
from tasks.analyze.study.curves import FEWEST, CurveThresholds, Shape, decays, objective_shape
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.slices import Slice, SliceThresholds, slices
from tasks.record import Finding, NotChecked, Number
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.names.dictionary.entry import Family
from tasks.text import number, percent, plural

# Families of hyperparameters whose values may need other numbers of steps, as the playbook has it.
NEED_OTHER_STEPS: tuple[Family, ...] = (
    "batch size",
    "architecture",
    "regularizer",
    "augmentation",
    "optimizer choice",
    "schedule",
)
DATA = re.compile(r"(?:^|[._])(?:data|dataset|datasets|crop|flip|jitter)(?:$|[._])")  # of the data pipeline
DONE = 0.5  # of `improving_fraction`: a curve that gains no more than that in the last quarter has come to its end
LONGER = 1.5  # how much longer an undecided study is to be: the step from "in doubt" to the next round's answer


def compute_bound(evidence: Evidence) -> list[Finding]:
    """Whether each study's workload is compute-bound: its best trials gain to their end, or stopped gaining before.

    It combines F8 and F9 and blames nothing: `compute_bound` is true, false, or None where the curves do not tell. A
    decay of the learning rate gains at its end whatever the length, so a gain under one leaves the question open, and
    curves that are too noisy to show a stop are not asked.

    Playbook: H1
    """
    return [_compute_bound(s) for s in evidence.studies]


def stingy_steps(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose steps only just suffice: in doubt, train longer.

    Not compute-bound, yet most of the best trials still gained in the last quarter: less than F8 asks for, more than
    half of that. So short a budget needs a decay of the learning rate that is tuned perfectly. Where the learning rate
    is reported and decays, a gain at the end is what it does, and no warning.

    Playbook: H4
    """
    return [_stingy(s) for s in evidence.studies]


def steps_for_each_value(evidence: Evidence) -> list[Finding]:
    """A warning where the steps suffice for some of the compared values and not for others.

    More gradient noise (a smaller batch, dropout, augmentation), other data or a larger network may need more steps, a
    better optimizer fewer: a comparison at one length then favours whatever is done first. It fires where the best
    trials of one value still improve (F8) and those of another have at most half of that gain left.

    Playbook: H5
    """
    names, asked = evidence.round.scope.names, evidence.round.scope.roles.scientific
    named = [n for n in asked if names.family(n) in NEED_OTHER_STEPS or DATA.search(n.lower())]
    unknown = [n for n in asked if names.family(n) is None and n not in named]
    if unknown and not named:
        text = f"Not checked: nothing says whether {unknown[0]} may need other steps; {names.say('architecture')} does."
        return [not_checked("steps a value", "H5", NotChecked.NOT_RECOGNISED, text)]
    if not named:
        text = "Not checked: what is compared is no batch size, architecture, data, regularizer, optimizer or schedule."
        return [not_checked("steps a value", "H5", NotChecked.NOT_THE_QUESTION, text)]
    found = slices(evidence)
    return [_each_value(n, [s for s in found if s.parameter == n]) for n in named]


def _compute_bound(s: StudyEvidence) -> Finding:
    shapes = leading_shapes(s)
    if not shapes:
        return _no_shape("compute-bound", "H1", s)
    found = saturation(shapes)
    gains, decayed = mostly_improving(s), any(decays(t) for t in leaders(s))
    if not gains and (found is None or not found.askable):
        noisy = "the evaluations are too noisy to show whether the best trials had stopped"
        text = f"Not checked: {noisy if found else 'the best trials never fell by more than their noise'}."
        return not_checked("compute-bound", "H1", NotChecked.TOO_NOISY, text, study=s.study.id)
    bound = None if gains and decayed else True if gains else False if found and found.shown else None
    numbers: dict[str, Number | None] = {
        "compute_bound": bound,
        "improving": sum(c.improving for c in shapes),
        "gain_since_half": found.gain if found else None,
        "judged": len(shapes),
    }
    text = {
        True: "Compute-bound: the best trials still gained at their end, so every result is one of this length.",
        False: "Not compute-bound: the best trials had stopped gaining long before their end.",
        None: "Between the two: the best trials gain little at their end, and had not stopped long before it.",
    }[bound]
    if gains and decayed:
        text = "Open: the best trials still gained at their end, as a decaying learning rate has it at any length."
    reason = {True: "compute_bound", False: "not_compute_bound", None: "between"}[bound]
    return finding("compute-bound", "H1", "ok", text, reason=reason, study=s.study.id, numbers=numbers)


def _stingy(s: StudyEvidence) -> Finding:
    say = partial(finding, "stingy steps", "H4", study=s.study.id)
    not_asked = partial(not_checked, "stingy steps", "H4", study=s.study.id)
    shapes = leading_shapes(s)
    if not shapes:
        return _no_shape("stingy steps", "H4", s)
    if mostly_improving(s):
        text = "Not asked: the study is compute-bound, and how long it trains is a matter of what it may cost."
        return not_asked(NotChecked.NOT_THE_QUESTION, text)
    if end := cut_short(s):
        text = f"Not asked: {cut_words(s, end)}, so the rest was not spent."
        return not_asked(NotChecked.CUT_SHORT, text, numbers={"ended": end})
    bars = s.policy.of(CurveThresholds)
    bar = DONE * bars.improving_fraction
    late = sum(c.gains(bar) for c in shapes)
    numbers: dict[str, Number | None] = {
        "late_share": float(np.median([c.late_share for c in shapes])),
        "gaining": late,
        "judged": len(shapes),
        "bar": bar,
        "late_fraction": bars.late_fraction,
        "improving_fraction": bars.improving_fraction,
    }
    told = (
        f"{late} of the best {plural(len(shapes), 'trial')} gained over {percent(bar)} of their descent in the "
        f"last {percent(bars.late_fraction)} of the steps"
    )
    if late <= len(shapes) / 2:
        return say("ok", f"{told}: there is time to spare.", reason="time_to_spare", numbers=numbers)
    if any(decays(t) for t in leaders(s)):
        return say("ok", f"{told}, as a decaying learning rate has it.", reason="decayed", numbers=numbers)
    text = (
        f"Train longer, for {s.max_train_steps} steps only just suffice: {told}. So few need a decay of the learning "
        f"rate that is tuned perfectly."
    )
    remedy = (f"budget.max_train_steps={round(LONGER * s.max_train_steps)}",)
    return say("warn", text, reason="only_just_enough", numbers=numbers, remedy=remedy)


def _each_value(name: str, found: list[Slice]) -> Finding:
    say = partial(finding, "steps a value", "H5", parameter=name)
    judged = [(s, shapes) for s in found if (shapes := _best_shapes(s))]
    if len(judged) < 2:
        text = f"Not checked: fewer than two values of {name} have feasible trials with {FEWEST} evaluations."
        none = not any(s.best for s in found)
        because = NotChecked.NO_FEASIBLE_TRIAL if none else NotChecked.TOO_FEW_EVALUATIONS
        return not_checked("steps a value", "H5", because, text, parameter=name)
    bars = judged[0][0].study.policy.of(CurveThresholds)
    left = {s.label: float(np.median([c.late_share for c in shapes])) for s, shapes in judged}
    short = [s.label for s, shapes in judged if sum(c.improving for c in shapes) > len(shapes) / 2]
    done = [
        s.label
        for s, shapes in judged
        if not any(c.improving for c in shapes) and left[s.label] <= DONE * bars.improving_fraction
    ]
    numbers: dict[str, Number | None] = {
        "improving_values": len(short),
        "done_values": len(done),
        "judged": len(judged),
        "improving_fraction": bars.improving_fraction,
    }
    if not short or not done:
        text = f"No value of {name} needs more steps than another: of {len(judged)}, {len(short)} still improve."
        return say("ok", text, reason="alike", numbers=numbers)
    steps = judged[0][0].study.max_train_steps
    text = (
        f"At {steps} steps {short[0]} still improves and {done[0]} does not: compare them at more steps. The last "
        f"quarter brought {percent(left[short[0]])} of the gain of {short[0]} and "
        f"{number(round(100 * max(left[done[0]], 0.0), 1))} % of that of {done[0]}, which a short comparison favours."
    )
    remedy = (f"budget.max_train_steps={2 * steps}",)
    return say("warn", text, reason="one_needs_more", numbers=numbers, remedy=remedy)


def _best_shapes(s: Slice) -> list[Shape]:
    order = np.argsort(s.losses, kind="stable")[: int(np.isfinite(s.losses).sum())]
    best = [s.trials[i] for i in order[:LEADERS]]
    return [c for t in best if (c := objective_shape(s.study, t))]


def _no_shape(check: str, row: str, s: StudyEvidence) -> Finding:
    because = NotChecked.NO_FEASIBLE_TRIAL if s.best is None else NotChecked.TOO_FEW_EVALUATIONS
    text = f"Not checked: no feasible trial has {FEWEST} evaluations."
    return not_checked(check, row, because, text, study=s.study.id)


COMPUTE_BOUND = Check(
    name="compute-bound",
    questions=(
        Question(
            row="H1",
            asks="Is the workload compute-bound?",
            ok=("compute_bound", "not_compute_bound", "between"),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.TOO_FEW_EVALUATIONS, NotChecked.TOO_NOISY),
        ),
    ),
    ask=compute_bound,
    thresholds=(CurveThresholds,),
)

STINGY_STEPS = Check(
    name="stingy steps",
    questions=(
        Question(
            row="H4",
            asks="Do the steps only just suffice?",
            warn=("only_just_enough",),
            ok=("time_to_spare", "decayed"),
            na=(
                NotChecked.NO_FEASIBLE_TRIAL,
                NotChecked.TOO_FEW_EVALUATIONS,
                NotChecked.NOT_THE_QUESTION,
                NotChecked.CUT_SHORT,
            ),
        ),
    ),
    ask=stingy_steps,
    thresholds=(CurveThresholds,),
)

STEPS_A_VALUE = Check(
    name="steps a value",
    questions=(
        Question(
            row="H5",
            asks="Do the steps suffice for each compared value alike?",
            warn=("one_needs_more",),
            ok=("alike",),
            na=(
                NotChecked.NOT_THE_QUESTION,
                NotChecked.NOT_RECOGNISED,
                NotChecked.NO_FEASIBLE_TRIAL,
                NotChecked.TOO_FEW_EVALUATIONS,
            ),
        ),
    ),
    ask=steps_for_each_value,
    thresholds=(CurveThresholds, SliceThresholds),
)
