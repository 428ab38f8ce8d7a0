"""E8, E9, E10: how many trials were infeasible or failed, and whether a hyperparameter explains it."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable
from functools import partial

import numpy as np
from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.checks.search.broken import broken_code
from tasks.analyze.checks.search.expansion import RATES, ExpansionThresholds, expansion
from tasks.analyze.checks.search.pattern import Mask, pattern, under_a_choice
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.region import Region, RegionThresholds, region_of
from tasks.analyze.study.wall import diagonals, narrowed
from tasks.record import Finding, Frozen, NotChecked, Number
from tasks.scope.arms import brief, in_full, listing
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import plural
from tasks.trials.failures.alike import broke, fault, fault_text, short_of_memory

NO_PATTERN = 0.02  # corrected chance above which no hyperparameter explains them; one bug in fifty is then missed
FRINGE = 0.15  # ranges: real walls are ragged, so an infeasible trial this close before one still belongs to it
FEWEST = 3  # unexplained trials below which nobody is told of a bug: two may share a corner that no axis shows
UNASKED = "What a guesser reaches is not said (objective.chance), so finite runs that stuck there are not looked for."


class InfeasibleThresholds(Frozen):
    """How many infeasible trials a search can afford."""

    infeasible_fraction: float = Field(
        default=0.25, gt=0, lt=1, description="E9, ours: more infeasible trials than a quarter: shrink or reparametrise"
    )


def infeasible(evidence: Evidence) -> list[Finding]:
    """For each study: what is infeasible and why (E8), whether it is too much (E9), and whether it is a bug (E10).

    Playbook: E8, E9, E10
    """
    found = []
    for study in evidence.studies:
        region = region_of(study)
        found += [_reasons(study, region), _share(study, region), _unexplained(study, region)]
    return [*found, *broken_code(evidence)]


def _reasons(study: StudyEvidence, region: Region) -> Finding:
    """E8: what was marked infeasible or failed and why; finite runs that never learned are counted and named."""
    lost = [t for t in study.trials if not t.feasible]
    stuck, n = int(region.stuck.sum()), len(study.trials)
    bars = study.policy.of(RegionThresholds)
    say = partial(finding, "infeasible", "E8", study=study.study.id)
    numbers: dict[str, Number | None] = {
        "infeasible": sum(t.status == "infeasible" for t in lost),
        "failed": sum(t.status == "failed" for t in lost),
        "stuck": stuck,
        "trials": n,
        "chance": study.objective.chance,
        "stuck_fraction": bars.stuck_fraction,
        "blown_factor": bars.blown_factor,
    }
    texts = {fault(t): fault_text(t) for t in reversed(lost)}  # of those that are alike the first one's
    listed = "; ".join(f"{count} x {texts[kind]}" for kind, count in Counter(map(fault, lost)).most_common(4))
    if stuck:
        others = f"{plural(len(lost), 'other trial')} ended infeasible or failed: {listed}."
        said = [
            f"{stuck} of {n} trials ended with a number but never left chance or blew up: look at the training curves.",
            "Where the space is judged (E2 to E10) that counts as infeasible.",
            others if lost else "No other trial is infeasible or failed.",
        ]
        trials = _ids(study, region.stuck)
        return say("warn", " ".join(said), reason="never_learned", trials=trials, numbers=numbers)
    said = [f"None of {n} trials is infeasible or failed."]
    if lost:
        said = [f"{len(lost)} of {n} trials are infeasible or failed, and can never be best."]
        said += [f"Why: {listed}.", "They are kept and drawn as crosses."]
    said += [UNASKED] if study.objective.chance is None else []
    reason = "kept_and_never_best" if lost else "all_feasible"
    return say("ok", " ".join(said), reason=reason, trials=(t.id for t in lost), numbers=numbers)


def _ids(study: StudyEvidence, marked: Iterable[bool]) -> list[str]:
    return [t.id for t in itertools.compress(study.trials, marked)]


def _share(study: StudyEvidence, region: Region) -> Finding:
    """E9: too many infeasible trials waste the budget; the remedy moves the range's ends in towards the walls.

    A trial that failed is none of them: broken code is no place in the space.
    """
    ran = np.array([not broke(t) for t in study.trials])
    n, lost, most = (
        int(ran.sum()),
        int((region.lost & ran).sum()),
        study.policy.of(InfeasibleThresholds).infeasible_fraction,
    )
    numbers = {"infeasible": lost, "trials": n, "infeasible_fraction": most}
    trials = _ids(study, region.lost & ran)
    say = partial(finding, "infeasible", "E9", trials=trials, study=study.study.id, numbers=numbers)
    if not n:
        said = "Every trial failed, so none says how much of the space is infeasible."
        return not_checked(
            "infeasible", "E9", NotChecked.NO_FEASIBLE_TRIAL, said, study=study.study.id, numbers=numbers
        )
    if lost <= most * n:
        said = f"{lost} of {n} trials are infeasible, which a search can afford."
        return say("ok", said, reason="affordable")
    hint = _way_out(region)
    remedies = [r for w in region.walls if (r := narrowed(w))]
    if lost == n and all(map(short_of_memory, itertools.compress(study.trials, ran))):
        hint, remedies = "; none fits in memory: make the model or the batch smaller", []
    elif lost == n:  # what every workload has in common: it diverges above some learning rate
        rates = [p for p in study.study.space if RATES.search(p.name)]
        remedies = [r for p in rates if (r := expansion(p, "low", study.policy))]
    said = f"{lost} of {n} trials are infeasible, more than {100 * most:.3g} %{hint}."
    return say("warn", said, reason="too_many", remedy=remedies)


def _way_out(region: Region) -> str:
    """Where they lie, and what to do about it, as the rest of a sentence."""
    ratios = [w.direction for w in region.walls if not w.direction.single]
    if ratios:
        pairs = " and ".join(d.name for d in ratios)
        names = listing(dict.fromkeys(p.name for d in ratios for p in d.parameters))
        return f": reparametrise {names}. They lie at {_places(region)}: search {pairs} instead of one of the two"
    if len(region.walls) > 1:
        names = brief(dict.fromkeys(p.name for w in region.walls for p in w.direction.parameters))
        return f": shrink {names}. They lie at {_places(region)}"
    return f", at {_places(region)}: shrink that side" if region.walls else ": reparametrise the space"


def _unexplained(study: StudyEvidence, region: Region) -> Finding:
    """E10: trials that become infeasible wherever they lie speak of the code, not of the hyperparameters.

    Runs that ended without a number and finite ones that never left chance or blew up may lie at opposite ends, at too
    large a learning rate and at too small a one. Where no pattern holds for all of them, each kind is asked alone.
    """
    whole = np.array([not broke(t) for t in study.trials])
    found = _pattern_of(study, region, whole)
    if found.level != "fail" or not (region.stray & study.feasible).any():
        return found
    alone = [_pattern_of(study, region, whole & kind) for kind in (~study.feasible, study.feasible)]
    return min(alone, key=lambda f: ("fail", "na", "ok").index(f.level))


def _pattern_of(study: StudyEvidence, region: Region, infeasible: Mask) -> Finding:
    """E10 of these trials among the infeasible ones."""
    inside, fringe = region.stray & infeasible, _before_a_wall(study, region)
    stray = inside & ~fringe
    lost, count = int((region.lost & infeasible).sum()), int(stray.sum())
    among = region.usable | inside
    numbers: dict[str, Number | None] = {"infeasible": lost, "unexplained": count, "no_pattern": NO_PATTERN}
    say = partial(finding, "infeasible", "E10", trials=_ids(study, stray), study=study.study.id)
    not_asked = partial(not_checked, "infeasible", "E10", trials=_ids(study, stray), study=study.study.id)
    if count == 0:
        places = [w.place for w in region.walls]
        explained = f"A pattern explains all {lost} infeasible trials: {brief(places, 70)}, or right before."
        explained += in_full(places, 70)
        if lost:
            return say("ok", explained, reason="behind_walls", numbers=numbers)
        return say("ok", "No trial is infeasible.", reason="all_feasible", numbers=numbers)
    told = f"{plural(count, 'infeasible trial')} of {len(study.trials)}"
    besides = f" Not counted are those at {_places(region)}." if region.walls else ""
    tried = len(study.study.space) + sum(1 for _ in diagonals(study.study.space))
    tried += len(under_a_choice(study, inside, among))
    clearest = 2.0 * tried / math.comb(int(among.sum()), count)  # the chance of the clearest pattern that can be shown
    if count < FEWEST or clearest > NO_PATTERN:
        text = f"{told}: too few, or too few others, to tell a pattern from chance.{besides}"
        return not_asked(NotChecked.NO_PATTERN_TO_TELL, text, numbers=numbers)
    seen = pattern(study, inside, among)
    if seen is None:
        text = f"{told}, and nothing varies that could explain them.{besides}"
        return not_asked(NotChecked.NO_PATTERN_TO_TELL, text, numbers=numbers)
    numbers |= {"chance": round(seen.chance, 4)}
    if seen.chance <= NO_PATTERN:
        said = f"{told} go with {seen.parameter}, so no bug is suspected."
        said += f" Luck explains it {seen.chance:.2g} of the time.{besides}"
        parameter = seen.parameter if seen.parameter in study.study.space else None
        return say("ok", said, reason="explained", parameter=parameter, numbers=numbers)
    first = study.trials[int(np.flatnonzero(stray)[0])]
    said = (
        f"{told} lie anywhere in the space: suspect a bug in the training code; read the log of trial {first.id}. "
        f"No hyperparameter goes with them; the closest, {seen.parameter}, does by luck {100 * seen.chance:.0f} % of "
        f"the time.{besides} Trial {first.id} says: {fault_text(first)}."
    )
    return say("fail", said, reason="anywhere", trial=first.id, numbers=numbers)


def _before_a_wall(study: StudyEvidence, region: Region) -> Mask:
    """(trials,) bool: in the fringe of some wall."""
    near = np.zeros(len(study.trials), dtype=bool)
    for w in region.walls:
        near |= w.depth(study.unit) <= FRINGE * max(w.direction.widths)  # False where the parameter does not exist
    return near


def _places(region: Region) -> str:
    """The walls in words."""
    return ", ".join(w.place for w in region.walls)


INFEASIBLE = Check(
    name="infeasible",
    questions=(
        Question(
            row="E8",
            asks="Which trials were infeasible or failed, and did every other one learn?",
            warn=("never_learned",),
            ok=("all_feasible", "kept_and_never_best"),
        ),
        Question(
            row="E9",
            asks="Can the search afford its infeasible trials?",
            warn=("too_many",),
            ok=("affordable",),
            na=(NotChecked.NO_FEASIBLE_TRIAL,),
        ),
        Question(
            row="E10",
            asks="Do the hyperparameters explain which trials were infeasible, or is it a bug?",
            fail=("anywhere", "same_fault", "all_failed"),
            warn=("failed_once", "implicit_constraint"),
            ok=("all_feasible", "behind_walls", "explained"),
            na=(NotChecked.NO_PATTERN_TO_TELL,),
        ),
    ),
    ask=infeasible,
    thresholds=(InfeasibleThresholds, RegionThresholds, ExpansionThresholds),
)
