"""Which callables a configuration's `_target_` may name, and resolving them.

Hydra's block list is no boundary (`_target_: torch.load` runs a payload). Here an address must lead to a file of an
allowed place before anything is imported, and the object that it resolves to must have been defined in such a file:
what a module of the user's merely imports (`mine.os.system`) is refused.

Ours are `tasks.trials.supervised`, `tasks.trials.command` and `tasks.trials.workloads.…`. Every other address is the
user's, also one that begins with `tasks` or `flows`: a trial's process calls `step_aside` before it imports one.
"""

import importlib
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from tasks.scope.error import InputError
from tasks.text import one_line
from tasks.trials.local.shell import ROOT, shell_path

PACKAGES = ("flows", "tasks")
ENTRY = ROOT / "flows" / "entry"  # of a checkout: the package `tunebook`, whose names a user's code may import
OURS = "tasks.trials.workloads."
EXACT = MappingProxyType(  # the functions behind our two short addresses
    {
        "tasks.trials.supervised": "tasks.trials.supervised.training.train",
        "tasks.trials.command": "tasks.trials.command.program.run",
    }
)
_FOREIGN_WORDS = frozenset({"_partial_", "_args_", "_convert_", "_recursive_"})
_INSTALLED = {"site-packages", "dist-packages"}
_LIBRARY = ("stdlib", "platstdlib", "purelib", "platlib")
_SAID = 300  # characters of what an import said
_WAY_OUT = (
    "name a function of your own folder (--config-dir) or of a folder on PYTHONPATH, tasks.trials.supervised, "
    "tasks.trials.command or tasks.trials.workloads.…"
)
_aside: dict[str, ModuleType] = {}  # our modules, once a user's may have their names


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an address leads: a module, its file, and the names in the module; `folder` is on Python's path for it."""

    module: str
    names: tuple[str, ...]
    file: Path
    folder: Path


def is_ours(target: str) -> bool:
    """Whether the address is one of the project's own workloads."""
    return target in EXACT or target.startswith(OURS)


def is_our_file(file: Path) -> bool:
    """Whether a file lies in our own packages, links followed."""
    return any(file.resolve().is_relative_to(ROOT / package) for package in PACKAGES)


def users_folders(own: str | None) -> tuple[Path, ...]:
    """Where the user's own code lies: the folder of --config-dir, its `src`, and what PYTHONPATH names.

    Not what is installed, by whatever link: `site-packages` on PYTHONPATH would allow every function of every library.
    """
    return (*own_folders(own), *(Path(entry) for entry in shell_path() if not _is_library(Path(entry).resolve())))


def place_of(target: str, own: str | None) -> Place:
    """Where an address leads, by looking for files alone: nothing has been imported yet.

    Raises:
        InputError: the address is none, or leads to no file of an allowed place.
    """
    whole = EXACT.get(target, target)
    parts = whole.split(".")
    if all(p.isidentifier() for p in parts):
        ours = is_ours(target)
        for folder in (ROOT,) if ours else users_folders(own):
            for cut in range(len(parts) - 1, 0, -1):
                for file in (f for f in _files(parts[:cut], folder) if f.is_file()):
                    if not ours and is_our_file(file):
                        continue  # --config-dir is our own folder
                    if file.resolve() not in _files(parts[:cut], folder.resolve()):
                        raise InputError(
                            f"_target_: {target!r}: {file} is a link to elsewhere; put the file itself there."
                        )
                    return Place(module=".".join(parts[:cut]), names=tuple(parts[cut:]), file=file, folder=folder)
    raise InputError(f"_target_: {target!r} is not allowed in a configuration; {_WAY_OUT}.")


def step_aside(own: str | None) -> None:
    """Leave the names of our packages to the user's code in this process, and put the user's folders on its path.

    What was imported of ours goes on working, and what was not cannot be imported any more.
    """
    for name in [n for n in sys.modules if n.partition(".")[0] in PACKAGES]:
        _aside[name] = sys.modules[f"tunebook.{name}"] = sys.modules.pop(name)  # for `from tunebook import …`
    sys.modules["__main__"] = ModuleType("__main__")  # a process that the user's code spawns would import ours again
    mine = [str(folder) for folder in own_folders(own)]
    rest = [entry for entry in sys.path if entry and Path(entry).resolve() != ROOT and entry not in mine]
    sys.path[:] = [*mine, *([str(ENTRY)] if ENTRY.is_dir() else []), *rest]
    importlib.invalidate_caches()


def resolve(target: str, own: str | None) -> Callable[..., Any]:
    """The callable at a dotted address, if it may be called. `own` is the user's folder.

    Raises:
        InputError: a place that is not allowed, nothing there, or an alias of something from elsewhere.
    """
    place = place_of(target, own)
    found: Any = _ours(place.module) if is_ours(target) else _users(place, target)
    for part in place.names:
        found = getattr(found, part, None)
    if not callable(found) or isinstance(found, ModuleType):
        raise InputError(f"_target_: there is no callable at {target!r} ({place.module} has none); {_WAY_OUT}.")
    if not _defined_well(found, own, is_ours(target)):
        home = f"{getattr(found, '__module__', None) or '?'}.{getattr(found, '__qualname__', type(found).__qualname__)}"
        raise InputError(f"_target_: {target!r} is {home} by another name, which is not allowed; {_WAY_OUT}.")
    return found  # type: ignore[no-any-return]


