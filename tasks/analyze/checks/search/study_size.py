"""Is a study large enough, and its best trial steady enough, for what is to be read from it?"""

from functools import partial

import numpy as np

from tasks.analyze.study.bootstrap import FEWEST, best_band, best_of_n, expected_best
from tasks.analyze.study.curves import FEWEST as FEWEST_EVALUATIONS
from tasks.analyze.study.curves import objective_shape
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.slices import Slice, compared_slices, slices
from tasks.record import Finding, Value
from tasks.scope.finding import finding
from tasks.text import number, plural
from tasks.trials.trial import Trial


def few_trials(evidence: Evidence) -> list[Finding]:
    """A warning for each study of few trials: what luck makes of its best, beside the noise within a trial.

    Playbook: D12
    """
    whole = {s.study.study.id: s for s in slices(evidence) if len(s.trials) == len(s.study.trials)}
    return [_few_trials(s, whole.get(s.study.id, s)) for s in evidence.studies]


def still_falling(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose best-of-n curve still falls at its last trial.

    The fall from half the budget to all of it, in expectation, as a share of the way from the best trial to the
    median one (so that neither the metric's unit nor its zero matter), and in any case more than the best trial
    moves from one evaluation to the next: a gain that cannot be measured is no reason for more trials.

    Any best-of-n curve falls at every n, so the bar is where a search that went well ends: 32 trials over a bowl in
    three hyperparameters fall by 7 % (median) and at most by 14 %, a best trial that stands alone by 20 % and more.

    Playbook: D13
    """
    return [_still_falling(s) for s in evidence.studies]


def late_noise(evidence: Evidence) -> list[Finding]:
    """A warning where the best trials move from step to step by as much as what separates them.

    The best trials of the two best scientific values; in a round that compares none, the two best trials. The gap is
    that of their best values or of their smoothed curves, whichever is smaller: the best of a noisy curve is partly
    its luckiest evaluation. Where the two are equal and neither moves (both at a ceiling, say) noise decides nothing.

    Playbook: F7
    """
    found = sorted(compared_slices(evidence), key=lambda s: s.best_loss)
    pairs = [(s.study, s.best, s.best_loss, s.label) for s in found if s.best]
    if len(pairs) < 2:
        study = found[0].study if found else evidence.studies[0]
        order = np.argsort(study.losses, kind="stable")[: int(study.feasible.sum())]
        pairs = [(study, study.trials[i], float(study.losses[i]), f"trial {study.trials[i].id}") for i in order]
    if len(pairs) < 2:
        return [finding("late noise", "F7", "na", "Not checked: there are no two feasible trials to compare.")]
    return [_late_noise(pairs[0], pairs[1])]


def _few_trials(s: StudyEvidence, as_learned: StudyEvidence | Slice) -> Finding:
    """`as_learned`: whose band the report tells elsewhere, so that it tells one and not two."""
    say = partial(finding, "few trials", "D12", study=s.study.id)
    count, feasible = len(s.losses), int(s.feasible.sum())
    if s.study.sampler == "points" or feasible < FEWEST:
        why = "its points were given, not drawn" if s.study.sampler == "points" else f"{feasible} trials are feasible"
        return say("na", f"The luck of the search was not estimated: {why}.")
    quantiles = best_of_n(s.losses, np.array([count]))[0]
    band = best_band(as_learned.losses, as_learned.rng("band"), s.policy.bootstraps)
    assert s.best is not None  # four feasible trials have a best and a band
    assert band is not None
    shape = objective_shape(s, s.best)
    low, high = sorted(s.objective.sign * v for v in band)
    numbers: dict[str, Value | None] = {
        "trials": count,
        "low": low,
        "high": high,
        "spread": high - low,
        "bootstrap_spread": float(quantiles[2] - quantiles[0]) if np.isfinite(quantiles).all() else None,
        "late_noise": shape.noise if shape else None,
        "few_trials": s.policy.few_trials,
    }
    beside = f"; within the best trial the late noise is {number(shape.noise)}" if shape else ""
    told = (
        f"Another study of {plural(count, 'trial')} would have found a best {s.objective.metric} between {number(low)} "
        f"and {number(high)} in 9 of 10 cases, a spread of {number(high - low)}{beside}"
    )
    if count > s.policy.few_trials:
        return say("ok", f"{told}.", numbers=numbers)
    text = f"{told}. With {s.policy.few_trials} trials or fewer, luck outweighs most differences: read it with care."
    return say("warn", text, numbers=numbers, remedy=(f"budget.trials={2 * count}",))


def _still_falling(s: StudyEvidence) -> Finding:
    say = partial(finding, "best of n", "D13", study=s.study.id)
    count, feasible = len(s.losses), int(s.feasible.sum())
    if s.study.sampler == "points" or feasible < FEWEST or s.best is None:
        why = "its points were given, not drawn" if s.study.sampler == "points" else f"{feasible} trials are feasible"
        return say("na", f"The best-of-n curve says nothing here: {why}.")
    fall = expected_best(s.losses, count // 2) - expected_best(s.losses, count)
    room = float(np.nanmedian(s.losses) - np.nanmin(s.losses))
    shape = objective_shape(s, s.best)
    noise = shape.noise if shape else 0.0
    numbers: dict[str, Value | None] = {
        "fall": fall,
        "relative_fall": fall / room if room > 0 else 0.0,
        "median_to_best": room,
        "late_noise": noise,
        "best_of_n_slope": s.policy.best_of_n_slope,
    }
    told = (
        f"From {count // 2} to {plural(count, 'trial')} the expected best {s.objective.metric} improves by "
        f"{number(fall)}, {_percent(fall, room)} of the way from the median trial to the best"
    )
    if fall <= s.policy.best_of_n_slope * room:
        text = f"{told}: more trials would bring little."
        return say("ok", text, numbers=numbers)
    if fall <= noise:
        text = f"{told}, less than the late noise of {number(noise)}: more trials would bring what cannot be seen."
        return say("ok", text, numbers=numbers)
    text = f"{told}: the search has not levelled off, and more trials are likely to find better ones."
    return say("warn", text, numbers=numbers, remedy=(f"budget.trials={2 * count}",))


def _late_noise(
    first: tuple[StudyEvidence, Trial, float, str], second: tuple[StudyEvidence, Trial, float, str]
) -> Finding:
    study, trial, loss, label = first
    shapes = [objective_shape(s, t) for s, t, _, _ in (first, second)]
    say = partial(finding, "late noise", "F7", study=study.study.id, trial=trial.id)
    known = [c for c in shapes if c]
    if len(known) < 2:
        text = (
            f"Not enough points: a curve has fewer than {FEWEST_EVALUATIONS} evaluations of {study.objective.metric}."
        )
        return say("na", text)
    noise = max(c.noise for c in known)
    apart = second[2] - loss
    gap = min(apart, float(known[1].smooth.min() - known[0].smooth.min()))
    numbers: dict[str, Value | None] = {
        "late_sd": noise,
        "gap": apart,
        "smooth_gap": gap,
        "late_fraction": study.policy.late_fraction,
    }
    told = (
        f"Late in training {study.objective.metric} moves by {number(noise)} (SD) from one evaluation to the next; the "
        f"best of {label} and of {second[3]} are {number(apart)} apart, {number(gap)} by their smoothed curves"
    )
    if noise == 0 and apart == 0:
        return say("ok", f"{told}: equal, and steady.", numbers=numbers)
    if noise < gap:
        return say("ok", f"{told}.", numbers=numbers)
    text = (
        f"{told}: the noise can decide which is ahead. A larger batch, more validation data, a learning rate that "
        f"decays or an average of the weights (Polyak) calms it."
    )
    return say("warn", text, numbers=numbers)


def _percent(part: float, whole: float) -> str:
    return f"{number(round(100 * part / whole, 1))} %" if whole > 0 else "0 %"
