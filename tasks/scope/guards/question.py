"""Guards of the question itself: what may be asked at all."""

from functools import partial

from tasks.record import Finding, NotChecked
from tasks.scope.arms import listing, nuisance_without, optimizers, owned, varied
from tasks.scope.finding import Judged, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.scope.kinds import UNDERSTAND
from tasks.scope.names.families import USUAL_VALUES, Family, family
from tasks.scope.names.optimizers import OPTIMIZERS, own_name
from tasks.scope.roles import Scope


def every_optimizer_hyperparameter(scope: Scope) -> list[Finding]:
    """Fails for each hyperparameter of an optimizer in play that has no role: a silent default is no decision.

    Playbook: A3
    """
    known = [o for o in optimizers(scope) if o in OPTIMIZERS]
    if not known:
        unknown = listing(optimizers(scope)) if optimizers(scope) else ""
        why = f"the list of optimizers does not know {unknown}" if unknown else "no hyperparameter says which is used"
        because = NotChecked.NOT_RECOGNISED if unknown else NotChecked.NOT_DECLARED
        text = f"The optimizer's hyperparameters could not be listed: {why}."
        return [not_checked("silent default", "A3", because, text)]
    names = (*scope.roles.scientific, *scope.roles.nuisance, *scope.roles.fixed)
    missing = [(o, h) for o in known for h in OPTIMIZERS[o] if h not in owned(scope, o, names)]
    if not missing:
        said = "; ".join(f"{o}: {listing(OPTIMIZERS[o])}" for o in known)
        text = f"Every hyperparameter of the optimizer has a role ({said})."
        return [finding("silent default", "A3", "ok", text, reason="all_have_roles")]
    return [_silent_default(scope, o, h, len(known) > 1) for o, h in missing]


def _silent_default(scope: Scope, optimizer: str, bare_name: str, several: bool) -> Finding:
    own = several or any(n.startswith(f"{optimizer}.") for n in scope.declared.names)
    name = own_name(optimizer, bare_name) if own else bare_name
    remedy = [f"space.{name}.values={USUAL_VALUES[bare_name]}"]
    return finding(
        "silent default",
        "A3",
        "fail",
        f"{bare_name} of {optimizer} has no role, so the training program's own default would stand without a word; "
        f"declare {name} in the space, or in workload.baseline to hold it fixed.",
        reason="no_role",
        parameter=name,
        remedy=[*remedy, f"space.{name}.when={{optimizer:{optimizer}}}"] if several else remedy,
    )


def batch_size_stays_fixed(scope: Scope) -> list[Finding]:
    """Fails where the batch size would be tuned for validation performance: it is a matter of speed.

    Playbook: A5
    """
    why = (
        "{name} is tuned for {metric}; with the other hyperparameters tuned well every batch size reaches the same "
        "value, so its choice is one of speed: hold it fixed in this round."
    )
    clean = "The batch size is the same for all trials."
    return _one_value_for_all(scope, "batch size", "A5", "batch size tuned", why, clean)


def steps_stay_fixed(scope: Scope) -> list[Finding]:
    """Fails where the length of training would vary between trials: all trials of a study get the same.

    Playbook: H2
    """
    why = (
        "{name} is the length of training, and {metric} of trials of unequal length cannot be compared: take it out of "
        "the search; every trial gets budget.max_train_steps = {steps} steps."
    )
    clean = f"Every trial gets budget.max_train_steps = {scope.budget.max_train_steps} steps."
    return _one_value_for_all(scope, "length", "H2", "length tuned", why, clean)


def _one_value_for_all(scope: Scope, of: Family, row: str, check: str, why: str, clean: str) -> list[Finding]:
    """A fail for each hyperparameter of the family that varies; the remedy fixes it where it is nuisance."""
    found = [n for n in varied(scope) if family(n) == of]
    numbers = {"max_train_steps": scope.budget.max_train_steps, "varied": len(found)}
    words = {"metric": scope.objective.metric, "steps": scope.budget.max_train_steps}
    if not found:
        return [finding(check, row, "ok", clean, reason="one_for_all", numbers=numbers)]
    return [
        finding(
            check,
            row,
            "fail",
            why.format(name=name, **words),
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
    roles = scope.roles
    names = dict.fromkeys([*varied(scope), *roles.nuisance, *roles.fixed])
    found = [n for n in names if family(n) == "accumulation" and not (n in roles.fixed and roles.fixed[n].value == 1)]
    if not found:
        text = "No trial accumulates gradients over several batches."
        return [finding("accumulation", "A10", "ok", text, reason="none")]
    return [
        finding(
            "accumulation",
            "A10",
            "warn",
            f"{name} accumulates gradients: that imitates a larger batch without its "
            "throughput; fix it at 1 and choose a batch that fits.",
            reason="accumulates",
            parameter=name,
            remedy=_held_at_one(scope, name),
        )
        for name in found
    ]


def _held_at_one(scope: Scope, name: str) -> tuple[str, ...]:
    """The overrides that leave the parameter no value but 1."""
    if name not in scope.declared or name in scope.roles.scientific:
        return ()
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
        f"{listing(names)} are scientific at once, so a gain could not be put down to one of them: "
        f"ask one a round, {names[0]} first, and fix the others."
    )
    return [finding("one question", "B3", level, text, reason="several_questions", numbers=numbers)]
