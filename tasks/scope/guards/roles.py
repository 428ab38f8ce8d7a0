"""Guards of the roles: which hyperparameters may be scientific, nuisance or fixed, by the family they belong to."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.record import Finding, NotChecked, Value
from tasks.scope.arms import (
    belongs,
    brief,
    choices,
    has_room,
    in_full,
    listing,
    nuisance_without,
    optimizer_name,
    optimizers,
    owner_of,
    recognised,
    unrecognised,
)
from tasks.scope.finding import Judged, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.scope.guards.evidence import EXPLICIT, LEFT_TO_THE_ADAM_RULE, RECOGNISED, evidence_is_stated
from tasks.scope.guards.length import put_in_front
from tasks.scope.names.names import REGULARIZING, USUAL_VALUES
from tasks.scope.names.optimizers import optimizer_hyperparameters, optimizer_key
from tasks.scope.roles import Scope
from tasks.text import show

# Optimizers for which one learning rate means the same thing may share its range.
KIN = {"nesterov": "momentum", "adamw": "adam"}
_NO_PART = ("batch size", "evaluation batch size", "length")  # of no compared value, whatever their names begin with


def optimizer_hyperparameters_are_nuisance(scope: Scope) -> list[Finding]:
    """Warns where a hyperparameter of an optimizer or of its schedule is scientific, or fixed without stated evidence.

    A best learning rate holds for one setting of everything else and teaches little. A reason that the goal gives
    counts where it refers to evidence (C2), and so does a budget without room for one nuisance more (never for the
    learning rate); Adam's betas and epsilon are left to the rule of D10, a warmup that makes trials longer to H2, the
    kind of schedule and the arguments of the workload to their reader.

    Playbook: C6
    """
    if scope.goal.points:
        return [not_checked("optimizer role", "C6", NotChecked.LISTED_POINTS, EXPLICIT)]
    scientific = [n for n in scope.roles.scientific if scope.names.tuned_by_rule(n)]
    found = [_scientific_optimizer(name) for name in scientific]
    found += [_fixed_optimizer(scope, name) for name in scope.roles.fixed if _fixed_too_lightly(scope, name)]
    if found:
        return found
    tuned = [n for n in scope.roles.nuisance if scope.names.tuned_by_rule(n)]
    stated = [n for n in scope.roles.fixed if scope.names.tuned_by_rule(n)]
    if not tuned and not stated:
        text = f"No hyperparameter of an optimizer is recognised: {scope.names.say('learning_rate')} says which it is."
        return [not_checked("optimizer role", "C6", NotChecked.NOT_RECOGNISED, text)]
    text = "The hyperparameters of the optimizer are nuisance, or fixed for a stated reason or for want of trials."
    text += f" Nuisance: {listing(tuned)}; fixed: {listing(stated)}."
    return [finding("optimizer role", "C6", "ok", text, reason="nuisance_or_stated")]


def _fixed_too_lightly(scope: Scope, name: str) -> bool:
    meaning = scope.names.meaning(name)
    owner, used = owner_of(name), optimizers(scope)
    elsewhere = owner is not None and not any(belongs(name, o) for o in used)
    asked = scope.names.tuned_by_rule(name) and meaning not in LEFT_TO_THE_ADAM_RULE and not put_in_front(scope, name)
    asked = asked and (meaning == "learning_rate" or has_room(scope))
    return asked and not elsewhere and not evidence_is_stated(scope, name)


def _scientific_optimizer(name: str) -> Finding:
    return finding(
        "optimizer role",
        "C6",
        "warn",
        f"{name} is scientific, but its best value holds for one setting of everything else: make it a nuisance. It "
        "gives little insight.",
        reason="scientific",
        parameter=name,
    )


def _fixed_optimizer(scope: Scope, name: str) -> Finding:
    role, bare = scope.roles.fixed[name], scope.names.bare(name)
    remedy: tuple[str, ...] = ()
    if name in scope.declared and name not in scope.goal.fixed and not scope.declared[name].constant:
        remedy = (f"goal.nuisance=[{','.join((*scope.roles.nuisance, name))}]",)
    elif name not in scope.declared and name not in scope.goal.fixed and bare in USUAL_VALUES:
        remedy = (f"space.{name}.values={USUAL_VALUES[bare]}",) if not scope.names.direct(name) else ()
    return finding(
        "optimizer role",
        "C6",
        "warn",
        f"{name} is fixed at {show(role.value)} without recognised evidence: tune it, or state evidence in goal.fixed. "
        f"Its best value moves with nearly everything else. Recognised are {RECOGNISED}. Stated was: {role.reason}.",
        reason="fixed_without_evidence",
        parameter=name,
        numbers={} if isinstance(role.value, str) else {"value": role.value},
        remedy=remedy,
    )


def optimizer_is_no_nuisance(scope: Scope) -> list[Finding]:
    """Fails where the choice of optimizer is a nuisance: it decides which other hyperparameters there are.

    Playbook: C7
    """
    why = "{} is a nuisance, and its values do not share their other hyperparameters: compare them, or fix one."
    looked = _Looked("the choice of the optimizer", "optimizer, optim or opt", "optimizer", choices)
    names = recognised(scope, "optimizer choice")
    return _no_nuisance(scope, "optimizer choice", "C7", "fail", names, names, why, looked)


def regularizer_switch_is_no_nuisance(scope: Scope) -> list[Finding]:
    """Fails where turning a regularizer or an augmentation on or off is a nuisance; how strong it is may well be one.

    Playbook: C8
    """
    switches = [p.name for p in scope.space if scope.names.is_switch(p)]
    why = (
        "{} turns a regularizer on or off, which is a question or a decision; only its strength is a nuisance: fix it."
    )
    looked = _Looked("a regularizer", "dropout, weight_decay or data_aug", "regularizer", choices)
    names = recognised(scope, *REGULARIZING)
    return _no_nuisance(scope, "regularizer switch", "C8", "fail", switches, names, why, looked)


def architecture_is_no_nuisance(scope: Scope) -> list[Finding]:
    """Warns where architecture is a nuisance: it changes cost and memory as well as the error.

    Playbook: C9
    """
    why = "{} changes what a trial costs as well as its error, so it is no mere nuisance: compare it or fix it."
    looked = _Looked("architecture", "width, n_layer or num_hidden_layers", "architecture", None)
    names = recognised(scope, "architecture")
    return _no_nuisance(scope, "architecture role", "C9", "warn", names, names, why, looked)


@dataclass(frozen=True)
class _Looked:
    """What is looked for: in words, by examples, by its key, and by the values that it could have."""

    what: str
    such_as: str
    key: str
    could_be: Callable[[Sequence[Value] | None], bool] | None


def _no_nuisance(
    scope: Scope,
    check: str,
    row: str,
    level: Judged,
    names: Sequence[str],
    known: Sequence[str],
    why: str,
    looked: _Looked,
) -> list[Finding]:
    """A finding for each of `names` that is a nuisance; the remedy fixes them all at the incumbent's values.

    `known`: all that is recognised of the kind. Not checked where that is nothing, or where a nuisance is not
    recognised at all whose values could be of the kind.
    """
    if scope.goal.points:
        return [not_checked(check, row, NotChecked.LISTED_POINTS, EXPLICIT)]
    found = [n for n in names if n in scope.roles.nuisance]
    if found:
        remedy = nuisance_without(scope, found)
        return [finding(check, row, level, why.format(n), reason="nuisance", parameter=n, remedy=remedy) for n in found]
    unknown = [n for n in unrecognised(scope, looked.could_be) if n in scope.roles.nuisance]
    if unknown or not known:
        text = f"No name is recognised as {looked.what}, such as {looked.such_as}: "
        text += f"{scope.names.say(looked.key)} says which it is."
        if unknown:
            text = f"Nothing says whether {unknown[0]} is {looked.what}: {scope.names.ask(looked.key, unknown[0])}."
        return [not_checked(check, row, NotChecked.NOT_RECOGNISED, text)]
    doing = "switched on and off" if row == "C8" else "tuned"
    text = f"{brief(known)}: none is {doing} as a nuisance.{in_full(known)}"
    return [finding(check, row, "ok", text, reason="no_nuisance")]


def own_ranges(scope: Scope) -> list[Finding]:
    """Fails where one arm's own hyperparameter is drawn in the other arms too, warns where optimizers share a range.

    `dropout.rate` belongs to the value `dropout` alone. A learning rate of Adam and one of Nesterov are different
    hyperparameters with one name, and their good ranges lie decades apart; a shared range need not be wrong, and
    the boundary check (E2) speaks where it was, hence the warning. So does a name that only begins with the value
    (`mixup_alpha`), or a beta that is drawn under an optimizer without one.

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
    if not any(name in p.when for p in scope.space for name in listed):
        text = "Nothing that varies is named after one scientific value, and nothing exists under one alone."
    return found or [finding("own ranges", "C10", "ok", text, reason="own_ranges")]


