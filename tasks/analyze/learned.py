"""What the round taught, in sentences with their numbers, whatever the verdict."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from tasks.analyze.checks.search.importance import importance_sentences
from tasks.analyze.equal_time import equal_time
from tasks.analyze.isolation import gain_band, ranking
from tasks.analyze.study.bootstrap import BootstrapThresholds, best_band
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.importance import importance_of
from tasks.analyze.study.region import region_of
from tasks.analyze.study.slices import Slice, slices
from tasks.analyze.study.wall import Wall
from tasks.record import Value
from tasks.text import band_text, number, plural, point_label
from tasks.trials.outcome import cause


def learned(evidence: Evidence) -> tuple[str, ...]:
    """One sentence each: the best of every scientific value, who is ahead, what failed, what mattered, the best steps.

    Nothing here blocks or is blocked; a sentence that the trials cannot carry says so.

    Playbook: F11, F12
    """
    return (
        *(_best(s) for s in slices(evidence)),
        *_ahead(evidence),
        *equal_time(evidence),
        *(sentence for s in evidence.studies for sentence in _of_study(s)),
    )


def _best(s: Slice) -> str:
    metric, sign = s.objective.metric, s.objective.sign
    if s.best is None:
        return f"{s.label}: none of its {plural(len(s.trials), 'trial')} is feasible."
    band = best_band(s.losses, s.rng("band"), s.study.policy.of(BootstrapThresholds).bootstraps)
    ends = tuple(sorted(sign * v for v in band)) if band else None
    luck = f"; another search like it: {band_text((ends[0], ends[1]))} in 9 of 10 cases" if ends else ""
    steps = f" at step {s.best.best_step} of {s.study.max_train_steps}"
    return f"{s.label}: best {metric} {number(s.best.best_value)}{steps}, of {plural(len(s.trials), 'trial')}{luck}."


def _ahead(evidence: Evidence) -> Iterator[str]:
    """Who is ahead of whom among the values of the first scientific hyperparameter, and whether luck explains it."""
    order = ranking(evidence)
    if len(order) < 2 or order[0].parameter is None:
        return
    first, second = order[0], order[1]
    band = gain_band(first, second)
    gap = second.best_loss - first.best_loss
    verdict = "which could not be held against luck: too few feasible trials"
    if band:
        weight = "more than" if band[0] > 0 or band[1] < 0 else "no more than"
        verdict = f"{weight} the luck of the searches explains (gain {band_text(band)} in 9 of 10 repetitions)"
    if len(order) > 2:
        yield f"In order of their best trials: {'; '.join(s.label for s in order)}."
    yield f"{first.label} is ahead of {second.label} by {number(gap)} {first.objective.metric}, {verdict}."


def _of_study(s: StudyEvidence) -> Iterator[str]:
    name = point_label(s.study.scientific) or "all trials"
    lost = [t for t in s.trials if not t.feasible]
    if lost:
        reasons = Counter(_kind(t.reason) for t in lost).most_common(2)
        why = "; ".join(f"{reason} ({count})" for reason, count in reasons)
        percent = round(100 * len(lost) / len(s.trials))
        count = f"{len(lost)} of {plural(len(s.trials), 'trial')} ({percent} %)"
        yield f"{name}: {count} came to nothing: {why}{_walls(s)}."
    known = importance_of(s)
    if known:
        yield f"{name}: {importance_sentences(known)}"
    steps = [t.best_step for t in s.trials if t.feasible and t.best_step is not None]
    if steps:
        low, middle, high = np.quantile(steps, (0.0, 0.5, 1.0))
        spread = f"from {number(int(low))} to {number(int(high))}, the middle one at {number(int(middle))}"
        yield f"{name}: best steps {spread if low < high else f'all at {number(int(low))}'} of {s.max_train_steps}."


def _walls(s: StudyEvidence) -> str:
    return "".join(f"; mostly {_place(w)}" for w in region_of(s).walls)


def _place(wall: Wall) -> str:
    if not wall.direction.single:
        return f"at {wall.place}"
    return f"{'above' if wall.sign > 0 else 'below'} {wall.parameter.name} = {_short(wall.value)}"


def _kind(reason: str) -> str:
    """The first words of a reason, without the step and the value that make each one different."""
    text = reason.strip().splitlines()[0] if reason.strip() else "no reason given"
    return cause(text)[:60]


def _short(value: Value) -> str:
    return number(float(f"{value:.2g}")) if isinstance(value, float) else number(value)
