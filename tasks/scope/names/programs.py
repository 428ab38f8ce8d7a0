"""What is known of a workload's program by its address, and the values of its arguments by their names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.record import Frozen, Value

NOT_CALLED = ("_partial_", "_args_", "_convert_", "_recursive_")
COMMAND, ELSEWHERE = "tasks.trials.command", "flows.audit"


class TrainingProgram(Frozen):
    """What a program is known to do; of most of them nothing is.

    `trains_the_budget`: a trial has `budget.max_train_steps` steps, and `warmup`, where it is the name of an argument,
    is put in front of them. `accumulates`: None where nobody knows. `ran_elsewhere`: an audit's trials, for which
    nothing was planned here. `described`: its arguments are hyperparameters of training. `plain`: its optimizers have
    the listed hyperparameters and no further ones, so that its SGD has no momentum.
    """

    trains_the_budget: bool = False
    warmup: str | None = None
    accumulates: bool | None = None
    ran_elsewhere: bool = False
    described: bool = True
    plain: bool = False

    @property
    def evaluates_itself(self) -> bool:
        """Whether it is a program of the user's, of whose evaluation nothing is known."""
        return self.described and not self.plain


_LANDSCAPE = TrainingProgram(trains_the_budget=True, accumulates=False, described=False)
_PROGRAMS: Mapping[str, TrainingProgram] = {
    "tasks.trials.supervised": TrainingProgram(
        trains_the_budget=True, warmup="warmup_steps", accumulates=False, plain=True
    ),
    "tasks.trials.workloads.synthetic.synthetic": TrainingProgram(
        trains_the_budget=True, accumulates=False, described=False
    ),
    ELSEWHERE: TrainingProgram(ran_elsewhere=True),
}


def program_at(target: str) -> TrainingProgram:
    """What is known of the program at an address."""
    return _PROGRAMS.get(target, TrainingProgram())


def names_setting(target: str) -> str:
    """The setting by which the user says what a name is."""
    return "names" if program_at(target).ran_elsewhere else "workload.names"


def argument_values(target: str, arguments: Mapping[str, Any]) -> dict[str, Value | None]:
    """The single values among the arguments, by their whole names; of a command, those that its template spells out."""
    if not program_at(target).described:
        return {}
    return dict(_spelled_out(arguments.get("argv")) if target == COMMAND else _flat(arguments, ""))


def _flat(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Value | None]]:
    for key, value in tree.items():
        if isinstance(value, list | tuple) and len(value) == 1:
            (value,) = value
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif key not in NOT_CALLED and (value is None or isinstance(value, Value)):
            yield f"{prefix}{key}", value


def _spelled_out(argv: Any) -> Iterator[tuple[str, Value | None]]:
    """`--name value`, `--name=value` and `name=value` of a template, where the value has no braces."""
    parts = [str(part) for part in argv if isinstance(part, Value)] if isinstance(argv, list | tuple) else []
    for part, after in zip(parts, [*parts[1:], "-"][: len(parts)], strict=True):
        name, equals, value = part.partition("=")
        if not equals and name.startswith("--") and not after.startswith("-"):
            value, equals = after, "="
        if equals and name.strip("-") and not {"{", "}"} & {*name, *value}:
            yield name.lstrip("-"), _typed(value)


def _typed(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def values_of(*sources: Mapping[str, Sequence[object]]) -> dict[str, tuple[object, ...]]:
    """Every name with all values that any of the sources has for it."""
    found: dict[str, tuple[object, ...]] = {}
    for source in sources:
        for name, values in source.items():
            found[name] = (*found.get(name, ()), *values)
    return found
