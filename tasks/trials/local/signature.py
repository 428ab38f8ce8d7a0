"""Whether the user's function can be called as a trial calls it, found out without calling it."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tasks.scope.error import InputError


def check_signature(found: Callable[..., Any], target: str, arguments: Sequence[str]) -> None:
    """Refuse what a trial could not train by: a class, a generator, or a function that takes other arguments.

    `arguments`: the names that the workload gives it beside the trial.

    Raises:
        InputError: what it is, and how to write it.
    """
    name = target.rpartition(".")[2]
    call = f"def {name}({', '.join(['trial', *arguments])})"
    if inspect.isclass(found):
        raise InputError(f"_target_: {target!r} is a class, and a trial calls a function; write {call}.")
    if inspect.iscoroutinefunction(found):
        raise InputError(f"_target_: {target!r} is async, and nobody would await it; write {call} without async.")
    if inspect.isgeneratorfunction(found):
        raise InputError(f"_target_: {target!r} has a yield, so a call trains nothing; report by trial.report instead.")
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):  # a function in C may not tell
        return
    try:
        signature.bind(None, **dict.fromkeys(arguments))
    except TypeError as error:
        takes = ", ".join(signature.parameters) or "nothing"
        raise InputError(
            f"_target_: {target!r} takes {takes}, and is called with the trial and the workload's other keys: {error}; "
            f"write {call}."
        ) from error
