"""Which callables a configuration's `_target_` may name, and resolving them.

Hydra's block list is no boundary (`_target_: torch.load` runs a payload). Here an address must lead to a file of an
allowed place before anything is imported, and the object that it resolves to must have been defined in such a file:
what a module of the user's merely imports (`mine.os.system`) is refused.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from tasks.scope.error import InputError

ROOT = Path(__file__).resolve().parents[2]
OURS = "tasks.trials.workloads."
EXACT = frozenset({"tasks.trials.supervised", "tasks.trials.command"})  # a function of each package, by its own name
_FOREIGN_WORDS = frozenset({"_partial_", "_args_", "_convert_", "_recursive_"})
_WAY_OUT = (
    "name a function of your own folder (--config-dir), tasks.trials.supervised, tasks.trials.command or "
    "tasks.trials.workloads.…"
)
_folders: set[Path] = set()  # the users' folders from which modules have been imported in this process


def resolve(target: str, own: str | None) -> Callable[..., Any]:
    """The callable at a dotted address, if it may be called. `own` is the user's folder; nothing of it is imported
    unless the address leads into it.

    Raises:
        InputError: a place that is not allowed, nothing there, or an alias of something from elsewhere.
    """
    name, names = _place(target, own)
    found: Any = _ours(name) if target in EXACT or target.startswith(OURS) else _users(name, str(own), target)
    for part in names:
        found = getattr(found, part, None)
    if not callable(found) or isinstance(found, ModuleType):
        raise InputError(f"_target_: there is no callable at {target!r} ({name} has none); {_WAY_OUT}.")
    if not _defined_well(found, own):
        home = f"{getattr(found, '__module__', None) or '?'}.{getattr(found, '__qualname__', type(found).__qualname__)}"
        raise InputError(f"_target_: {target!r} is {home} by another name, which is not allowed; {_WAY_OUT}.")
    return found  # type: ignore[no-any-return]


def check_target(target: str, own: str | None) -> None:
    """Refuse a target that `resolve` refuses.

    Raises:
        InputError: as `resolve`.
    """
    resolve(target, own)


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


def _place(target: str, own: str | None) -> tuple[str, list[str]]:
    """`(module, names in it)` of an address, by looking for files alone: nothing has been imported yet."""
    parts = target.split(".")
    if all(p.isidentifier() for p in parts):
        if target in EXACT:
            return target, parts[-1:]
        users = own is not None and parts[0] != "tasks"
        folder = Path(str(own)) if users else ROOT
        for cut in range(len(parts) - 1, 0, -1) if users or target.startswith(OURS) else ():
            for file in (f for f in _files(parts[:cut], folder) if f.is_file()):
                if file.resolve() not in _files(parts[:cut], folder.resolve()):
                    raise InputError(f"_target_: {target!r}: {file} is a link to elsewhere; put the file itself there.")
                return ".".join(parts[:cut]), parts[cut:]
    raise InputError(f"_target_: {target!r} is not allowed in a configuration; {_WAY_OUT}.")


def _files(parts: list[str], folder: Path) -> tuple[Path, Path]:
    """Where a module of that name lies in a folder: as a file, or as a package."""
    place = folder.joinpath(*parts)
    return place.with_name(f"{place.name}.py"), place / "__init__.py"


def _ours(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(f"_target_: {name} cannot be imported: {error}; pip install 'tunebook[train]'.") from error


def _users(name: str, own: str, target: str) -> ModuleType:
    """A module of the user's folder: that file and no other of its name.

    Raises:
        InputError: it cannot be imported, or its name belongs to a module of another place.
    """
    folder = Path(own).resolve()
    _forget_others(name.split(".")[0], folder)
    while str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))
    if name not in sys.modules:
        importlib.invalidate_caches()  # the file may be younger than the last look into its folder
    try:
        module = importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it is the user's code: also a script that ends in sys.exit()
        said = f"{type(error).__name__}: {error}"
        raise InputError(
            f"_target_: {target!r}: importing {name} from {own} failed with {said}; correct it."
        ) from error
    if not _is_file_of(module, folder):
        other = getattr(module, "__file__", None) or "Python itself"
        raise InputError(f"_target_: {target!r}: the name {name} belongs to {other}; rename the one in {own}.")
    _folders.add(folder)
    return module


def _forget_others(first: str, folder: Path) -> None:
    """Drop modules of this name that another user's folder brought: they are not what this address means."""
    others = _folders - {folder}
    names = [n for n in sys.modules if n == first or n.startswith(f"{first}.")]
    if any(_is_file_of(sys.modules[n], other) for n in names for other in others):
        for n in names:
            del sys.modules[n]


def _defined_well(found: Any, own: str | None) -> bool:
    """Whether the object was defined where an address may lead: ours by its exact name, the user's by its file."""
    module = str(getattr(found, "__module__", ""))
    if module in EXACT and getattr(found, "__qualname__", "") == module.rpartition(".")[2]:
        return True
    loaded = sys.modules.get(module)
    if loaded is None:
        return False
    if module.startswith(OURS):
        return _is_file_of(loaded, ROOT)
    return own is not None and not module.startswith("tasks.") and _is_file_of(loaded, Path(own).resolve())


def _is_file_of(module: ModuleType, folder: Path) -> bool:
    """Whether a module is the file in the folder that its name says, links followed: a folder may hold a `.venv`."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() in _files(module.__name__.split("."), folder)
