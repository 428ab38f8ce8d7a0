"""E8, E9, E10: how many trials were infeasible or failed, and whether a hyperparameter explains it."""

import itertools
import json
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact, mannwhitneyu  # type: ignore[import-untyped]

from tasks.analyze.checks.search.expansion import RATES, expansion
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.region import Region, region_of
from tasks.analyze.study.wall import diagonals, narrowed
from tasks.design.cube import from_unit
from tasks.record import Finding, Value
from tasks.scope.finding import finding
from tasks.text import plural, show
from tasks.trials.trial import Trial

Mask = NDArray[np.bool_]

NO_PATTERN = 0.02  # corrected chance above which no hyperparameter explains them; one bug in fifty is then missed
CLEAR_PATTERN = 0.01  # a fault of the code is excused by a hyperparameter only where luck is out of the question
FRINGE = 0.15  # ranges: real walls are ragged, so an infeasible trial this close before one still belongs to it
FEWEST = 3  # unexplained trials below which nobody is told of a bug: two may share a corner that no axis shows
UNASKED = " What a guesser reaches is not said (objective.chance), so finite runs that stuck there are not looked for."
SAME_FAULT = 2  # failed trials with one reason: once may be the machine, twice is the code

STUCK_TRIALS = "stuck_trials"  # the number of E8 that names them, as a JSON list


def infeasible(evidence: Evidence) -> list[Finding]:
    """For each study: what is infeasible and why (E8), whether it is too much (E9), and whether it is a bug (E10).

    Playbook: E8, E9, E10
    """
    found = []
    for study in evidence.studies:
        region = region_of(study)
        found += [_reasons(study, region), _share(study, region), *_broken_code(study), _unexplained(study, region)]
    return found


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """The hyperparameter that goes most clearly with a mark on trials; `chance` is corrected for all tried."""

    parameter: str
    chance: float


def pattern(study: StudyEvidence, marked: Mask, among: Mask) -> Pattern | None:
    """The hyperparameter whose values best tell the `marked` trials from the others `among`; None where none can.

    Ranges by the rank-sum test, exact at these sizes, which sees everything that goes one way; choices, and whether a
    conditional hyperparameter exists, by Fisher's test. Two ranges together by the rank sums of their sum and their
    difference: what diverges is often the ratio of the learning rate to one minus momentum, and neither alone. A range
    under one value of a choice: of two optimizers one diverges, and only at a large learning rate. Bonferroni over all
    of them.

    Playbook: E10
    """
    tried = [(p.name, c) for j, p in enumerate(study.study.space) for c in _chances(study, j, marked, among)]
    tried += [*_pairs(study, marked, among), *_under_a_choice(study, marked, among)]
    if not tried:
        return None
    name, chance = min(tried, key=lambda t: t[1])
    return Pattern(parameter=name, chance=min(1.0, chance * len(tried)))


def _chances(study: StudyEvidence, column: int, marked: Mask, among: Mask) -> list[float]:
    """How often luck would tell the marked apart as well, for each way in which this hyperparameter can."""
    unit, parameter = study.unit[:, column], tuple(study.study.space)[column]
    here = among & np.isfinite(unit)
    chances = []
    if not here[among].all():
        chances.append(_fisher(marked[among], here[among]))
    if parameter.type == "choice":
        chances += [_fisher(marked[here], unit[here] == level) for level in np.unique(unit[here])]
    elif marked[here].any() and not marked[here].all():
        chances.append(float(mannwhitneyu(unit[here & marked], unit[here & ~marked]).pvalue))
    return [c for c in chances if math.isfinite(c)]


def _pairs(study: StudyEvidence, marked: Mask, among: Mask) -> list[tuple[str, float]]:
    """`(both names, chance)` for the diagonals of every two ranges."""
    tried = []
    for diagonal in diagonals(study.study.space):
        along = diagonal.along(study.unit)
        here = among & np.isfinite(along)
        if marked[here].any() and not marked[here].all():
            names = " with ".join(p.name for p in diagonal.parameters)
            tried.append((names, float(mannwhitneyu(along[here & marked], along[here & ~marked]).pvalue)))
    return [(name, chance) for name, chance in tried if math.isfinite(chance)]


