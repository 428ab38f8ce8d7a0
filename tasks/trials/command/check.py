"""Checks of a command workload before the first trial."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tasks.design.study import Round
from tasks.record import Point
from tasks.scope.error import InputError
from tasks.scope.goal import Workload
from tasks.trials.command.argv import WORDS, files_named, names_in, needed, rendered
from tasks.trials.target import targets_in

ADDRESS = "tasks.trials.command"
WAYS_BACK = ("lines", "mlflow")
_ARGUMENTS = ("argv", "metrics", "cwd")
_SCRIPTS = frozenset({".py", ".sh", ".awk", ".r", ".jl", ".pl", ".rb", ".js", ".m"})
_FIRST = 3  # elements of a template among which a script is looked for: python train.py, awk -f descend.awk


def check_command(workload: Workload, round: Round, own: str | None) -> None:
    """Refuse a program that could not be started at every point of the round; any other workload passes.

    Raises:
        InputError: the first thing that is wrong: an argument, a name in braces, a file, a program that is not there.
    """
    if any(target == ADDRESS for target in targets_in([workload.arguments, workload.test or {}])):
        raise InputError(f"workload: {ADDRESS} is a workload and no part of one; name it in workload._target_ alone.")
    if workload.target != ADDRESS:
        return
    _check_arguments(workload.arguments, own)
    argv, scope = workload.arguments["argv"], round.scope
    points = [*(t.point for t in round.trials), scope.incumbent.point]
    known = {*scope.declared.names, *scope.goal.scientific, *scope.goal.fixed, *(n for p in points for n in p)}
    _check_names(argv, known, points)
    _check_scripts(argv, own)
    for point in points:
        for argument in rendered(argv, point, dict.fromkeys(WORDS, ""), own):
            if "\0" in argument:
                raise InputError("workload.argv: no program takes an argument with a NUL in it; choose another value.")


def wants_mlflow(workload: Workload) -> bool:
    """Whether the workload is a program whose metrics come back through a private MLflow store."""
    return workload.target == ADDRESS and workload.arguments.get("metrics") == "mlflow"


def program_files(workload: Workload, own: str | None) -> list[Path]:
    """The files of the user's folder that a program is started with: with other ones it is another round."""
    return files_named(workload.arguments["argv"], own) if workload.target == ADDRESS else []


def _check_arguments(arguments: Mapping[str, Any], own: str | None) -> None:
    unknown = sorted(set(arguments) - set(_ARGUMENTS))
    if unknown:
        raise InputError(f"workload.{unknown[0]}: {ADDRESS} has no such argument; it has {', '.join(_ARGUMENTS)}.")
    if "argv" not in arguments:
        raise InputError('workload.argv: missing; list the program and its arguments: [python, train.py, "{seed}"].')
    if arguments.get("metrics", WAYS_BACK[0]) not in WAYS_BACK:
        raise InputError(f"workload.metrics: {arguments['metrics']!r} is unknown; allowed are {', '.join(WAYS_BACK)}.")
    cwd = arguments.get("cwd")
    if cwd is not None and not (isinstance(cwd, str) and os.path.isdir(os.path.join(own or ".", cwd))):
        raise InputError(f"workload.cwd: {cwd!r} is no folder in {own or 'here'}; leave it out, or name one.")


def _check_names(argv: Any, known: Collection[str], points: Collection[Point]) -> None:
    for name, optional in needed(argv):
        if name in known and name in WORDS:
            raise InputError(f"workload.argv: {{{name}}} means two things here; give the hyperparameter another name.")
        if name not in known and name not in WORDS:
            raise InputError(
                f"workload.argv: {{{name}}} is no hyperparameter of this round; it has {', '.join(sorted(known))}, "
                f"and {', '.join(WORDS)} can be named too; braces themselves are written {{{{ and }}}}."
            )
        if name in known and not optional and not all(name in p for p in points):
            raise InputError(
                f"workload.argv: {{{name}}} does not exist at every point of this round; put it in a list with what "
                f'goes with it, such as ["--{name.rpartition(".")[2]}", "{{{name}}}"], which is then left out.'
            )


def _check_scripts(argv: Any, own: str | None) -> None:
    """A script that is not there would fail once for every trial."""
    for part in argv[:_FIRST]:
        script = isinstance(part, str) and not names_in(part) and Path(part).suffix.lower() in _SCRIPTS
        if script and not files_named([part], own):
            raise InputError(f"workload.argv: there is no {part} in {own or 'the folder of --config-dir'}; correct it.")
