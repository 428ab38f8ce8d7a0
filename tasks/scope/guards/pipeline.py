"""Guards of the pipeline: what is known of how a workload evaluates before anything runs."""

import math
from functools import partial
from typing import Any

from pydantic import Field

from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.scope.guards.guard import Guard, searching
from tasks.scope.names.programs import program_at
from tasks.scope.roles import Scope
from tasks.text import plural, show

AMPLE = 20  # evaluations a trial that the remedy for too few asks for
EVAL_WORDS = ("eval", "evaluation", "valid", "validation", "val", "dev", "test")


class EvaluationCountThresholds(Frozen):
    """How many evaluations a trial needs."""

    fewest_evaluations: int = Field(
        default=10,
        ge=3,
        description="K2, ours: of 240 recorded curves, seen at fewer steps, one in ten lost as much as separates the "
        "best three trials",
    )


def planned_evaluations(scope: Scope) -> list[Finding]:
    """A warning where the budget has fewer evaluations a trial than it takes to choose the best step from.

    It is known before anything runs, and is asked of what ran once more. Not checked of trials that ran elsewhere.

    Playbook: K2
    """
    say = partial(finding, "planned evaluations", "K2")
    if program_at(scope.target).ran_elsewhere:
        text = "Nothing was planned: how often the trials were evaluated is asked of their curves."
        return [not_checked("planned evaluations", "K2", NotChecked.RAN_ELSEWHERE, text)]
    steps, every = scope.budget.max_train_steps, scope.budget.eval_every_steps
    many, fewest = math.ceil(steps / every), scope.policy.of(EvaluationCountThresholds).fewest_evaluations
    numbers = {"evaluations": many, "fewest_evaluations": fewest}
    if many >= fewest or every == 1:
        text = f"The budget has {plural(many, 'evaluation')} a trial to choose the best step from."
        return [say("ok", text, reason="enough", numbers=numbers)]
    text = f"The budget has {plural(many, 'evaluation')} a trial, few to choose the best step from: have {fewest}."
    return [say("warn", text, reason="few_planned", numbers=numbers, remedy=more_evaluations(steps, every))]