def _strays(scope: Scope, scientific: str, values: tuple[Value, ...] | str) -> list[Finding]:
    """Nuisances named after one scientific value that exist whatever the value is.

    A namespace is the value's (`dropout.rate`): that fails. A beginning (`mixup_alpha` beside `regularizer=mixup` or
    `use_mixup=true`) is warned of.
    """
    found, others = [], [p for p in scope.space if scientific not in p.when and p.name != scientific]
    for value in values:
        word = _word(scientific, value)
        for p in others if word else ():
            *parents, leaf = map(_plain, p.name.split("."))
            if word in parents:
                found.append(_drawn("fail", p.name, scientific, value, "by its name"))
            elif leaf.startswith(f"{word}_") and scope.names.family(p.name) not in _NO_PART:
                found.append(_drawn("warn", p.name, scientific, value, "as its name reads"))
    return found


def _word(scientific: str, value: Value) -> str:
    """What hyperparameters of the value alone are named after: the value, or what a switch turns on; "" for no word."""
    if isinstance(value, str):
        return _plain(value)
    leaf = _plain(scientific.split(".")[-1])
    word = re.sub(r"^(?:use|with|enable|apply|add)_|_(?:enabled?|on|flag)$", "", leaf)
    return word if value is True and word != leaf else ""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _drawn(level: Judged, name: str, scientific: str, value: Value, why: str) -> Finding:
    return finding(
        "own ranges",
        "C10",
        level,
        f"{name} belongs to {scientific} = {show(value)} {why} and is drawn for every other value too: "
        f"say when it exists.",
        reason="drawn_for_other_values",
        parameter=name,
        remedy=[f"space.{name}.when={{{scientific}:{show(value)}}}"],
    )


