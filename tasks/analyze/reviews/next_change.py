"""B6: which change the evidence asks to be tried next, and which can be removed."""

from functools import partial

from tasks.analyze.isolation import gain_band
from tasks.analyze.reviews.review import Review
from tasks.analyze.reviews.stabilizer import stabilizer
from tasks.analyze.study.bootstrap import BootstrapThresholds
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.regularizers import KINDS, SUGGESTED, kinds_in_use, weaker_settings
from tasks.analyze.study.slices import Slice, slices
from tasks.record import Finding, NotChecked
from tasks.scope.arms import listing
from tasks.scope.finding import Question, blocking, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.text import band_text, number

OVERFITTING = {"F2": "a best trial", "F5": "a bigger model", "F6": "several trials"}  # that overfit
UNFITTED, SHORT, UNSTABLE = "H9", "F8", "E11"


def next_changes(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, what they ask to be tried next, and which changes do not help.

    Overfitting asks for a regularizer that is not in use yet, or for more of one that is; the one that this round held
    fixed is the remedy, where there is one. Trials without the regularizer that the round itself compares ask for
    nothing: it is what was tried for them. Where no trial fits the training set (H9) none is asked for. Signs of
    instability ask for warmup, clipping or a lower learning rate, best trials that still improve for a longer or
    another schedule.

    A change does not help where the band of its gain over the baseline, 9 of 10 repetitions of the search, ends at
    `minimum_gain` or below. Nothing is said of it while a finding blocks: the comparison is not fair yet.

    Playbook: B6
    """
    return (*found, _wanted(evidence, found), *_unhelpful(evidence, found))


def _wanted(evidence: Evidence, found: tuple[Finding, ...]) -> Finding:
    say = partial(finding, "new features", "B6")
    asked = [f for f in found if f.row in (*OVERFITTING, SHORT, UNSTABLE) and f.level != "na"]
    if not asked:
        text = "Not asked: no curve says whether the trials overfit, improve still or are unstable."
        return not_checked("new features", "B6", NotChecked.TOO_FEW_EVALUATIONS, text)
    answered = weaker_settings(evidence)
    raised = [f for f in asked if f.level in ("warn", "fail") and not _answers(f, answered)]
    rows = {f.row for f in raised}
    unfitted = any(f.row == UNFITTED and f.level == "warn" for f in found)
    said: list[str] = []
    remedy: tuple[str, ...] = ()
    signs = [row for row in OVERFITTING if row in rows]
    if signs and unfitted:
        said.append(f"Trials overfit ({listing(signs)}), yet none fits the training set: try capacity or steps first.")
    elif signs:
        said.append(f"Trials overfit ({listing(signs)}): try {_regularizer(evidence)}.")
        remedy = next((f.remedy for f in raised if f.row in OVERFITTING and _regularises(f)), ())
    if UNSTABLE in rows:
        cure, override = stabilizer(evidence, found)
        said.append(f"The optimisation shows trouble (E11): {cure}.")
        remedy = (*remedy, *override)
    if SHORT in rows:
        said.append("The best trials still improve (F8): try more steps, or a schedule that decays sooner.")
    numbers = {"signs": len(said), "asked": len({f.row for f in asked})}
    if not said:
        return say("ok", "No finding asks for a new feature.", reason="nothing_asked_for", numbers=numbers)
    said += [f"Overfitting is seen in {listing(OVERFITTING[row] for row in signs)}."] if signs else []
    return say("warn", " ".join(said), reason="asked_for", numbers=numbers, remedy=remedy)


def _answers(found: Finding, weaker: frozenset[str]) -> bool:
    """Whether all trials of a finding of overfitting are without what the round compares as a cure of it."""
    return found.row in OVERFITTING and bool(found.trials) and set(found.trials) <= weaker


def _regularizer(evidence: Evidence) -> str:
    """Which regularizer to try, in words: one that the round has not in use, or more of what it has."""
    used = kinds_in_use(evidence.round.scope)
    left = [kind for kind in SUGGESTED if kind not in used]
    if not used:
        return f"a regularizer ({', '.join(left)})"
    has = listing(kind for kind in KINDS if kind in used)
    return f"a regularizer that is not in use yet ({', '.join(left)}), or more {has}" if left else f"more {has}"


def _regularises(found: Finding) -> bool:
    """Whether its remedy sets a regularizer free, raises it or turns it on; shorter training is no feature."""
    return bool(found.remedy) and not any(override.startswith("budget.") for override in found.remedy)


def _unhelpful(evidence: Evidence, found: tuple[Finding, ...]) -> list[Finding]:
    """A finding for each listed change against a baseline; one that was not checked where there is none to judge."""
    scope = evidence.round.scope
    listed = [n for n, values in scope.goal.scientific.items() if values != RANGE]
    asked = listed if scope.goal.facts.baseline else []
    not_asked = partial(not_checked, "features that do not help", "B6")
    if not asked:
        return [not_asked(NotChecked.NOT_THE_QUESTION, "Not asked: no change is held against a baseline.")]
    if blocking((*scope.findings, *found), scope.acknowledged):
        text = "Not asked: what blocks comes first, for the comparison is not fair yet."
        return [not_asked(NotChecked.BLOCKED, text)]
    arms = [[s for s in slices(evidence) if s.parameter == name] for name in asked]
    return [_helps(values[0], change) for values in arms for change in values[1:]]


def _helps(baseline: Slice, change: Slice) -> Finding:
    say = partial(finding, "features that do not help", "B6", parameter=change.parameter)
    band = gain_band(change, baseline) if change.best and baseline.best else None
    if band is None:
        because = NotChecked.TOO_FEW_TRIALS
        text = f"{change.label}: too few feasible trials to hold against {baseline.label}."
        return not_checked("features that do not help", "B6", because, text, parameter=change.parameter)
    bar = change.study.policy.minimum_gain
    gain = baseline.best_loss - change.best_loss
    told = f"gain {number(gain)} {change.objective.metric} over {baseline.label}, band {band_text(band)}"
    numbers = {"gain": gain, "low": band[0], "high": band[1], "minimum_gain": bar}
    if band[0] > bar:
        text = f"{change.label} helps, as far as the searches show: {told}."
        return say("ok", text, reason="helps", numbers=numbers)
    if band[1] > bar:
        text = f"Whether {change.label} helps is left open by the searches: {told}."
        return say("ok", text, reason="open", numbers=numbers)
    text = f"Leave out {change.label}, which does not help: {told}."
    return say("warn", text, reason="does_not_help", numbers=numbers)


NEXT_CHANGES = Review(
    name="next changes",
    questions=(
        Question(
            row="B6",
            asks="Which change does the evidence ask to be tried next, and which can be left out?",
            warn=("asked_for", "does_not_help"),
            ok=("nothing_asked_for", "helps", "open"),
            na=(
                NotChecked.TOO_FEW_EVALUATIONS,
                NotChecked.NOT_THE_QUESTION,
                NotChecked.BLOCKED,
                NotChecked.TOO_FEW_TRIALS,
            ),
        ),
    ),
    ask=next_changes,
    thresholds=(BootstrapThresholds,),
)
