"""Guards of the question itself: what may be asked at all."""

from collections.abc import Iterable
from functools import partial

from tasks.record import Finding, NotChecked
from tasks.scope.arms import (
    brief,
    held_at,
    in_full,
    listed_hyperparameters,
    listing,
    nuisance_without,
    optimizer_name,
    optimizers,
    owned,
    recognised,
    unrecognised,
    varied,
    whole_numbers,
)
from tasks.scope.finding import Judged, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.scope.kinds import UNDERSTAND
from tasks.scope.names.names import USUAL_VALUES
from tasks.scope.names.optimizers import MOMENTUM, has_hidden_momentum, optimizer_key, own_name
from tasks.scope.names.programs import COMMAND, program_at
from tasks.scope.roles import Scope

_NO_ACCUMULATION = frozenset({"1", "1.0", "0", "0.0", "none", "null", "false", "no", "off"})


def every_optimizer_hyperparameter(scope: Scope) -> list[Finding]:
    """Fails for each hyperparameter of an optimizer in play that has no role: a silent default is no decision.

    A value that the workload's YAML gives as an argument is no silent default. Not checked of an optimizer whose
    hyperparameters tunebook has no list of, nor of an SGD or RMSprop of the user's own program whose momentum nothing
    names: it may have one.

    Playbook: A3
    """
    used = optimizers(scope)
    known = [o for o in used if listed_hyperparameters(scope, o)]
    names = (*scope.roles.scientific, *scope.roles.nuisance, *scope.roles.fixed, *scope.arguments)
    missing = [(o, h) for o in known for h in listed_hyperparameters(scope, o) if h not in owned(scope, o, names)]
    found = [_silent_default(scope, o, h, len(used) > 1) for o, h in missing]
    hidden = [o for o in known if not missing and _may_hide_a_momentum(scope, o, names)]
    found += [_hidden_momentum(scope, o, len(used) > 1) for o in hidden]
    if known and not missing and not hidden:
        said = "; ".join(f"of {o} {listing(listed_hyperparameters(scope, o))}" for o in known)
        text = f"Every hyperparameter of the optimizer has a role. These are {said}."
        found.append(finding("silent default", "A3", "ok", text, reason="all_have_roles"))
    if not used:
        text = f"No name is recognised as the choice of the optimizer: {scope.names.say('optimizer')} says which it is."
        found.append(not_checked("silent default", "A3", NotChecked.NOT_DECLARED, text))
    elif unknown := [o for o in used if o not in known]:
        text = f"Not checked: there is no list of the hyperparameters of {listing(unknown)}; give each a role yourself."
        found.append(not_checked("silent default", "A3", NotChecked.NOT_RECOGNISED, text))
    return found


def _may_hide_a_momentum(scope: Scope, optimizer: str, names: Iterable[str]) -> bool:
    """Whether the program may give the optimizer a momentum of which the round knows nothing."""
    named = MOMENTUM in owned(scope, optimizer, names)
    return has_hidden_momentum(optimizer_key(optimizer)) and not named and not program_at(scope.target).plain


def _hidden_momentum(scope: Scope, optimizer: str, several: bool) -> Finding:
    name = own_name(optimizer.rpartition(".")[2], "momentum") if several else "momentum"
    text = f"Not checked: nothing says whether the program gives {optimizer} a momentum"
    if program_at(scope.target).ran_elsewhere:
        text += "."
    else:
        text += f"; hand it {name} (0 for none), in the space or in workload.baseline."
    return not_checked("silent default", "A3", NotChecked.NOT_DECLARED, text, parameter=name)


def _silent_default(scope: Scope, optimizer: str, bare_name: str, several: bool) -> Finding:
    own = several or any(n.startswith(f"{optimizer}.") for n in scope.declared.names)
    name = own_name(optimizer.rpartition(".")[2], bare_name) if own else bare_name
    remedy = [f"space.{name}.values={USUAL_VALUES[bare_name]}"]
    when = f"space.{name}.when={{{optimizer_name(scope)}:{optimizer}}}"
    return finding(
        "silent default",
        "A3",
        "fail",
        f"{bare_name} of {optimizer} has no role: declare {name} in the space, or hold it fixed in workload.baseline. "
        "Without a role the training program's own default is used, and nobody sees it.",
        reason="no_role",
        parameter=name,
        remedy=[*remedy, when] if several else remedy,
    )


def batch_size_stays_fixed(scope: Scope) -> list[Finding]:
    """Fails where the batch size would be tuned for validation performance: it is a matter of speed.

    Playbook: A5
    """
    found = [n for n in varied(scope) if scope.names.family(n) == "batch size"]
    held = [n for n in recognised(scope, "batch size") if n not in found]
    numbers = {"varied": len(found), "recognised": len(found) + len(held)}
    unknown = unrecognised(scope, whole_numbers)
    if not found and (unknown or not held):
        text = (
            "No name is recognised as the batch size, such as batch_size or bs: "
            f"{scope.names.say('batch_size')} says which it is."
        )
        if unknown:
            text = f"Nothing says whether {unknown[0]} is a batch size: {scope.names.ask('batch_size', unknown[0])}."
        return [not_checked("batch size tuned", "A5", NotChecked.NOT_RECOGNISED, text, numbers=numbers)]
    if not found:
        text = f"The batch size ({listing(held)}) is the same for all trials."
        return [finding("batch size tuned", "A5", "ok", text, reason="one_for_all", numbers=numbers)]
    return [
        finding(
            "batch size tuned",
            "A5",
            "fail",
            f"{name} is tuned for {scope.objective.metric}, but is a matter of speed: hold it fixed in this round. "
            "With the other hyperparameters tuned well every batch size reaches the same value.",
            reason="varies",
            parameter=name,
            numbers=numbers,
            remedy=nuisance_without(scope, found) if name in scope.roles.nuisance else (),
        )
        for name in found
    ]


