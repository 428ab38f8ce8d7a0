"""J5: does the validation metric go up and down at a steady pace late in training?"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.study.curves import LEARNING_RATE, reported
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import number, plural
from tasks.trials.trial import Trial

FEWEST = 20  # evaluations; of 16 a period of three was never seen, of 20 in 100 of 100 studies (`strongest`)
TRIALS = 4  # a period in one curve is chance more often than the same period in most of four
SKIPPED = 0.25  # the first share of the evaluations: there the metric falls too steeply to be looked through
CYCLES = 5.0  # slower waves are those of a schedule with a few restarts
STEADY = 1.0  # cycles by which the periods of two trials may differ and still be one

Floats = NDArray[np.float64]


class PeriodicityThresholds(Frozen):
    """What is no luck of the noise."""

    period_chance: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="J5, ours: how likely noise alone has a trial's period; most trials must share one",
    )


@dataclass(frozen=True, kw_only=True)
class Wave:
    """The strongest wave of each curve: `cycles` (trials,) in the window, `chance` (trials,) that noise has one."""

    cycles: Floats
    chance: Floats
    window: int


def periodicity(evidence: Evidence) -> list[Finding]:
    """A warning for each study in most of whose trials the validation metric has the same period, late in training.

    Data that come in the same unshuffled order each epoch do that; so does an overlap of training and validation
    data. A learning rate that itself goes up and down explains it, and nothing is then asked.

    Playbook: J5
    """
    return [_periodicity(s) for s in evidence.studies]


def strongest(curves: Floats) -> Wave:
    """The strongest wave of each curve, and how likely noise alone has one as strong.

    `curves`: (trials, evaluations), evenly spaced. Fisher's test for a hidden period, on the last three quarters of
    each curve less a cubic trend. Noise that wanders from one evaluation to the next (AR(1), the coefficient
    estimated and corrected for its bias) is divided out. Waves between two Fourier frequencies are looked at too;
    the chance is Bonferroni's, an upper bound. A curve that does not move has chance 1.

    Simulated, 12 trials of 20, 24, 30 and 40 evaluations, 5 cycles or more: no alarm in 150 studies of white noise, of
    AR(1) of 0.5 and 0.8, and of 2 to 5 restarts, at most 1 of AR(1) of -0.4. A wave of twice the noise's SD was seen in
    60 of 60 where its period was 2.3 or 3 evaluations, of 3.6 from 24 on, of 4 from 30 on, of 5 from 40 on; longer ones
    have fewer than 5 cycles.
    """
    late = curves[:, int(SKIPPED * curves.shape[1]) :]
    n = late.shape[1]
    trend = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, n), 3)
    rest = late - late @ np.linalg.pinv(trend).T @ trend.T
    power = (rest**2).sum(axis=1)
    moves = power > n * (1e-9 * np.abs(late).max(axis=1)) ** 2
    rest = np.where(moves[:, None], rest, 1.0) / np.sqrt(np.where(moves, power, 1.0))[:, None]
    tied = (rest[:, 1:] * rest[:, :-1]).sum(axis=1)
    tied = np.clip(tied + (1.0 + 4.0 * tied) / n, 0.0, 0.95)[:, None]
    whole = (n - 1) // 2
    cycles = np.arange(2, 2 * whole + 1) / 2.0
    waves = np.abs(rest @ np.exp(-2j * np.pi * np.outer(np.arange(n), cycles) / n)) ** 2
    waves *= 1.0 + tied**2 - 2.0 * tied * np.cos(2.0 * np.pi * cycles / n)
    share = np.minimum(waves / waves[:, ::2].sum(axis=1, keepdims=True), 1.0)
    chance = np.minimum(len(cycles) * (1.0 - share.max(axis=1)) ** (whole - 1), 1.0)
    return Wave(cycles=cycles[share.argmax(axis=1)], chance=np.where(moves, chance, 1.0), window=n)


def _periodicity(s: StudyEvidence) -> Finding:
    say = partial(finding, "periodicity", "J5", study=s.study.id)
    not_asked = partial(not_checked, "periodicity", "J5", study=s.study.id)
    metric = s.objective.metric
    every, curves, alike = _evenly(s)
    if len(curves) < TRIALS:
        short = f"fewer than {TRIALS} feasible trials have {FEWEST} evenly spaced evaluations of {metric}"
        because = NotChecked.TOO_FEW_TRIALS if s.feasible.sum() < TRIALS else NotChecked.TOO_FEW_EVALUATIONS
        because = because if s.best else NotChecked.NO_FEASIBLE_TRIAL
        more = f"; budget.eval_every_steps={max(s.max_train_steps // FEWEST, 1)} makes {FEWEST}"
        short += more * (because is NotChecked.TOO_FEW_EVALUATIONS and s.max_train_steps >= FEWEST)
        return not_asked(because, f"Not checked: {short}. Each needs equally many.")
    if any(_goes_up_again(t) for t in alike):
        text = "Not checked: the learning rate itself goes up and down, and the metric may go with it."
        return not_asked(NotChecked.RESTARTS, text)
    found, bar = strongest(curves), s.policy.of(PeriodicityThresholds).period_chance
    regular = found.cycles[(found.chance < bar) & (found.cycles >= CYCLES)]
    together = (np.abs(regular[:, None] - regular) <= STEADY).sum(axis=1)
    most = int(together.max(initial=0))
    longest = every * found.window / CYCLES
    numbers = {"periodic": most, "judged": len(curves), "period_chance": bar, "longest_period_steps": longest}
    told = f"{most} of {plural(len(curves), 'trial')} share a period of {metric} that chance does not explain"
    if most <= len(curves) / 2:
        seen = f"periods of {2 * every} to {int(longest)} steps can be seen, longer ones with more evaluations"
        return say("ok", f"{told}. What can be seen are {seen}.", reason="no_period", numbers=numbers)
    period = every * found.window / float(np.median(regular))
    text = (
        f"{most} of {plural(len(curves), 'trial')} share a period of {metric}, about {number(round(period, 1))} steps: "
        f"shuffle the training data, and keep validation data out. Chance does not explain it; a schedule of the "
        f"learning rate with that period would."
    )
    return say("warn", text, reason="period", trials=[t.id for t in alike], numbers={**numbers, "period_steps": period})


def _evenly(s: StudyEvidence) -> tuple[int, Floats, list[Trial]]:
    """`(steps between evaluations, (trials, evaluations), trials)` of the longest feasible curves, equally spaced."""
    found: dict[tuple[int, int], list[tuple[Trial, Floats]]] = {}
    for t in s.trials:
        steps, values = t.curve.of(s.objective.metric)
        gaps = np.diff(steps)
        if t.feasible and len(values) >= FEWEST and np.all(gaps == gaps[0]):
            found.setdefault((len(values), int(gaps[0])), []).append((t, values))
    if not found:
        return 1, np.empty((0, FEWEST)), []
    longest, every = max(found)
    rows = found[longest, every]
    return every, np.array([values for _, values in rows]), [t for t, _ in rows]


def _goes_up_again(trial: Trial) -> bool:
    """Whether the reported learning rate rises late in training, as it does at a restart."""
    name = reported(trial.curve, LEARNING_RATE)
    rates = trial.curve.of(name)[1] if name else np.empty(0)
    late = rates[int(SKIPPED * len(rates)) :]
    return bool(len(late) > 1 and (np.diff(late) > 0.01 * np.abs(rates).max()).any())


PERIODICITY = Check(
    name="periodicity",
    questions=(
        Question(
            row="J5",
            asks="Does the validation metric go up and down at a steady pace late in training?",
            warn=("period",),
            ok=("no_period",),
            na=(
                NotChecked.NO_FEASIBLE_TRIAL,
                NotChecked.TOO_FEW_TRIALS,
                NotChecked.TOO_FEW_EVALUATIONS,
                NotChecked.RESTARTS,
            ),
        ),
    ),
    ask=periodicity,
    thresholds=(PeriodicityThresholds,),
)