def _under_a_choice(study: StudyEvidence, marked: Mask, among: Mask) -> list[tuple[str, float]]:
    """`(names, chance)` for each end of each range among the trials of one value of a choice, all others at no end."""
    tried = []
    for (i, choice), (j, range_) in itertools.product(enumerate(study.study.space), repeat=2):
        if choice.type != "choice" or not range_.has_edges:
            continue
        here = among & np.isfinite(study.unit[:, i]) & np.isfinite(study.unit[:, j])
        if not marked[here].any() or marked[here].all():
            continue
        for level, sign in itertools.product(np.unique(study.unit[here, i]), (1, -1)):
            along = np.where(study.unit[:, i] == level, sign * study.unit[:, j], -np.inf)
            above = mannwhitneyu(along[here & marked], along[here & ~marked], alternative="greater")
            name = f"{choice.name} = {show(from_unit(choice, float(level)))} with {range_.name}"
            tried.append((name, min(1.0, 2.0 * float(above.pvalue))))
    return [(name, chance) for name, chance in tried if math.isfinite(chance)]


def _fisher(marked: Mask, having: Mask) -> float:
    table = [[int((a & b).sum()) for b in (having, ~having)] for a in (marked, ~marked)]
    return float(fisher_exact(table).pvalue)


def _reasons(study: StudyEvidence, region: Region) -> Finding:
    """E8: what was marked infeasible or failed and why; finite runs that never learned are counted and named."""
    lost = [t for t in study.trials if not t.feasible]
    stuck, n = int(region.stuck.sum()), len(study.trials)
    numbers: dict[str, Value | None] = {
        "infeasible": sum(t.status == "infeasible" for t in lost),
        "failed": sum(t.status == "failed" for t in lost),
        "stuck": stuck,
        "trials": n,
        "chance": study.objective.chance,
        "stuck_fraction": study.policy.stuck_fraction,
        "blown_factor": study.policy.blown_factor,
    }
    listed = "; ".join(f"{count} x {reason}" for reason, count in Counter(map(_kind, lost)).most_common(4))
    told = (
        f"{len(lost)} of {n} trials are infeasible or failed ({listed})"
        if lost
        else f"None of {n} trials is infeasible or failed"
    )
    if stuck:
        named = [t.id for t, s in zip(study.trials, region.stuck, strict=True) if s]
        numbers |= {STUCK_TRIALS: json.dumps(named)}  # an id may hold any letter, so no separator would do
        count = f"{plural(stuck, 'finite run')} never left chance or blew up, and {'counts' if stuck == 1 else 'count'}"
        said = f"{told}; {count} as infeasible where the space is judged (E2 to E10)."
        return finding("infeasible", "E8", "warn", said, study=study.study.id, numbers=numbers)
    kept = "; they are kept, drawn as crosses, and never best" if lost else ""
    unasked = "" if study.objective.chance is not None else UNASKED
    return finding("infeasible", "E8", "ok", f"{told}{kept}.{unasked}", study=study.study.id, numbers=numbers)


def _share(study: StudyEvidence, region: Region) -> Finding:
    """E9: too many infeasible trials waste the budget; the remedy moves the range's ends in towards the walls."""
    n, lost, most = len(study.trials), int(region.lost.sum()), study.policy.infeasible_fraction
    numbers = {"infeasible": lost, "trials": n, "infeasible_fraction": most}
    if lost <= most * n:
        said = f"{lost} of {n} trials are infeasible, which a search can afford."
        return finding("infeasible", "E9", "ok", said, study=study.study.id, numbers=numbers)
    ratios = [w.direction.name for w in region.walls if not w.direction.single]
    way = f"search {' and '.join(ratios)} instead of one of the two" if ratios else "shrink that side"
    hint = f"they lie at {_places(region)}: {way}" if region.walls else "reparametrise the space"
    said = f"{lost} of {n} trials are infeasible, more than {100 * most:.3g} %; {hint}."
    remedies = [r for w in region.walls if (r := narrowed(w))]
    if lost == n:  # what every workload has in common: it diverges above some learning rate
        rates = [p for p in study.study.space if RATES.search(p.name)]
        remedies = [r for p in rates if (r := expansion(p, "low", study.policy))]
    return finding("infeasible", "E9", "warn", said, study=study.study.id, numbers=numbers, remedy=remedies)


