"""Whether the seed and the tuned hyperparameters can be seen to reach a program: by its arguments, or by its source."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tasks.scope.goal import Workload
from tasks.scope.roles import Scope
from tasks.trials.command.argv import OVERRIDES, files_named, needed
from tasks.trials.command.check import ADDRESS

SEED, POINT = "TUNEBOOK_SEED", "TUNEBOOK_POINT"
_SHOWN = 3  # hyperparameters that have a sentence of their own
_MOST = 200  # files of the user's folder that are looked through
_LARGEST = 1 << 20  # bytes of one


def unseen_by_program(workload: Workload, scope: Scope, own: str | None) -> Iterator[str]:
    """A sentence for the seed, and one for each tuned hyperparameter, that is not seen to reach the program.

    A program may read both from its environment: the files that its arguments name, and those of the same kind in the
    user's folder, are searched for the variable's name. A parent counts as seen where one of its children is named.

    Playbook: G2
    """
    if workload.target != ADDRESS:
        return
    argv = workload.arguments["argv"]
    named = {name for name, _ in needed(argv)}
    files = files_named(argv, own)
    where = f"in {files[0].name}" if files else "that can be seen"
    if "seed" not in named and not _mentions(SEED, files, own):
        yield (
            f"workload.argv: no {{seed}}, and no {SEED} {where}: the seed is not seen to reach the program. Add "
            '"{seed}", or no retrain measures noise.'
        )
    every = (part for element in argv for part in (element if isinstance(element, list | tuple) else [element]))
    lost = [] if OVERRIDES in every or _mentions(POINT, files, own) else [*_unnamed(scope, named)]
    for name in lost[:_SHOWN]:
        yield (
            f"workload.argv: no {{{name}}}, and no {POINT} {where}: {name} is not seen to reach the program. Add "
            f'"{{{name}}}", or tuning it changes nothing.'
        )
    if lost[_SHOWN:]:
        yield f"workload.argv: nor are {', '.join(lost[_SHOWN:])} seen to reach the program."


def _unnamed(scope: Scope, named: set[str]) -> Iterator[str]:
    """The tuned hyperparameters that the arguments do not name, neither themselves nor by a child."""
    for name in dict.fromkeys((*scope.roles.scientific, *scope.space.names)):
        children = {p.name for p in scope.declared if name in p.when}
        if not named & {name, *children}:
            yield name


def _mentions(variable: str, files: list[Path], own: str | None) -> bool:
    """Whether one of the program's files has the name in it; also a module that it may import."""
    kinds = {file.suffix for file in files if file.suffix}
    beside = (p for p in Path(own).rglob("*") if p.suffix in kinds and p.is_file()) if own and kinds else ()
    return any(_has(file, variable) for file in (*files, *islice(beside, _MOST)))


def _has(file: Path, variable: str) -> bool:
    try:
        with file.open("rb") as source:
            return variable.encode() in source.read(_LARGEST)
    except OSError:
        return False
