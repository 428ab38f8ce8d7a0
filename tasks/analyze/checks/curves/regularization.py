"""Remedies of F2 to F6: the regularizer that this round held fixed, or fewer steps where there is none."""

import json
from collections.abc import Iterable

from tasks.analyze.study.curves import FEWEST, Shape, objective_shape
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.regularizers import turned_off
from tasks.analyze.study.slices import Slice
from tasks.scope.arms import can_exist
from tasks.scope.names.families import family, is_switch
from tasks.scope.roles import Scope


def regularised(scope: Scope, s: Slice) -> tuple[str, ...]:
    """The overrides that let a regularizer vary which this round held fixed; empty where there is none.

    The strength of one that can exist as things are comes first, else a switch is turned on.

    Playbook: F3
    """
    arm = dict(s.study.study.scientific)
    held = [p for p in scope.declared if p.name in scope.roles.fixed and family(p.name) == "regularizer"]
    for p in held:
        if not is_switch(p) and not p.constant and can_exist(scope, arm, p) and _unfix(scope, p.name):
            return _unfix(scope, p.name)
    for p in held:
        on = next((v for v in p.values if not turned_off(v)), None)
        if (
            is_switch(p)
            and on is not None
            and turned_off(scope.roles.fixed[p.name].value)
            and p.name in scope.goal.fixed
        ):
            return (f"++goal.fixed.{p.name}.value={str(on).lower() if isinstance(on, bool) else on}",)
    return ()


def _unfix(scope: Scope, name: str) -> tuple[str, ...]:
    """Take a parameter out of `goal.fixed` and into the nuisances.

    Hydra cannot delete a key with a dot in it: there the whole mapping is said again, without that key.
    """
    fixed, nuisance = scope.goal.fixed, scope.goal.nuisance
    listed = () if nuisance is None else (f"goal.nuisance=[{','.join((*nuisance, name))}]",)
    if name not in fixed:
        return listed
    if "." not in name:
        return (f"~goal.fixed.{name}", *listed)
    kept = {n: wish.model_dump(exclude_none=True) for n, wish in fixed.items() if n != name}
    said = ",".join(
        f"{n}:{{{','.join(f'{k}:{json.dumps(v, ensure_ascii=False)}' for k, v in wish.items())}}}"
        for n, wish in kept.items()
    )
    return ("~goal.fixed", f"++goal.fixed={{{said}}}", *listed)


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


def advice_for(remedy: tuple[str, ...]) -> str:
    """What to do about a best trial that overfits, given what the remedy does."""
    if any(r.startswith("budget.") for r in remedy):
        return "No regularizer stands fixed that could be tuned: add one to the space, or stop where the curves turn."
    if remedy:
        return "Tune the regularizer that this round held fixed, then compare."
    return (
        "Tune its regularisation better (weight decay, dropout, label smoothing: none stands fixed in this space) and "
        "compare then; fewer steps would cut short another arm."
    )
