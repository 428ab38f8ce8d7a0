"""Guards of the roles: which hyperparameters may be scientific, nuisance or fixed, by the family they belong to."""

from tasks.record import Finding, NotChecked, Value
from tasks.scope.arms import has_room, listing, nuisance_without, optimizer_name, optimizers
from tasks.scope.finding import Judged, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.scope.names.families import USUAL_VALUES, Family, bare, family, is_switch
from tasks.scope.names.optimizers import OPTIMIZERS
from tasks.scope.roles import Scope
from tasks.text import show

EXPLICIT = "The points are explicit, so nothing is searched."
REASON_WORDS = 3  # a shorter reason ("default", "no time") states no evidence
LEFT_TO_THE_ADAM_RULE = frozenset({"one_minus_beta1", "one_minus_beta2", "epsilon"})  # D10 says when to fix these
# Optimizers for which one learning rate means the same thing may share its range.
KIN = {"nesterov": "momentum", "adamw": "adam"}


def optimizer_hyperparameters_are_nuisance(scope: Scope) -> list[Finding]:
    """Warns where an optimizer's hyperparameter is scientific, or fixed without stated evidence.

    A best learning rate holds for one setting of everything else and teaches little. A reason that the goal gives
    counts as evidence from three words on, and so does a budget without room for one nuisance more (never for the
    learning rate); Adam's betas and epsilon are left to the rule of D10.

    Playbook: C6
    """
    if scope.goal.points:
        return [not_checked("optimizer role", "C6", NotChecked.LISTED_POINTS, EXPLICIT)]
    scientific = [n for n in scope.roles.scientific if family(n) == "optimizer"]
    found = [_scientific_optimizer(name) for name in scientific]
    found += [_fixed_optimizer(scope, name) for name in scope.roles.fixed if _fixed_too_lightly(scope, name)]
    if found:
        return found
    tuned = [n for n in scope.roles.nuisance if family(n) == "optimizer"]
    stated = [n for n in scope.roles.fixed if family(n) == "optimizer"]
    if not tuned and not stated:
        text = "The round knows of no hyperparameter of an optimizer."
        return [not_checked("optimizer role", "C6", NotChecked.NOT_RECOGNISED, text)]
    text = f"Of the optimizer's hyperparameters {listing(tuned)} are nuisance" if tuned else "None is nuisance"
    text += f", and {listing(stated)} fixed for a stated reason or for want of trials." if stated else "."
    return [finding("optimizer role", "C6", "ok", text, reason="nuisance_or_stated")]


def evidence_is_stated(scope: Scope, name: str) -> bool:
    """Whether the goal itself fixes the hyperparameter and says why in more than a word or two (C2)."""
    wish = scope.goal.fixed.get(name)
    return wish is not None and len(wish.reason.split()) >= REASON_WORDS


def _fixed_too_lightly(scope: Scope, name: str) -> bool:
    parent = name.rpartition(".")[0]
    elsewhere = parent in OPTIMIZERS and parent not in optimizers(scope)
    asked = family(name) == "optimizer" and bare(name) not in LEFT_TO_THE_ADAM_RULE
    asked = asked and (bare(name) == "learning_rate" or has_room(scope))
    return asked and not elsewhere and not evidence_is_stated(scope, name)


def _scientific_optimizer(name: str) -> Finding:
    return finding(
        "optimizer role",
        "C6",
        "warn",
        f"{name} is scientific: its best value holds for this one setting of everything else and gives little insight; "
        "it is usually a nuisance.",
        reason="scientific",
        parameter=name,
    )


def _fixed_optimizer(scope: Scope, name: str) -> Finding:
    role = scope.roles.fixed[name]
    remedy: tuple[str, ...] = ()
    if name in scope.declared and name not in scope.goal.fixed and not scope.declared[name].constant:
        remedy = (f"goal.nuisance=[{','.join((*scope.roles.nuisance, name))}]",)
    elif name not in scope.declared and name not in scope.goal.fixed and bare(name) in USUAL_VALUES:
        remedy = (f"space.{name}.values={USUAL_VALUES[bare(name)]}",)
    return finding(
        "optimizer role",
        "C6",
        "warn",
        f"{name} is fixed at {show(role.value)} ({role.reason}), and its best value moves with nearly everything else: "
        "tune it as a nuisance, or state the evidence in goal.fixed.",
        reason="fixed_without_evidence",
        parameter=name,
        numbers={**({} if isinstance(role.value, str) else {"value": role.value}), "reason_words": REASON_WORDS},
        remedy=remedy,
    )


def optimizer_is_no_nuisance(scope: Scope) -> list[Finding]:
    """Fails where the choice of optimizer is a nuisance: it decides which other hyperparameters there are.

    Playbook: C7
    """
    name = optimizer_name(scope)
    if name is None or scope.goal.points:
        because = NotChecked.LISTED_POINTS if name else NotChecked.NOT_RECOGNISED
        text = EXPLICIT if name else "No hyperparameter chooses the optimizer."
        return [not_checked("optimizer choice", "C7", because, text)]
    why = "{} is a nuisance, and its values do not share their other hyperparameters: compare them, or fix one."
    return _no_nuisance(scope, "optimizer choice", "C7", "fail", [name], why, f"{name} is no nuisance.")


