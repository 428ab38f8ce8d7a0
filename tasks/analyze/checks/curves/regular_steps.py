"""J3: was every trial evaluated at the same fixed steps?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, NotChecked, Number
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import plural
from tasks.trials.trial import Trial

FEWEST = 4  # evaluations: with the first and the last interval left out, one is left to be held against them
ODD = 0.1  # of a trial's intervals, and of the trials, that may be odd: an interruption makes one
MANY = 8  # intervals of which two may be odd: a report in between, right after an interruption, makes two
BEGINNINGS = (0, 1)  # steps of a first evaluation that is one of the network as it was initialised
ELSEWHERE = "audit"  # the goal of trials that ran elsewhere: their interval is taken from their curves


@dataclass(frozen=True, kw_only=True)
class EvaluationSteps:
    """The steps at which a trial was evaluated: the usual `interval`, and whether all but a few keep to it.

    `offset`: the rest of its steps after division by the interval, that most of them have.
    """

    trial: Trial
    interval: int
    offset: int
    regular: bool


def regular_steps(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose trials report at uneven steps, at different ones, or not every `eval_every_steps`.

    A clock decides then and not the step: what is compared at equal steps was measured at others, and a best step or
    a period means little. The first evaluation (of step 0 or 1) and the last interval may be shorter; a trial that
    ended early has fewer; a missing report makes an interval a multiple of the others, which is no fault; and one odd
    interval in ten is what an interruption leaves.

    Playbook: J3
    """
    return [_of(s, evidence.round.scope.goal.name != ELSEWHERE) for s in evidence.studies]


def evaluation_steps(trial: Trial, metric: str) -> EvaluationSteps | None:
    """The steps of a trial's evaluations; None with fewer than four."""
    steps = trial.curve.of(metric)[0]
    if len(steps) < FEWEST:
        return None
    inner = steps[1:] if steps[0] in BEGINNINGS else steps
    gaps = np.diff(inner)[:-1] if len(inner) > 2 else np.diff(inner)
    interval = _most_common(gaps)
    odd = int((gaps % interval != 0).sum())
    missing = int((gaps > interval).sum())
    return EvaluationSteps(
        trial=trial,
        interval=interval,
        offset=_most_common(inner[:-1] % interval),
        regular=odd <= max(ODD * len(gaps), 2 if len(gaps) >= MANY else 1) and 2 * missing <= len(gaps),
    )


def _of(s: StudyEvidence, ours: bool) -> Finding:
    say = partial(finding, "regular steps", "J3", study=s.study.id)
    metric = s.objective.metric
    grids = [g for t in s.trials if (g := evaluation_steps(t, metric))]
    if not grids:
        because = NotChecked.NO_FEASIBLE_TRIAL if s.best is None else NotChecked.TOO_FEW_EVALUATIONS
        text = f"Not checked: no trial has {FEWEST} evaluations of {metric}."
        return not_checked("regular steps", "J3", because, text, study=s.study.id)
    uneven = [g for g in grids if not g.regular]
    others = _apart([g for g in grids if g.regular])
    off = [g for g in grids if g.regular and not _as_planned(g)] if ours else []
    numbers: dict[str, Number | None] = {
        "judged": len(grids),
        "uneven": len(uneven),
        "apart": len(others),
        "off_the_budget": len(off),
    }
    few = ODD * len(grids)
    if len(uneven) > few:
        g = uneven[0]
        text = (
            f"{plural(len(uneven), 'trial')} of {len(grids)} report at uneven steps ({_shown(g, metric)}): report by "
            "the step, not by the clock."
        )
        return say("warn", text, reason="uneven", trials=_ids(uneven), numbers=numbers)
    if len(others) > few:
        text = (
            f"{plural(len(others), 'trial')} of {len(grids)} report at other steps than the rest "
            f"({_shown(others[0], metric)}): report all trials at the same ones."
        )
        return say("warn", text, reason="different_steps", trials=_ids(others), numbers=numbers)
    if len(off) > few:
        every = off[0].trial.planned.eval_every_steps
        text = (
            f"The trials report every {plural(off[0].interval, 'step')} and not every {every} as "
            "budget.eval_every_steps says: have the program report at its multiples."
        )
        return say("warn", text, reason="not_as_planned", trials=_ids(off), numbers=numbers)
    text = f"The evaluations of {plural(len(grids), 'trial')} are at fixed steps, every {grids[0].interval}."
    return say("ok", text, reason="fixed_steps", numbers=numbers)


def _apart(grids: list[EvaluationSteps]) -> list[EvaluationSteps]:
    """Those whose steps are not the usual ones of trials that were to be evaluated as often."""
    found = []
    for planned in {g.trial.planned.eval_every_steps for g in grids}:
        alike = [g for g in grids if g.trial.planned.eval_every_steps == planned]
        usual = Counter((g.interval, g.offset) for g in alike).most_common(1)[0][0]
        found += [g for g in alike if (g.interval, g.offset) != usual]
    return found


def _as_planned(g: EvaluationSteps) -> bool:
    """Whether the trial reports at multiples of what was planned, or at more steps, these among them."""
    every = g.trial.planned.eval_every_steps
    return g.offset == 0 and (g.interval % every == 0 or every % g.interval == 0)


def _most_common(values: NDArray[np.int64]) -> int:
    """The most frequent value, the smallest of equals."""
    different, counts = np.unique(values, return_counts=True)
    return int(different[np.argmax(counts)])


def _shown(g: EvaluationSteps, metric: str) -> str:
    return ", ".join(str(step) for step in g.trial.curve.of(metric)[0][:4])


def _ids(grids: Iterable[EvaluationSteps]) -> list[str]:
    return [g.trial.id for g in grids]


REGULAR_STEPS = Check(
    name="regular steps",
    questions=(
        Question(
            row="J3",
            asks="Was every trial evaluated at the same fixed steps?",
            warn=("uneven", "different_steps", "not_as_planned"),
            ok=("fixed_steps",),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.TOO_FEW_EVALUATIONS),
        ),
    ),
    ask=regular_steps,
)
