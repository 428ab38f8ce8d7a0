"""D12, D13: is a study large enough for what is to be read from it?"""

from functools import partial

import numpy as np
from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.study.bootstrap import FEWEST, BootstrapThresholds, best_band, best_of_n, expected_best
from tasks.analyze.study.curves import objective_shape
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.slices import Slice, slices
from tasks.record import Finding, Frozen, NotChecked, Number
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import number, plural

ROUNDING = 1e-12  # of the largest loss: a fall below that is none


class StudySizeThresholds(Frozen):
    """When a study is small, and when its best still falls."""

    few_trials: int = Field(
        default=20, ge=1, description="D12, playbook: at 20 trials the luck of the search can exceed retrain noise"
    )
    best_of_n_slope: float = Field(
        default=0.15,
        gt=0,
        description="D13, ours: the fall of best-of-n over the last half of the budget, of median minus best: a sound "
        "bowl reaches 0.14 in 32 trials, a best that stands alone has 0.2",
    )


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


def _few_trials(s: StudyEvidence, as_learned: StudyEvidence | Slice) -> Finding:
    """`as_learned`: whose band the report tells elsewhere, so that it tells one and not two."""
    say = partial(finding, "few trials", "D12", study=s.study.id)
    count, feasible = len(s.losses), int(s.feasible.sum())
    if s.study.sampler == "points" or feasible < FEWEST:
        because, why = _too_few(s, feasible)
        text = f"The luck of the search was not estimated: {why}."
        return not_checked("few trials", "D12", because, text, study=s.study.id)
    quantiles = best_of_n(s.losses, np.array([count]))[0]
    band = best_band(as_learned.losses, as_learned.rng("band"), s.policy.of(BootstrapThresholds).bootstraps)
    assert s.best is not None  # four feasible trials have a best and a band
    assert band is not None
    shape = objective_shape(s, s.best)
    low, high = sorted(s.objective.sign * v for v in band)
    few = s.policy.of(StudySizeThresholds).few_trials
    numbers: dict[str, Number | None] = {
        "trials": count,
        "low": low,
        "high": high,
        "spread": high - low,
        "bootstrap_spread": float(quantiles[2] - quantiles[0]) if np.isfinite(quantiles).all() else None,
        "late_noise": shape.noise if shape else None,
        "few_trials": few,
    }
    beside = f"; within the best trial the late noise is {number(shape.noise)}" if shape else ""
    luck = f"With {plural(count, 'trial')}, luck alone moves the best {s.objective.metric} by {number(high - low)}"
    cases = f" Another such study would have found a best of {number(low)} to {number(high)} in 9 of 10 cases{beside}."
    if count > few:
        return say("ok", f"{luck}.{cases}", reason="enough_trials", numbers=numbers)
    text = f"{luck}: trust no smaller difference, or run more trials.{cases}"
    text += f" With {few} trials or fewer, luck outweighs most differences."
    return say("warn", text, reason="few_trials", numbers=numbers, remedy=(f"budget.trials={2 * len(s.drawn.trials)}",))


def _too_few(s: StudyEvidence, feasible: int) -> tuple[NotChecked, str]:
    """Why nothing can be said of so many feasible trials, as a code and in words."""
    if s.study.sampler == "points":
        return NotChecked.LISTED_POINTS, "its points were given, not drawn"
    return NotChecked.TOO_FEW_TRIALS, f"{feasible} trials are feasible"


def _still_falling(s: StudyEvidence) -> Finding:
    say = partial(finding, "best of n", "D13", study=s.study.id)
    count, feasible = len(s.losses), int(s.feasible.sum())
    if s.study.sampler == "points" or feasible < FEWEST or s.best is None:
        because, why = _too_few(s, feasible)
        text = f"The best-of-n curve says nothing here: {why}."
        return not_checked("best of n", "D13", because, text, study=s.study.id)
    fall = expected_best(s.losses, count // 2) - expected_best(s.losses, count)
    room = float(np.nanmedian(s.losses) - np.nanmin(s.losses))
    shape = objective_shape(s, s.best)
    noise = shape.noise if shape else 0.0
    slope = s.policy.of(StudySizeThresholds).best_of_n_slope
    numbers: dict[str, Number | None] = {
        "fall": fall,
        "relative_fall": fall / room if room > 0 else 0.0,
        "median_to_best": room,
        "late_noise": noise,
        "best_of_n_slope": slope,
    }
    gain = f"from {count // 2} to {plural(count, 'trial')} the expected best {s.objective.metric} improved by "
    gain += number(fall)
    share = f"That is {_percent(fall, room)} of the way from the median trial to the best"
    if fall <= slope * room + ROUNDING * float(np.nanmax(np.abs(s.losses))):
        return say("ok", f"More trials would bring little: {gain}. {share}.", reason="levelled_off", numbers=numbers)
    if fall <= noise:
        text = f"More trials would bring no visible gain: {gain}, less than the late noise. {share}; "
        text += f"the late noise is {number(noise)}."
        return say("ok", text, reason="below_the_noise", numbers=numbers)
    text = f"Run more trials, which are likely to find better ones: {gain}. {share}: the search has not levelled off."
    return say(
        "warn", text, reason="still_falling", numbers=numbers, remedy=(f"budget.trials={2 * len(s.drawn.trials)}",)
    )


def _percent(part: float, whole: float) -> str:
    return f"{number(round(100 * part / whole, 1))} %" if whole > 0 else "0 %"


FEW_TRIALS = Check(
    name="few trials",
    questions=(
        Question(
            row="D12",
            asks="Are the trials of a study so few that its best may be luck?",
            warn=("few_trials",),
            ok=("enough_trials",),
            na=(NotChecked.LISTED_POINTS, NotChecked.TOO_FEW_TRIALS),
        ),
    ),
    ask=few_trials,
    thresholds=(StudySizeThresholds, BootstrapThresholds),
)

BEST_OF_N = Check(
    name="best of n",
    questions=(
        Question(
            row="D13",
            asks="Does the best of n trials still improve at the last trial?",
            warn=("still_falling",),
            ok=("levelled_off", "below_the_noise"),
            na=(NotChecked.LISTED_POINTS, NotChecked.TOO_FEW_TRIALS),
        ),
    ),
    ask=still_falling,
    thresholds=(StudySizeThresholds,),
)
