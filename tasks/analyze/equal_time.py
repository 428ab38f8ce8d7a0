"""K3: the compared values at equal training time, where the workload is compute-bound."""

import numpy as np
from numpy.typing import NDArray

from tasks.analyze.checks.curves.leaders import mostly_improving
from tasks.analyze.isolation import ranking
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import Slice
from tasks.scope.arms import listing
from tasks.text import duration, number

Floats = NDArray[np.float64]
FEWEST = 4  # timed trials of a value: of three against three no rank test reaches `SURE`
SURE = 0.01  # the chance of calling equal paces different, in a rank test of the trials' seconds a step
# ours: so many times as long a step at least. Retrains of one configuration on a shared CPU had an SD of 5 to 10 %.
SLOWER = 1.1


def equal_time(evidence: Evidence) -> tuple[str, ...]:
    """One sentence where the workload is compute-bound and values are compared, none elsewhere.

    For such a workload faster training is better training. Where a step of one value takes longer than one of another,
    beyond the spread of their trials, the best of each is read off the curves again at the time that the fastest value
    took: does the order change? Where steps take equal time, equal steps are equal time; where the time is not known,
    the sentence says that only equal steps were compared.

    It is no finding: seconds differ between two runs of one round, and whatever a finding says is in the digest, which
    equal rounds have in common. So nothing is decided by it.

    Playbook: K3
    """
    compared = ranking(evidence)
    if len(compared) < 2 or compared[0].parameter is None or not any(mostly_improving(s.study) for s in compared):
        return ()
    paces = {s.place: _seconds_a_step(s) for s in compared}
    untimed = [s.label for s in compared if len(paces[s.place]) < FEWEST]
    if untimed:
        unknown = f"seconds a step are not known of {listing(untimed)}"
        return (f"Compute-bound, and compared at equal steps only, not at equal time (K3): {unknown}.",)
    middle = {place: float(np.median(pace)) for place, pace in paces.items()}
    fastest = min(compared, key=lambda s: middle[s.place])
    slower = [s for s in compared if s is not fastest and _slower(paces[s.place], paces[fastest.place])]
    if not slower:
        most = max(middle.values()) / middle[fastest.place]
        return (
            "Compute-bound, and equal steps took equal time (K3): a step of the slowest value takes "
            f"{number(round(most, 2))} times that of the fastest, which is not told from the machine's load.",
        )
    return (_at_equal_time(compared, slower, fastest, middle),)


def _seconds_a_step(s: Slice) -> Floats:
    """(trials,) float64: of each feasible trial whose time is known, its start and its evaluations included."""
    timed = (t for t in s.trials if t.feasible and t.steps_done > 0 and t.seconds > 0)
    return np.array([t.seconds / t.steps_done for t in timed])


def _slower(mine: Floats, fastest: Floats) -> bool:
    from scipy.stats import mannwhitneyu  # type: ignore[import-untyped]  # half a second, when trials have ended

    longer = float(np.median(mine)) >= SLOWER * float(np.median(fastest))
    return longer and float(mannwhitneyu(mine, fastest, alternative="greater").pvalue) < SURE


def _at_equal_time(compared: tuple[Slice, ...], slower: list[Slice], fastest: Slice, middle: dict[int, float]) -> str:
    """Who is ahead when the fastest value is done, against who was at equal steps; `compared`: best first."""
    whole = fastest.study.max_train_steps
    share = {s.place: middle[fastest.place] / middle[s.place] if s in slower else 1.0 for s in compared}
    steps = {place: whole * part for place, part in share.items()}
    losses = {s.place: _best_by(s, steps[s.place]) for s in compared}
    times = listing(f"{s.label} {number(round(1.0 / share[s.place], 2))} times" for s in slower)
    head = f"Compute-bound, so time counts too (K3): a step takes {times} as long as with {fastest.label}."
    known = [s for s in compared if np.isfinite(losses[s.place])]
    values = listing(
        f"{number(s.objective.sign * losses[s.place])} by step {int(steps[s.place])} with {s.label}" for s in known
    )
    none = [s.label for s in compared if s not in known]
    missing = f" {listing(none)} had no evaluation by then." if none else ""
    first = min(known, key=lambda s: losses[s.place])
    ahead = (
        f"the order changes: {first.label} is ahead, and at equal steps {compared[0].label} was"
        if first is not compared[0]
        else f"{first.label} stays ahead"
    )
    took = duration(whole * middle[fastest.place])
    return (
        f"{head} In {took} a trial the best are {values}; {ahead}.{missing} A schedule planned for fewer steps may do "
        "better than a longer one read early."
    )


def _best_by(s: Slice, steps: float) -> float:
    """The lowest loss that any feasible trial of the value had evaluated by that step; NaN where none had."""
    found = []
    for trial in s.trials:
        at, values = trial.curve.of(s.objective.metric)
        if trial.feasible and len(at) and at[0] <= steps:
            found.append(float((s.objective.sign * values[at <= steps]).min()))
    return min(found, default=float("nan"))
