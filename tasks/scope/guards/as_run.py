"""What guards find of a study that has been run: nothing of it can be refused or planned anew."""

from functools import partial

from tasks.record import Finding, NotChecked
from tasks.scope.arms import optimizer_name
from tasks.scope.finding import not_checked
from tasks.scope.goal import RANGE
from tasks.scope.roles import Scope
from tasks.text import show

UNASKED = {
    "A3": "Not checked: the source does not say what each hyperparameter of the optimizer was. The training program's "
    "own defaults may have been used.",
    "B2": "Nobody said beforehand what was asked: goal.scientific={name: [first, second]} compares values. With "
    "{name: range} a whole range is asked about.",
    "C7": "Not checked: nobody said whether the optimizers were to be compared; {ask} compares them.",
    "D5": "The search has been run; what its sampler means for the findings stands at E6.",
}
# What a guard would have refused before the study ran, and what it means now that it has.
MEANS = {
    "A5": "{name} varied between the trials with nothing tuned anew for each value: trust no comparison of the values. "
    "What is better at one may be an accident of the other hyperparameters.",
    "C8": "{name} was switched between the trials, so the best of them says little of either; {ask} compares them.",
    "H2": "{name} varied between the trials, and the longer ones were favoured; {ask} compares them.",
}
# What is clean in a plan, and says something of what was planned.
PLANNED = {"H2": "No hyperparameter that sets the length of training varied; how long the trials trained stands below."}
TELLABLE = ("space.", "objective.", "goal.scientific", "names", "acknowledge")  # overrides that an audit takes


def as_run(scope: Scope) -> Scope:
    """The scope of a finished study: what guards would have refused is told as what it means for the comparison.

    What nobody can know of a study that ran elsewhere is not checked. Remedies are left out but for those that an audit
    can be told.

    Playbook: A5, C8, H2
    """
    return scope.model_copy(update={"findings": tuple(_as_run(scope, f) for f in scope.findings)})


def _as_run(scope: Scope, found: Finding) -> Finding:
    remedy = tuple(r for r in found.remedy if r.lstrip("+").startswith(TELLABLE))
    if found.level == "fail" and found.row in UNASKED:
        said = UNASKED[found.row].replace("{ask}", unasked_optimizer(scope))
        say = partial(not_checked, found.check, found.row, NotChecked.RAN_ELSEWHERE, said)
        return say(parameter=found.where.parameter, numbers=found.numbers)
    if found.level == "fail" and found.row in MEANS:
        name = found.where.parameter or ""
        means = MEANS[found.row].format(name=name, ask=_asking(scope, name))
        return found.model_copy(update={"level": "warn", "evidence": means, "remedy": remedy})
    evidence = PLANNED.get(found.row, found.evidence) if found.level == "ok" else found.evidence
    return found.model_copy(update={"remedy": remedy, "evidence": evidence})


def unasked_optimizer(scope: Scope) -> str:
    """The setting that asks which optimizer is the better one, where several were tried and nobody asked; or empty."""
    name = optimizer_name(scope)
    return _asking(scope, name) if name is not None and name in scope.roles.nuisance else ""


def _asking(scope: Scope, name: str) -> str:
    """The setting that compares the values of a hyperparameter, or asks of its whole range."""
    values = scope.declared[name].values if name in scope.declared else ()
    asked = f"[{', '.join(show(v) for v in values)}]" if values else RANGE
    return f"goal.scientific={{{name}: {asked}}}"
