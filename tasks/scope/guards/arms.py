"""The guard of the compared arms: are they searched alike?"""

import itertools
from functools import partial

from tasks.record import Finding, NotChecked, Point
from tasks.scope.arms import arm_text, compared_values, decades, existing, listing
from tasks.scope.finding import finding, not_checked
from tasks.scope.guards.evidence import EXPLICIT
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter, has_values
from tasks.text import show

EXTRA = 1  # D9: the change may bring one hyperparameter of its own, its strength; more thin out its trials


def fair_nuisances(scope: Scope) -> list[Finding]:
    """Warns where compared arms do not get equal chances: unequal ranges, or far more to tune with equal trials.

    Compared are hyperparameters of one bare name and different parents (`adam.learning_rate` and
    `nesterov.learning_rate`), in the decades or units they span. One hyperparameter more, the strength of the change
    itself, is legitimate and is told in the sentence.

    Playbook: D9
    """
    arms = compared_values(scope)
    if len(arms) < 2 or scope.goal.points:
        because = NotChecked.LISTED_POINTS if scope.goal.points else NotChecked.NOT_THE_QUESTION
        text = EXPLICIT if scope.goal.points else "No listed values are compared."
        return [not_checked("fairness", "D9", because, text)]
    tuned = [(arm_text(arm), existing(scope, arm)) for arm in arms]
    pairs = {
        (p.name, q.name): (p, q)
        for (_, ours), (_, theirs) in itertools.combinations(tuned, 2)
        for p in ours
        for q in theirs
        if p.name != q.name
        and scope.names.bare(p.name) == scope.names.bare(q.name)
        and p not in theirs
        and q not in ours
    }
    found = [f for p, q in pairs.values() for f in _unequal(p, q, scope.policy)]
    least, most = (pick(tuned, key=lambda row: len(row[1])) for pick in (min, max))
    counts = {arm_text(arm): _trials(scope, arm, len(arms)) for arm in arms}
    trials = min(counts.values())
    numbers = {"trials": trials, "least": len(least[1]), "most": len(most[1]), "extra": EXTRA}
    if max(counts.values()) > scope.policy.count_ratio * trials:
        few, many = (pick(counts, key=lambda name: counts[name]) for pick in (min, max))
        text = f"{many} has {counts[many]} trials and {few} {counts[few]}: give each as many."
        text += " More trials pick from more luck."
        unequal = numbers | {"most_trials": counts[many], "count_ratio": scope.policy.count_ratio}
        found.append(finding("fairness", "D9", "warn", text, reason="unequal_counts", numbers=unequal))
    if len(most[1]) - len(least[1]) > EXTRA:
        text = (
            f"With {trials} trials each, {most[0]} tunes {len(most[1])} hyperparameters and {least[0]} "
            f"{len(least[1])}: run more trials, or fix some. The arm with more is searched more thinly."
        )
        found.append(finding("fairness", "D9", "warn", text, reason="more_to_tune", numbers=numbers))
    if found:
        return found
    each = f"{trials} trials" if trials == max(counts.values()) else f"{trials} to {max(counts.values())} trials"
    text = f"Each of the {len(arms)} arms has {each}, and ranges of one name are equally wide."
    alone = [p.name for p in most[1] if p not in least[1]]
    text += f" Besides, {most[0]} tunes {listing(alone)}." if len(most[1]) > len(least[1]) else ""
    return [finding("fairness", "D9", "ok", text, reason="fair", numbers=numbers)]


def _trials(scope: Scope, arm: Point, arms: int) -> int:
    """The trials that the arm has: of a joint study that is planned an even share."""
    if scope.run:
        return sum(has_values(point, arm) for point in scope.run)
    return scope.budget.trials // (arms if scope.joint else 1)


def _unequal(p: Parameter, q: Parameter, policy: Policy) -> list[Finding]:
    narrow, wide = sorted((p, q), key=decades)
    unlike = p.numeric != q.numeric or p.scale != q.scale
    if not unlike and decades(wide) <= policy.width_ratio * decades(narrow):
        return []
    unit = ("decades" if p.scale == "log" else "units") if p.numeric else "values"
    text = (
        f"{p.name} and {q.name} are not searched on the same scale: give both one. Ranges of two scales cannot be "
        "equally wide."
        if unlike
        else f"{wide.name} spans {decades(wide):.3g} {unit} and {narrow.name} {decades(narrow):.3g}: make both equally "
        "wide. The wider is the harder search, and the comparison is not fair to either."
    )
    numbers = {"widest": decades(wide), "narrowest": decades(narrow), "width_ratio": policy.width_ratio}
    remedy = () if unlike or p.scale != "log" else _widened(narrow, decades(wide) - decades(narrow))
    reason = "other_scales" if unlike else "unequal_widths"
    say = partial(finding, "fairness", "D9", "warn", text, reason=reason)
    return [say(parameter=narrow.name, numbers=numbers, remedy=remedy)]


def _widened(parameter: Parameter, by: float) -> tuple[str, ...]:
    """The overrides that move both sides of a log range outward, `by` decades in all."""
    low, high = parameter.bounds
    factor = 10 ** (by / 2)
    return (f"space.{parameter.name}.low={show(low / factor)}", f"space.{parameter.name}.high={show(high * factor)}")