def targets_in(tree: object) -> Iterator[str]:
    """Every `_target_` in nested mappings and lists, outer before inner."""
    yield from (target for _, target in targets_at(tree, ""))


def targets_at(tree: object, place: str) -> Iterator[tuple[str, str]]:
    """`(place, _target_)` of every recipe in nested mappings and lists, outer before inner; `place` is the tree's."""
    if isinstance(tree, Mapping):
        if "_target_" in tree:
            yield place, str(tree["_target_"])
        for key, value in tree.items():
            if key != "_target_":
                yield from targets_at(value, f"{place}.{key}")
    elif isinstance(tree, list | tuple):
        for i, value in enumerate(tree):
            yield from targets_at(value, f"{place}.{i}")


def bound(tree: Any, own: str | None) -> Any:
    """The tree with every recipe (a mapping with `_target_`) as a callable that holds its arguments.

    Raises:
        InputError: as `resolve`, or a word of Hydra's own that means nothing here.
    """
    if isinstance(tree, Mapping):
        arguments = {k: bound(v, own) for k, v in tree.items() if k != "_target_"}
        if "_target_" not in tree:
            return arguments
        foreign = sorted(_FOREIGN_WORDS & set(arguments))
        if foreign:
            raise InputError(f"{foreign[0]}: has no meaning in {tree['_target_']!r}; name the arguments and remove it.")
        return partial(resolve(str(tree["_target_"]), own), **arguments)
    if isinstance(tree, list | tuple):
        return [bound(value, own) for value in tree]
    return tree


def call_recipe(recipe: Mapping[str, Any] | Callable[..., Any], own: str | None = None, /, **extra: Any) -> Any:
    """What a recipe makes; `extra` are arguments that only the caller knows. A bound recipe is called as it is.

    Raises:
        InputError: as `bound`.
    """
    return (bound(recipe, own) if isinstance(recipe, Mapping) else recipe)(**extra)


def own_folders(own: str | None) -> tuple[Path, ...]:
    """The folder of --config-dir and the `src` in it, unless that is a link to elsewhere."""
    if own is None:
        return ()
    folder = Path(own).resolve()
    src = folder / "src"
    return (folder, src) if src.is_dir() and src.resolve() == src else (folder,)


def _is_library(folder: Path) -> bool:
    """Whether a folder is Python's own, or one of installed packages."""
    paths = sysconfig.get_paths()
    return bool(_INSTALLED & {*folder.parts}) or any(
        folder.is_relative_to(Path(paths[name]).resolve()) for name in _LIBRARY
    )


def _files(parts: list[str], folder: Path) -> tuple[Path, Path]:
    """Where a module of that name lies in a folder: as a file, or as a package."""
    place = folder.joinpath(*parts)
    return place.with_name(f"{place.name}.py"), place / "__init__.py"


def _ours(name: str) -> ModuleType:
    if name in _aside:
        return _aside[name]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(f"_target_: {name} cannot be imported: {error}; pip install 'tunebook[train]'.") from error


def _users(place: Place, target: str) -> ModuleType:
    """A module of the user's: that file and no other of its name.

    Raises:
        InputError: it cannot be imported, or its name belongs to a module of another place.
    """
    while str(place.folder) in sys.path:
        sys.path.remove(str(place.folder))
    sys.path.insert(0, str(place.folder))
    if place.module not in sys.modules:
        importlib.invalidate_caches()  # the file may be younger than the last look into its folder
    try:
        module = importlib.import_module(place.module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it is the user's code: also a script that ends in sys.exit()
        said = one_line(f"{type(error).__name__}: {error}")[:_SAID]
        raise InputError(
            f"_target_: {target!r}: importing {place.module} from {place.folder} failed with {said}; correct it."
        ) from error
    if not _is_file_of(module, place.folder):
        other = getattr(module, "__file__", None) or "Python itself"
        raise InputError(
            f"_target_: {target!r}: the name {place.module} belongs to {other}; rename the one in {place.folder}."
        )
    return module


def _defined_well(found: Any, own: str | None, ours: bool) -> bool:
    """Whether the object was defined where an address may lead: ours by its module, the user's by its file."""
    module = str(getattr(found, "__module__", ""))
    loaded = _aside.get(module, sys.modules.get(module)) if ours else sys.modules.get(module)
    if loaded is None:
        return False
    if ours:
        exact = any(address == f"{module}.{getattr(found, '__qualname__', '')}" for address in EXACT.values())
        return exact or (module.startswith(OURS) and _is_file_of(loaded, ROOT))
    file = Path(getattr(loaded, "__file__", None) or os.devnull)
    return not is_our_file(file) and any(_is_file_of(loaded, folder) for folder in users_folders(own))


def _is_file_of(module: ModuleType, folder: Path) -> bool:
    """Whether a module is the file in the folder that its name says, links followed: a folder may hold a `.venv`."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() in _files(module.__name__.split("."), folder.resolve())