def regularizer_switch_is_no_nuisance(scope: Scope) -> list[Finding]:
    """Fails where turning a regularizer on or off is a nuisance; how strong it is may well be one.

    Playbook: C8
    """
    switches = [p.name for p in scope.space if is_switch(p)]
    why = (
        "{} turns a regularizer on or off, which is a question or a decision; only its strength is a nuisance: fix it."
    )
    return _no_nuisance(
        scope, "regularizer switch", "C8", "fail", switches, why, "No regularizer is switched as a nuisance."
    )


def architecture_is_no_nuisance(scope: Scope) -> list[Finding]:
    """Warns where architecture is a nuisance: it changes cost and memory as well as the error.

    Playbook: C9
    """
    names = _family_names(scope, "architecture")
    why = "{} changes what a trial costs as well as its error, so it is no mere nuisance: compare it or fix it."
    return _no_nuisance(scope, "architecture role", "C9", "warn", names, why, "No architecture is tuned as a nuisance.")


def _family_names(scope: Scope, of: Family) -> list[str]:
    return [n for n in scope.roles.nuisance if family(n) == of]


def _no_nuisance(
    scope: Scope, check: str, row: str, level: Judged, names: list[str], why: str, clean: str
) -> list[Finding]:
    """A finding for each of `names` that is a nuisance; the remedy fixes them all at the incumbent's values."""
    if scope.goal.points:
        return [not_checked(check, row, NotChecked.LISTED_POINTS, EXPLICIT)]
    found = [n for n in names if n in scope.roles.nuisance]
    if not found:
        return [finding(check, row, "ok", clean, reason="no_nuisance")]
    remedy = nuisance_without(scope, found)
    return [finding(check, row, level, why.format(n), reason="nuisance", parameter=n, remedy=remedy) for n in found]


def own_ranges(scope: Scope) -> list[Finding]:
    """Fails where one arm's own hyperparameter is drawn in the other arms too, warns where optimizers share a range.

    `dropout.rate` belongs to the value `dropout` alone. A learning rate of Adam and one of Nesterov are different
    hyperparameters with one name, and their good ranges lie decades apart; a shared range need not be wrong, and
    the boundary check (E2) speaks where it was, hence the warning.

    Playbook: C10
    """
    listed = {n: v for n, v in scope.goal.scientific.items() if v != RANGE}
    if not listed or scope.goal.points:
        text = (
            EXPLICIT
            if scope.goal.points
            else "No scientific values are listed, so none has hyperparameters of its own."
        )
        because = NotChecked.LISTED_POINTS if scope.goal.points else NotChecked.NOT_THE_QUESTION
        return [not_checked("own ranges", "C10", because, text)]
    strays = [f for name, values in listed.items() for f in _strays(scope, name, values)]
    found = strays + _shared(scope)
    text = "Each hyperparameter that belongs to one scientific value exists under it alone, with a range of its own."
    return found or [finding("own ranges", "C10", "ok", text, reason="own_ranges")]


def _strays(scope: Scope, scientific: str, values: tuple[Value, ...] | str) -> list[Finding]:
    """Nuisances named after one scientific value that exist whatever the value is."""
    return [
        finding(
            "own ranges",
            "C10",
            "fail",
            f"{p.name} belongs to {scientific} = {value} by its name and is drawn for every other value too: "
            f"say when it exists.",
            reason="drawn_for_other_values",
            parameter=p.name,
            remedy=[f"space.{p.name}.when={{{scientific}:{value}}}"],
        )
        for value in values
        for p in scope.space
        if isinstance(value, str) and p.name.startswith(f"{value}.") and scientific not in p.when
    ]


def _shared(scope: Scope) -> list[Finding]:
    """Optimizer hyperparameters that optimizers of different kin draw from one range."""
    chooser = optimizer_name(scope)
    if chooser is None or scope.goal.scientific.get(chooser, RANGE) == RANGE:
        return []
    found = []
    for p in scope.space:
        users = [
            o for o in optimizers(scope) if bare(p.name) in OPTIMIZERS.get(o, ()) and p.name.rpartition(".")[0] != o
        ]
        users = [o for o in users if chooser not in p.when or o in p.when[chooser]]
        shared = family(p.name) == "optimizer" and p.name.rpartition(".")[0] not in OPTIMIZERS
        if shared and len({KIN.get(o, o) for o in users}) > 1:
            found.append(_shared_range(p.name, users))
    return found


def _shared_range(name: str, users: list[str]) -> Finding:
    own = listing(f"{o}.{bare(name)}" for o in users)
    return finding(
        "own ranges",
        "C10",
        "warn",
        f"{listing(users)} draw {name} from one range, and their good values lie apart: give each its own, {own}.",
        reason="shared_range",
        parameter=name,
        numbers={"optimizers": len(users)},
    )