def more_evaluations(steps: int, every: int) -> tuple[str, ...]:
    """The override that gives a trial of so many steps enough evaluations; none where it has as many."""
    finer = max(steps // AMPLE, 1)
    return (f"budget.eval_every_steps={finer}",) if finer < every else ()


def evaluation_batches(scope: Scope) -> list[Finding]:
    """Fails where an evaluation batch is smaller than the training batch: without gradients a larger one fits.

    Both are looked for among the workload's arguments, whatever they are nested in, and among the hyperparameters,
    which replace the argument of their name: of a training batch the largest value counts, of an evaluation batch the
    smallest. Sizes per device are held against sizes per device alone.

    Playbook: J4
    """
    say = partial(finding, "evaluation batch", "J4")
    values = _sizes(scope)
    own = {n: min(v) for n, v in values.items() if evaluates(scope, n)}
    train = {n: max(v) for n, v in values.items() if n not in own}
    pairs = [(e, t) for e in own for t in train if _per_device(e) == _per_device(t)]
    if not pairs:
        return [_unknown(scope, [*train], [*own])]
    short = [(e, t) for e, t in pairs if own[e] < train[t]]
    e, t = max(short or pairs, key=lambda pair: train[pair[1]] - own[pair[0]])
    numbers = {"eval_batch_size": own[e], "batch_size": train[t]}
    place = "" if e in _hyperparameters(scope) else "workload."
    sizes = f"{place}{e} = {show(own[e])}", f"{t} = {show(train[t])}"
    if not short:
        text = f"{sizes[0]} and {sizes[1]}: evaluation batches are at least as large."
        return [say("ok", text, reason="large_enough", numbers=numbers)]
    text = f"{sizes[0]} is below {sizes[1]}: make it at least as large. An evaluation keeps no gradients, so it fits."
    wanted = {e: max(train[t] for other, t in short if other == e) for e, _ in short}
    remedy = [override for e, size in wanted.items() for override in _raised(scope, e, size)]
    return [say("fail", text, reason="below_training_batch", numbers=numbers, remedy=remedy)]


def evaluates(scope: Scope, name: str) -> bool:
    """Whether a batch size is that of an evaluation, by the name or a namespace: `eval_bs`, `valid.batch_size`."""
    words = set(name.lower().replace(".", "_").split("_"))
    return scope.names.family(name) == "evaluation batch size" or bool(words & {*EVAL_WORDS})


def _sizes(scope: Scope) -> dict[str, list[int]]:
    """`{name: sizes}`: every size that an argument or a hyperparameter which is a batch size may have in this round."""
    sources = [(n, [v]) for n, v in scope.arguments.items()]
    sources += [(n, _values(scope, n)) for n in _hyperparameters(scope)]  # these replace the arguments
    found: dict[str, list[int]] = {}
    for name, values in sources:
        sizes = [int(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if sizes and scope.names.family(name) in ("batch size", "evaluation batch size"):
            found[name] = sizes
    return found


def _hyperparameters(scope: Scope) -> tuple[str, ...]:
    """The names of all that a point of the round may have."""
    points = (n for point in scope.goal.points for n in point)
    names = (*scope.incumbent.point, *scope.fixed_point, *scope.space.names, *scope.goal.scientific, *points)
    return tuple(dict.fromkeys(names))


def _values(scope: Scope, name: str) -> list[Any]:
    """What a hyperparameter may be in this round: both ends of a range, every listed value, else the one it has."""
    values: list[Any] = [point[name] for point in scope.goal.points if name in point]
    if name in scope.space:
        parameter = scope.space[name]
        values += parameter.bounds if parameter.numeric else parameter.values
    listed = scope.goal.scientific.get(name, RANGE)
    values += () if listed == RANGE else listed
    known = dict(scope.incumbent.point) | scope.fixed_point
    return values or ([known[name]] if name in known else [])


def _raised(scope: Scope, name: str, size: int) -> tuple[str, ...]:
    """The overrides that raise an evaluation batch to a size, where it stands; none where a goal compares it."""
    if name not in _hyperparameters(scope):
        return (f"workload.{name}={size}",)
    if name in scope.space and name not in scope.goal.scientific:
        parameter = scope.space[name]
        if parameter.numeric:
            _, high = parameter.bounds
            top = (f"space.{name}.high={size}",) if high < size else ()
            return (*top, f"space.{name}.low={size}")
        kept = [v for v in parameter.values if isinstance(v, int | float) and v >= size] or [size]
        return (f"space.{name}.{'values' if parameter.type == 'ordered' else 'choices'}=[{','.join(map(show, kept))}]",)
    wish = scope.goal.fixed.get(name)
    if wish and wish.value is not None:
        return () if "." in name else (f"++goal.fixed.{name}.value={size}",)
    held = name in scope.incumbent.point and name not in scope.space and name not in scope.goal.scientific
    return (f"++workload.baseline.{name}={size}",) if held and not scope.incumbent.generation else ()


def _per_device(name: str) -> bool:
    return "device" in name.lower()


def _unknown(scope: Scope, train: list[str], evaluation: list[str]) -> Finding:
    missing = [*([] if train else ["batch_size"]), *([] if evaluation else ["evaluation_batch_size"])]
    if missing:
        tell = scope.names.say(missing[0])
        text = f"Not checked: nothing is recognised as {' or as '.join(missing)}; {tell} says which it is."
    else:
        pair = f"{train[0]} and {evaluation[0]}"
        text = f"Not checked: of {pair} one is per device and one is not, so they cannot be compared."
    return not_checked("evaluation batch", "J4", NotChecked.NOT_RECOGNISED, text)


EVALUATION_BATCHES = Guard(
    name="evaluation batch",
    question=Question(
        row="J4",
        asks="Is an evaluation batch at least as large as the training batch?",
        fail=("below_training_batch",),
        ok=("large_enough",),
        na=(NotChecked.NOT_RECOGNISED,),
    ),
    ask=evaluation_batches,
)

PLANNED_EVALUATIONS = Guard(
    name="planned evaluations",
    question=Question(
        row="K2",
        asks="Has the budget evaluations enough to choose the best step from?",
        warn=("few_planned",),
        ok=("enough",),
        na=(NotChecked.RAN_ELSEWHERE,),
    ),
    ask=planned_evaluations,
    of=searching,
)