def _unexplained(study: StudyEvidence, region: Region) -> Finding:
    """E10: trials that become infeasible wherever they lie speak of the code, not of the hyperparameters."""
    infeasible = np.array([not _broke(t) for t in study.trials])
    inside, fringe = region.stray & infeasible, _before_a_wall(study, region)
    stray = inside & ~fringe
    lost, count = int((region.lost & infeasible).sum()), int(stray.sum())
    among = region.usable | inside
    numbers: dict[str, float | int | None] = {"infeasible": lost, "unexplained": count, "no_pattern": NO_PATTERN}

    def say(level: str, sentence: str, **where: str) -> Finding:
        asked = "fail" if level == "fail" else "na" if level == "na" else "ok"
        return finding("infeasible", "E10", asked, sentence, study=study.study.id, numbers=numbers, **where)  # type: ignore[arg-type]

    if count == 0:
        explained = f"All {lost} infeasible trials lie at {_places(region)} or right before: that explains them."
        return say("ok", explained if lost else "No trial is infeasible.")
    told = f"{plural(count, 'infeasible trial')} of {len(study.trials)}"
    told += f" (besides those at {_places(region)})" if region.walls else ""
    tried = len(study.study.space) + sum(1 for _ in diagonals(study.study.space))
    tried += len(_under_a_choice(study, inside, among))
    clearest = 2.0 * tried / math.comb(int(among.sum()), count)  # the chance of the clearest pattern that can be shown
    if count < FEWEST or clearest > NO_PATTERN:
        return say("na", f"{told}: too few, or too few others, to tell a pattern from chance.")
    seen = pattern(study, inside, among)
    if seen is None:
        return say("na", f"{told}, and nothing varies that could explain them.")
    numbers |= {"chance": round(seen.chance, 4)}
    if seen.chance <= NO_PATTERN:
        said = f"{told} go with {seen.parameter} (by luck {seen.chance:.2g} of the time), so no bug is suspected."
        return say("ok", said, **({"parameter": seen.parameter} if seen.parameter in study.study.space else {}))
    first = study.trials[int(np.flatnonzero(stray)[0])]
    said = (
        f"{told} lie anywhere in the space: no hyperparameter goes with them (the closest, {seen.parameter}, by luck "
        f"{100 * seen.chance:.0f} % of the time). Suspect a bug in the training code; trial {first.id} says: "
        f"{_kind(first)}."
    )
    return say("fail", said, trial=first.id)


def _before_a_wall(study: StudyEvidence, region: Region) -> Mask:
    """(trials,) bool: in the fringe of some wall."""
    near = np.zeros(len(study.trials), dtype=bool)
    for w in region.walls:
        near |= w.depth(study.unit) <= FRINGE * max(w.direction.widths)  # False where the parameter does not exist
    return near


def _broken_code(study: StudyEvidence) -> list[Finding]:
    """E10: a finding on the trials that failed (an exception, a signal, no result) and say of what, if any did.

    The same fault twice is the code's, unless a hyperparameter tells clearly where it strikes.
    """
    failed = [t for t in study.trials if _broke(t)]
    if not failed:
        return []
    kind, count = Counter(map(_kind, failed)).most_common(1)[0]
    first = next(t for t in failed if _kind(t) == kind)
    marked = np.array([_broke(t) for t in study.trials])
    seen = pattern(study, marked, np.ones(len(marked), dtype=bool)) if not marked.all() else None
    numbers: dict[str, float | int | None] = {"failed": len(failed), "same": count, "same_fault": SAME_FAULT}
    numbers |= {"chance": round(seen.chance, 4) if seen else None, "clear_pattern": CLEAR_PATTERN}
    told = f"{count} of {len(study.trials)} trials failed with the same fault ({kind})"
    if count < SAME_FAULT:
        said = f"{plural(len(failed), 'trial')} failed, no two alike: {kind}; read the log of trial {first.id}."
    elif seen and seen.chance <= CLEAR_PATTERN:
        said = (
            f"{told}, and {seen.parameter} goes with it (by luck {seen.chance:.2g} of the time): an implicit "
            "constraint; shrink the space there, or raise Infeasible with the reason."
        )
    else:
        said = f"{told}, and no hyperparameter explains where: suspect a bug; the log of trial {first.id} says more."
        return [finding("infeasible", "E10", "fail", said, study=study.study.id, trial=first.id, numbers=numbers)]
    return [finding("infeasible", "E10", "warn", said, study=study.study.id, trial=first.id, numbers=numbers)]


def _broke(trial: Trial) -> bool:
    """Whether it failed, and says of what: without a word it may have diverged, which elsewhere is the same status."""
    return trial.status == "failed" and bool(trial.reason.strip())


def _kind(trial: Trial) -> str:
    """A trial's reason without the step, so that two trials that broke alike count together."""
    lines = [line for line in trial.reason.strip().splitlines() if line.strip()] or ["no reason given"]
    text = lines[-1] if trial.status == "failed" else lines[0]
    return text.split(" at step ")[0].strip()[:120]


def _places(region: Region) -> str:
    """The walls in words."""
    return ", ".join(w.place for w in region.walls)
