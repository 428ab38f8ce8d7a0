"""F13: was each compared value tuned as well as the others, in the trials that came back?"""

from functools import partial

from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import Slice, slices
from tasks.record import Finding
from tasks.scope.finding import finding
from tasks.scope.goal import RANGE
from tasks.text import plural


def equally_tuned(evidence: Evidence) -> list[Finding]:
    """A warning where one compared value has far fewer feasible trials than another.

    The best of many trials is better than the best of few, whatever they try; the baseline of an include-or-not
    question most of all must have its own nuisances tuned as well as the change. D9 sees to it that both are given
    as many trials; here are those that came back. No override mends it: twice the trials lose the same share.

    Playbook: F13
    """
    asked = evidence.round.scope.goal.scientific
    listed = [n for n in evidence.round.scope.roles.scientific if asked.get(n, RANGE) != RANGE]
    if not listed:
        return [finding("equally tuned", "F13", "na", "Not checked: no listed values are compared.")]
    found = slices(evidence)
    return [_equally_tuned(n, [s for s in found if s.parameter == n], evidence) for n in listed]


def _equally_tuned(name: str, arms: list[Slice], evidence: Evidence) -> Finding:
    say = partial(finding, "equally tuned", "F13", parameter=name)
    least, most = (pick(arms, key=_feasible) for pick in (min, max))
    few, many = _feasible(least), _feasible(most)
    if len(arms) < 2 or many == 0:
        return say("na", f"Not checked: no two values of {name} have trials to count.")
    ratio = evidence.round.scope.policy.uneven_trials
    numbers = {"fewest": few, "most": many, "fewest_trials": len(least.trials), "uneven_trials": ratio}
    told = f"{least.label} has {plural(few, 'feasible trial')} of {len(least.trials)}"
    if many <= ratio * few:
        return say("ok", f"{told}, {most.label} {many} of {len(most.trials)}: tuned alike.", numbers=numbers)
    whose = " the baseline, which the change is held against," if least.place == 0 else ""
    text = (
        f"{told},{whose} and {most.label} has {many} of {len(most.trials)}: the best of so many more is better by "
        f"luck alone. Mend what made {least.label} infeasible, or give it as many."
    )
    return say("warn", text, numbers=numbers)


def _feasible(arm: Slice) -> int:
    return sum(t.feasible for t in arm.trials)
