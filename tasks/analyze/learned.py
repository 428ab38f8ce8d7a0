"""What a round taught, in sentences with their numbers: true of these trials whatever the verdict."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata  # type: ignore[import-untyped]

from tasks.analyze.bootstrap import best_band
from tasks.analyze.evidence import Evidence, StudyEvidence
from tasks.analyze.isolation import gain_band, ranking
from tasks.analyze.region import region_of
from tasks.analyze.sentences import band_text, number, plural, point_label
from tasks.analyze.slices import Slice, slices
from tasks.analyze.threshold import Wall
from tasks.record import Value
from tasks.scope.space import Parameter

SHUFFLES = 400  # of the losses: the share that chance explains is then good to about a hundredth
CHANCE = 0.95  # a hyperparameter matters when it explains more than the luckiest one in this share of the shuffles
FEWEST = 8  # trials below which no hyperparameter can be told from luck

Floats = NDArray[np.float64]


def learned(evidence: Evidence) -> tuple[str, ...]:
    """One sentence each: the best of every scientific value, who is ahead, what failed, what mattered, the best steps.

    Nothing here blocks or is blocked; a sentence that the trials cannot carry says so.

    Playbook: F11, F12
    """
    return (
        *(_best(s) for s in slices(evidence)),
        *_ahead(evidence),
        *(sentence for s in evidence.studies for sentence in _of_study(s)),
    )


def explained(study: StudyEvidence) -> tuple[dict[str, float], float] | None:
    """How much of the order of the feasible trials each hyperparameter explains alone, and how much chance does.

    The share of the variance of the losses' ranks that a parabola in the sampled scale (for choices: a mean a value)
    explains, so a monotonous effect and an optimum in the middle count alike and a cliff does not drown the rest.
    Chance: the share that the luckiest hyperparameter explains in 95 % of shuffles. None with fewer than eight
    feasible trials, or where all are equally good.
    """
    losses = study.losses[study.feasible]
    if len(losses) < FEWEST or losses.min() == losses.max():
        return None
    ranks = rankdata(losses) - (len(losses) + 1) / 2
    rng = study.rng("explained")
    shuffled = np.stack([ranks, *(rng.permutation(ranks) for _ in range(SHUFFLES))], axis=1)  # (trials, 1 + shuffles)
    unit = study.unit[study.feasible]
    shares = {p.name: _share(p, unit[:, j], shuffled) for j, p in enumerate(study.study.space) if not p.constant}
    if not shares:
        return None
    luckiest = np.max([s[1:] for s in shares.values()], axis=0)
    return {name: float(s[0]) for name, s in shares.items()}, float(np.quantile(luckiest, CHANCE))


def _share(parameter: Parameter, at: Floats, ranks: Floats) -> Floats:
    """(1 + shuffles,) float64: the share of each column of `ranks` that the hyperparameter explains."""
    here = np.isfinite(at)
    known = np.where(here, at, 0.0)
    if parameter.type == "choice":
        columns = [(known == level) & here for level in np.unique(at[here])]
    else:
        columns = [known, known**2, here]
    basis = np.column_stack([*columns, np.ones(len(at))]).astype(np.float64)
    basis = basis - basis.mean(axis=0)
    left, size, _ = np.linalg.svd(basis, full_matrices=False)
    left = left[:, size > 1e-9 * max(float(size.max()), 1.0)]
    share: Floats = ((left.T @ ranks) ** 2).sum(axis=0) / (ranks**2).sum(axis=0)
    return share


def _best(s: Slice) -> str:
    metric, sign = s.objective.metric, s.objective.sign
    if s.best is None:
        return f"{s.label}: none of its {plural(len(s.trials), 'trial')} is feasible."
    band = best_band(s.losses, s.rng("band"), s.study.policy.bootstraps)
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
    yield f"In order of their best trials: {'; '.join(s.label for s in order)}."
    yield f"{first.label} is ahead of {second.label} by {number(gap)} {first.objective.metric}, {verdict}."


def _of_study(s: StudyEvidence) -> Iterator[str]:
    name = point_label(s.study.scientific) or "the study"
    lost = [t for t in s.trials if not t.feasible]
    if lost:
        reasons = Counter(_kind(t.reason) for t in lost).most_common(2)
        why = "; ".join(f"{reason} ({count})" for reason, count in reasons)
        percent = round(100 * len(lost) / len(s.trials))
        count = f"{len(lost)} of {plural(len(s.trials), 'trial')} ({percent} %)"
        yield f"{name}: {count} came to nothing: {why}{_walls(s)}."
    yield from _importance(s, name)
    steps = [t.best_step for t in s.trials if t.feasible and t.best_step is not None]
    if steps:
        low, middle, high = np.quantile(steps, (0.0, 0.5, 1.0))
        yield (
            f"{name}: best steps from {number(int(low))} to {number(int(high))}, the middle one at "
            f"{number(int(middle))} of {s.max_train_steps}."
        )


def _walls(s: StudyEvidence) -> str:
    return "".join(f"; mostly {_place(w)}" for w in region_of(s).walls)


def _place(wall: Wall) -> str:
    if not wall.direction.single:
        return f"at {wall.place}"
    return f"{'above' if wall.sign > 0 else 'below'} {wall.parameter.name} = {_short(wall.value)}"


def _importance(s: StudyEvidence, name: str) -> Iterator[str]:
    found = explained(s)
    if found is None:
        return
    shares, chance = found
    order = sorted(shares, key=lambda n: -shares[n])
    telling = [n for n in order if shares[n] > chance]
    if not telling:
        yield (
            f"{name}: cannot tell which hyperparameter mattered; {order[0]} explains {_percent(shares[order[0]])} of "
            f"the order of the trials, and chance alone explains up to {_percent(chance)}."
        )
        return
    told = ", ".join(f"{n} {_percent(shares[n])}" for n in telling)
    quiet = [n for n in order if n not in telling]
    rest = f"; {', '.join(quiet)}: no more than chance" if quiet else ""
    yield (
        f"{name}: what explains the order of the trials, each alone: {told} (chance: up to {_percent(chance)}){rest}."
    )


def _kind(reason: str) -> str:
    """The first words of a reason, without the step and the value that make each one different."""
    text = reason.strip().splitlines()[0] if reason.strip() else "no reason given"
    return text.split(" at step ")[0][:60]


def _short(value: Value) -> str:
    return number(float(f"{value:.2g}")) if isinstance(value, float) else number(value)


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"
