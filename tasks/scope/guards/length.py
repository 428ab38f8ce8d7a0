"""The guard of the length of training: does every trial get the same number of steps?"""

from functools import partial

from tasks.record import Finding, NotChecked
from tasks.scope.arms import held_at, listing, nuisance_without, recognised, unrecognised, varied, whole_numbers
from tasks.scope.finding import finding, not_checked
from tasks.scope.names.programs import program_at
from tasks.scope.roles import Scope

CHECK, ROW = "length tuned", "H2"


def steps_stay_fixed(scope: Scope) -> list[Finding]:
    """Fails where the length of training would vary between trials: all trials of a study get the same.

    A warmup that the workload puts in front of the budget's steps makes trials longer, so it must not be tuned either;
    as the question of the round it only warns. Of a program that tunebook does not know, the budget's steps are what a
    trial is asked for; where something varies and nothing says what it is, it may be a length of the program's own.

    Playbook: H2
    """
    steps = scope.budget.max_train_steps
    found = [n for n in varied(scope) if scope.names.family(n) == "length"]
    remedy = nuisance_without(scope, [*found, *_prepended(scope)])
    say = partial(finding, CHECK, ROW, numbers={"max_train_steps": steps, "varied": len(found)})
    elsewhere = program_at(scope.target).ran_elsewhere
    planned = "" if elsewhere else f"; the budget plans {steps} steps for every trial"
    lengths = [
        say(
            "fail",
            f"{name} is the length of training, and it varies: take it out of the search. Values of "
            f"{scope.objective.metric} after unequal lengths cannot be compared{planned}.",
            reason="varies",
            parameter=name,
            remedy=remedy if name in scope.roles.nuisance else (),
        )
        for name in found
    ]
    warmups = [_lengthens(scope, name, remedy) for name in _prepended(scope)]
    return lengths + warmups or [_same_for_all(scope)]


def put_in_front(scope: Scope, name: str) -> bool:
    """Whether the workload puts the warmup of this name in front of the budget's steps."""
    return name == program_at(scope.target).warmup


def warmup_in_front(scope: Scope) -> int:
    """The steps of a warmup that is held and put in front of the budget's: so much longer is each trial.

    Playbook: I10
    """
    warmup = held_at(scope, name) if (name := program_at(scope.target).warmup) else None
    return int(warmup) if isinstance(warmup, int | float) and warmup > 0 else 0


def _prepended(scope: Scope) -> list[str]:
    return [n for n in varied(scope) if put_in_front(scope, n)]


def _lengthens(scope: Scope, name: str, remedy: tuple[str, ...]) -> Finding:
    steps = scope.budget.max_train_steps
    least, most = (steps + end for end in _ends(scope, name))
    nuisance = name in scope.roles.nuisance
    text = (
        f"{name} varies and lengthens trials to {least} to {most} steps, which cannot be compared: "
        f"{'fix it' if nuisance else 'mind that in the answer'}. It adds to budget.max_train_steps = {steps}."
    )
    return finding(
        CHECK,
        ROW,
        "fail" if nuisance else "warn",
        text,
        reason="warmup_lengthens",
        parameter=name,
        numbers={"max_train_steps": steps, "varied": 1, "shortest": least, "longest": most},
        remedy=remedy if nuisance else (),
    )


def _ends(scope: Scope, name: str) -> tuple[int, int]:
    """The shortest and the longest warmup of the round."""
    listed = [point[name] for point in scope.goal.points if name in point]
    if name in scope.space and not listed:
        parameter = scope.space[name]
        listed = [*parameter.bounds] if parameter.numeric else [*parameter.values]
    asked = scope.goal.scientific.get(name, ())
    listed = listed or [v for v in asked if not isinstance(asked, str)]
    sizes = [int(v) for v in listed if isinstance(v, int | float)]
    return (min(sizes), max(sizes)) if sizes else (0, 0)


def _same_for_all(scope: Scope) -> Finding:
    program, steps = program_at(scope.target), scope.budget.max_train_steps
    numbers = {"max_train_steps": steps, "varied": 0}
    say = partial(finding, CHECK, ROW, "ok", reason="one_for_all", numbers=numbers)
    held = recognised(scope, "length")
    if program.trains_the_budget:
        warmup = warmup_in_front(scope)
        before = f", after a warmup of {warmup} steps" if warmup else ""
        return say(f"The budget plans {steps} steps for every trial{before}.")
    if unknown := unrecognised(scope, whole_numbers):
        text = f"Nothing says whether {unknown[0]} is a length of training: {scope.names.ask('length', unknown[0])}."
        return not_checked(CHECK, ROW, NotChecked.NOT_RECOGNISED, text, numbers=numbers)
    if held:
        planned = "" if program.ran_elsewhere else f"The budget plans {steps} steps for every trial, and "
        return say(f"{planned}{listing(held)} {'is' if len(held) == 1 else 'are'} the same for all of them.")
    if program.ran_elsewhere:
        text = f"No length, such as epochs or max_steps, is recognised: {scope.names.say('length')} says which it is."
        return not_checked(CHECK, ROW, NotChecked.NOT_RECOGNISED, text, numbers=numbers)
    return say(f"The budget plans {steps} steps for every trial, and nothing that varies is a length.")