def _shared(scope: Scope) -> list[Finding]:
    """Optimizer hyperparameters that optimizers of different kin draw from one range, or that some have none of."""
    chooser = optimizer_name(scope)
    if chooser is None or scope.goal.scientific.get(chooser, RANGE) == RANGE:
        return []
    found = []
    for p in scope.space:
        if scope.names.family(p.name) != "optimizer" or owner_of(p.name):
            continue
        bare = scope.names.bare(p.name)
        under = [o for o in optimizers(scope) if chooser not in p.when or o in p.when[chooser]]
        having = {o: optimizer_hyperparameters(optimizer_key(o) or "") for o in under}
        users = [o for o in under if bare in having[o]]
        if users and any(known and bare not in known for known in having.values()):
            found.append(_drawn_without(p.name, chooser, users, [o for o in under if o not in users]))
        if len({KIN.get(optimizer_key(o) or o, optimizer_key(o) or o) for o in users}) > 1:
            found.append(_shared_range(p.name, bare, users))
    return found


def _drawn_without(name: str, chooser: str, users: list[str], others: list[str]) -> Finding:
    """Of a hyperparameter that is drawn under optimizers which have no such thing."""
    return finding(
        "own ranges",
        "C10",
        "warn",
        f"{name} is drawn under {brief(others, 40)} too, which {'has' if len(others) == 1 else 'have'} no such "
        f"hyperparameter: say that it exists under {brief(users, 40)} alone.{in_full(others, 40)}{in_full(users, 40)}",
        reason="drawn_for_other_values",
        parameter=name,
        remedy=[f"space.{name}.when={{{chooser}:[{','.join(users)}]}}"],
    )


def _shared_range(name: str, bare: str, users: list[str]) -> Finding:
    own = listing(f"{o}.{bare}" for o in users)
    return finding(
        "own ranges",
        "C10",
        "warn",
        f"{brief(users)} draw {name} from one range, and their good values lie apart: give each its own. "
        f"The names are {own}.",
        reason="shared_range",
        parameter=name,
        numbers={"optimizers": len(users)},
    )
