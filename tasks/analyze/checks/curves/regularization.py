"""Remedies of F2 to F6: a regularizer set free, raised or turned on, or fewer steps where there is none."""

from collections.abc import Iterable

from tasks.analyze.checks.search.expansion import expansion
from tasks.analyze.study.curves import FEWEST, Shape, objective_shape
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.regularizers import turned_off
from tasks.analyze.study.slices import Slice
from tasks.design.cube import to_unit
from tasks.scope.arms import can_exist, tuned
from tasks.scope.names.names import REGULARIZING
from tasks.scope.roles import Scope

TOP = 0.9  # of a range, in its scale: from there a best value lies at its upper end
ON = {"label_smoothing": 0.1, "dropout": 0.1, "weight_decay": 0.0001}  # usual values, the mildest change first


def regularised(scope: Scope, s: Slice) -> tuple[str, ...]:
    """The overrides that regularise more; empty where the round has nothing to do it with.

    A regularizer that this round held fixed is let vary first: the strength of one that can exist as things are, else
    a switch is turned on. Then the range of one that is tuned is raised where the best trial is at its top. Last, one
    that the workload has as an argument and that is off is turned on.

    Playbook: F3
    """
    return _freed(scope, s) or _raised(scope, s) or _turned_on(scope)


def _freed(scope: Scope, s: Slice) -> tuple[str, ...]:
    arm = dict(s.study.study.scientific)
    names = scope.names
    held = [p for p in scope.declared if p.name in scope.roles.fixed and names.family(p.name) in REGULARIZING]
    for p in held:
        if not names.is_switch(p) and not p.constant and can_exist(scope, arm, p) and tuned(scope, p.name):
            return tuned(scope, p.name)
    for p in held:
        on = next((v for v in p.values if not turned_off(v)), None)
        if (
            names.is_switch(p)
            and on is not None
            and turned_off(scope.roles.fixed[p.name].value)
            and p.name in scope.goal.fixed
        ):
            return (f"++goal.fixed.{p.name}.value={str(on).lower() if isinstance(on, bool) else on}",)
    return ()


def _raised(scope: Scope, s: Slice) -> tuple[str, ...]:
    point = s.best.planned.point if s.best else {}
    for p in s.study.study.space:
        strength = p.name in scope.roles.nuisance and scope.names.family(p.name) in REGULARIZING and p.numeric
        if strength and not p.constant and p.name in point and to_unit(p, point[p.name]) >= TOP:
            move = expansion(p, "high", scope.policy)
            if move:
                return (move,)
    return ()


def _turned_on(scope: Scope) -> tuple[str, ...]:
    known = {*scope.declared.names, *scope.fixed_point, *scope.goal.scientific}
    off = [
        n
        for n, v in scope.arguments.items()
        if scope.names.bare(n) in ON and n not in known and not isinstance(v, bool | str) and v == 0
    ]
    by_kind = sorted(off, key=lambda n: [*ON].index(scope.names.bare(n)))
    return tuple(f"workload.{n}={ON[scope.names.bare(n)]}" for n in by_kind[:1])


def shorter(evidence: Evidence, found: Iterable[Slice]) -> tuple[str, ...]:
    """The longest that any compared best trial still had use for, where that is less than the budget."""
    shapes = [objective_shape(s.study, s.best) for s in found if s.best]
    budget = evidence.round.scope.budget
    last = max((_useful(c) if c else budget.max_train_steps for c in shapes), default=budget.max_train_steps)
    enough = max(last, FEWEST * budget.eval_every_steps)
    return (f"budget.max_train_steps={enough}",) if enough < budget.max_train_steps else ()


def _useful(curve: Shape) -> int:
    """The last step from which the curve had anything."""
    if curve.rises:
        return curve.turning_step
    return int(curve.steps[-1]) if curve.improving else curve.saturation_step


def advice_for(remedy: tuple[str, ...]) -> tuple[str, str]:
    """What to do about a best trial that overfits, given what the remedy does: as a clause, and the reason."""
    if any(r.startswith("budget.") for r in remedy):
        return "add a regularizer, or stop earlier", "No regularizer stands fixed in this space that could be tuned."
    if any(r.startswith("workload.") for r in remedy):
        return "turn on the workload's regularizer", "The workload has one that is off; compare then."
    if any(r.startswith("space.") for r in remedy):
        return "raise the range of its regularizer", "The best trial is at the top of that range; compare then."
    if remedy:
        return "tune the regularizer that was held fixed", "Compare then."
    return "regularise better", (
        "Weight decay, dropout and label smoothing are regularizers; none stands fixed in this space. Fewer steps "
        "would cut short another arm."
    )
