"""Guards of the pipeline: what the workload's own arguments say of how it evaluates."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.scope.guards.guard import Guard
from tasks.scope.roles import Scope
from tasks.text import show

EVAL_WORDS = ("eval", "evaluation", "valid", "validation", "val", "dev", "test")


def evaluation_batches(scope: Scope) -> list[Finding]:
    """Fails where an evaluation batch is smaller than the training batch: without gradients a larger one fits.

    Both are looked for among the workload's arguments, whatever they are nested in; the training batch among the
    hyperparameters too, where its largest value counts. Sizes per device are held against sizes per device alone.

    Playbook: J4
    """
    say = partial(finding, "evaluation batch", "J4")
    sizes = dict(_sizes(scope))
    own = {n for n in sizes if evaluates(scope, n)}
    train = {n: v for n, v in sizes.items() if n not in own} | dict(_tuned(scope))
    pairs = [(e, t) for e in own for t in train if _per_device(e) == _per_device(t)]
    if not pairs:
        return [_unknown(scope, bool(train), bool(own))]
    short = [(e, t) for e, t in pairs if sizes[e] < train[t]]
    e, t = max(short or pairs, key=lambda pair: train[pair[1]] - sizes[pair[0]])
    numbers = {"eval_batch_size": sizes[e], "batch_size": train[t]}
    told = f"workload.{e} = {show(sizes[e])} and {t} = {show(train[t])}"
    if not short:
        return [say("ok", f"{told}: evaluation batches are at least as large.", reason="large_enough", numbers=numbers)]
    text = f"{told}: an evaluation keeps no gradients, so its batch is to be at least as large."
    wanted = {e: max(train[t] for other, t in short if other == e) for e, _ in short}
    remedy = [f"workload.{e}={show(size)}" for e, size in wanted.items()]
    return [say("fail", text, reason="below_training_batch", numbers=numbers, remedy=remedy)]


def evaluates(scope: Scope, name: str) -> bool:
    """Whether a batch size is that of an evaluation, by the name or a namespace: `eval_bs`, `valid.batch_size`."""
    words = set(name.lower().replace(".", "_").split("_"))
    return scope.names.family(name) == "evaluation batch size" or bool(words & {*EVAL_WORDS})


def _sizes(scope: Scope) -> Iterator[tuple[str, int]]:
    """The workload's arguments that are batch sizes."""
    for name, value in scope.arguments.items():
        size = scope.names.family(name) in ("batch size", "evaluation batch size")
        if size and isinstance(value, int) and not isinstance(value, bool):
            yield name, value


def _tuned(scope: Scope) -> Iterator[tuple[str, int]]:
    """The largest training batch of each hyperparameter that is one: it replaces the argument of its name."""
    known: dict[str, Any] = dict(scope.incumbent.point) | scope.fixed_point
    for name in {*known, *scope.space.names, *scope.goal.scientific}:
        if scope.names.family(name) != "batch size" or evaluates(scope, name):
            continue
        values = [known[name]] if name in known and name not in scope.space.names else []
        if name in scope.space:
            parameter = scope.space[name]
            values += parameter.bounds if parameter.numeric else parameter.values
        listed = scope.goal.scientific.get(name, ())
        values += () if listed == RANGE else listed
        sizes = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if sizes:
            yield name, int(max(sizes))


def _per_device(name: str) -> bool:
    return "device" in name.lower()


def _unknown(scope: Scope, train: bool, evaluation: bool) -> Finding:
    missing = [*([] if train else ["batch_size"]), *([] if evaluation else ["evaluation_batch_size"])]
    if missing:
        tell = scope.names.say(missing[0])
        text = f"Not checked: nothing is recognised as {' or as '.join(missing)}; {tell} says which it is."
    else:
        text = "Not checked: one batch_size is per device and the other is not, so they cannot be compared."
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
