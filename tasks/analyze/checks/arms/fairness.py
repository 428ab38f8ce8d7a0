"""F13: was each compared value tuned as well as the others, in the trials that came back?"""

from functools import partial

from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import Slice, slices
from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.text import plural


class FairnessThresholds(Frozen):
    """How unequal the feasible trials of compared values may be."""

    uneven_trials: float = Field(
        default=2.0, gt=1, description="F13, ours: one arm may have twice the feasible trials of another"
    )


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
        text = "Not checked: no listed values are compared."
        return [not_checked("equally tuned", "F13", NotChecked.NOT_THE_QUESTION, text)]
    found = slices(evidence)
    return [_equally_tuned(n, [s for s in found if s.parameter == n], evidence) for n in listed]


def _equally_tuned(name: str, arms: list[Slice], evidence: Evidence) -> Finding:
    say = partial(finding, "equally tuned", "F13", parameter=name)
    least, most = (pick(arms, key=_feasible, default=None) for pick in (min, max))
    few, many = _feasible(least), _feasible(most)
    if least is None or most is None or len(arms) < 2 or many == 0:
        text = f"Not checked: no two values of {name} have trials to count."
        return not_checked("equally tuned", "F13", NotChecked.TOO_FEW_TRIALS, text, parameter=name)
    ratio = evidence.round.scope.policy.of(FairnessThresholds).uneven_trials
    numbers = {"fewest": few, "most": many, "fewest_trials": len(least.trials), "uneven_trials": ratio}
    told = f"{least.label} has {plural(few, 'feasible trial')} of {len(least.trials)}"
    if many <= ratio * few:
        return say(
            "ok",
            f"{told}, {most.label} {many} of {len(most.trials)}: tuned alike.",
            reason="tuned_alike",
            numbers=numbers,
        )
    whose = f" The change is held against {least.label}, the baseline." if least.place == 0 else ""
    lost = few < len(least.trials)
    mend = "mend what makes the others infeasible" if lost else "give both as many"
    text = (
        f"{told}, {most.label} {many} of {len(most.trials)}: {mend}. The best of so many more is better by luck "
        f"alone.{whose}"
    )
    return say("warn", text, reason="unevenly_tuned", numbers=numbers)


def _feasible(arm: Slice | None) -> int:
    return sum(t.feasible for t in arm.trials) if arm else 0


EQUALLY_TUNED = Check(
    name="equally tuned",
    questions=(
        Question(
            row="F13",
            asks="Was each compared value tuned as well as the others, in the trials that came back?",
            warn=("unevenly_tuned",),
            ok=("tuned_alike",),
            na=(NotChecked.NOT_THE_QUESTION, NotChecked.TOO_FEW_TRIALS),
        ),
    ),
    ask=equally_tuned,
    thresholds=(FairnessThresholds,),
)