def no_gradient_accumulation(scope: Scope) -> list[Finding]:
    """Warns of gradient accumulation: it imitates a larger batch and gives none of its throughput.

    Playbook: A10
    """
    names = recognised(scope, "accumulation")
    found = [n for n in names if n in varied(scope) or str(held_at(scope, n)).lower() not in _NO_ACCUMULATION]
    if found:
        return [
            finding(
                "accumulation",
                "A10",
                "warn",
                f"{name} accumulates gradients: set it to 1 and choose a batch that fits. Accumulation imitates a "
                "larger batch without the throughput of one.",
                reason="accumulates",
                parameter=name,
                remedy=_held_at_one(scope, name),
            )
            for name in found
        ]
    if unknown := unrecognised(scope, whole_numbers):
        text = (
            f"Nothing says whether {unknown[0]} accumulates gradients: {scope.names.ask('accumulation', unknown[0])}."
        )
        return [not_checked("accumulation", "A10", NotChecked.NOT_RECOGNISED, text)]
    if names:
        told = " and ".join(f"{n} is {held_at(scope, n)}" for n in names)
        text = f"No trial accumulates gradients over several batches: {told}."
        return [finding("accumulation", "A10", "ok", text, reason="none")]
    if program_at(scope.target).accumulates is False:
        text = "No trial accumulates gradients over several batches: this workload never does."
        return [finding("accumulation", "A10", "ok", text, reason="none")]
    text = (
        "No name is recognised as gradient accumulation, such as accum_steps: "
        f"{scope.names.say('accumulation')} says which it is."
    )
    return [not_checked("accumulation", "A10", NotChecked.NOT_RECOGNISED, text)]


def _held_at_one(scope: Scope, name: str) -> tuple[str, ...]:
    """The overrides that leave the parameter no value but 1."""
    if name in scope.roles.scientific:
        return ()
    if name in scope.goal.fixed:
        return (f"++goal.fixed.{name}.value=1",)
    if name not in scope.declared:
        own = name in scope.arguments and name not in scope.roles.fixed and scope.target != COMMAND  # argv spells it
        return (f"workload.{name}=1",) if own else ()
    parameter = scope.declared[name]
    if parameter.numeric:
        return (f"space.{name}.low=1", f"space.{name}.high=1")
    return (f"space.{name}.{'values' if parameter.type == 'ordered' else 'choices'}=[1]",)


def one_goal_of_a_known_kind(scope: Scope) -> list[Finding]:
    """Fails where the goal compares nothing, warns where its kind does not fit what it compares.

    That there is exactly one goal, of a known kind, is seen to by its type.

    Playbook: B2
    """
    goal = scope.goal
    asked = f"goal {goal.name} ({goal.kind})"
    numbers = {"scientific": len(goal.scientific), "points": len(goal.points)}
    single = [n for n, v in goal.scientific.items() if v != RANGE and len(v) == 1]
    if not goal.scientific and not goal.points:
        text = f"The {asked} names no scientific hyperparameter, so it asks nothing: give it values to compare."
        return [finding("one goal", "B2", "fail", text, reason="asks_nothing", numbers=numbers)]
    if single:
        text = (
            f"The {asked} gives {listing(single)} one value only, so nothing is compared: list at least two, or fix it."
        )
        say = partial(finding, "one goal", "B2", "fail", text, reason="one_value")
        return [say(parameter=single[0], numbers=numbers)]
    if goal.facts.baseline and RANGE in goal.scientific.values():
        text = f"The {asked} takes a whole range, which has no arm without the change: that is a goal to understand."
        remedy = [f"goal.kind={UNDERSTAND.name}"]
        return [finding("one goal", "B2", "warn", text, reason="no_baseline", numbers=numbers, remedy=remedy)]
    text = f"One goal, of a known kind: {goal.name} ({goal.kind})."
    return [finding("one goal", "B2", "ok", text, reason="one_goal", numbers=numbers)]


def one_question(scope: Scope) -> list[Finding]:
    """Fails where two changes are tried at once, warns where two hyperparameters are to be understood at once.

    Playbook: B3
    """
    names = scope.roles.scientific
    numbers = {"scientific": len(names), "allowed": 1}
    if scope.goal.points:
        text = "The points are explicit: what they compare is the reader's to say."
        return [not_checked("one question", "B3", NotChecked.LISTED_POINTS, text)]
    if len(names) <= 1:
        text = f"One question: {listing(names)} alone is scientific."
        return [finding("one question", "B3", "ok", text, reason="one_question", numbers=numbers)]
    level: Judged = "fail" if scope.goal.facts.baseline else "warn"
    text = (
        f"{brief(names)} are scientific at once: ask one a round, {names[0]} first, and fix the others. "
        f"A gain could not be put down to one of several.{in_full(names)}"
    )
    return [finding("one question", "B3", level, text, reason="several_questions", numbers=numbers)]
