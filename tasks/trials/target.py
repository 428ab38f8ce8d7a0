"""Which callables a configuration may name: the project's own workloads and the user's own folder, nothing else.

Hydra's block list is no boundary (`_target_: torch.load` runs a payload). Here the name must begin in a place that
is allowed before anything is imported, and the object it resolves to must have been defined in such a place.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from tasks.scope.error import InputError

OURS = ("tasks.trials.workloads",)
EXACT = frozenset({"tasks.trials.supervised"})
_WAY_OUT = "name a function of your own folder (--config-dir), tasks.trials.supervised or tasks.trials.workloads.…"


def resolve(target: str, own: str | None) -> Callable[..., Any]:
    """The callable at a dotted address, if it may be called.

    Raises:
        InputError: a place that is not allowed, nothing there, or an alias of something from elsewhere.
    """
    if not _begins_well(target, own):
        raise InputError(f"_target_: {target!r} is not allowed in a configuration; {_WAY_OUT}.")
    module, names = _imported(target, own)
    found: Any = module
    for name in names:
        found = getattr(found, name, None)
    if not names or not callable(found):
        raise InputError(f"_target_: there is no callable at {target!r}; {_WAY_OUT}.")
    if not _defined_well(found, own):
        home = f"{getattr(found, '__module__', '?')}.{getattr(found, '__qualname__', '?')}"
        raise InputError(f"_target_: {target!r} is {home} by another name, which is not allowed; {_WAY_OUT}.")
    return found  # type: ignore[no-any-return]


def check_target(target: str, own: str | None) -> None:
    """Refuse a target that `resolve` refuses.

    Raises:
        InputError: as `resolve`.
    """
    resolve(target, own)


def targets_in(tree: object) -> Iterator[str]:
    """Every `_target_` in nested mappings and lists."""
    if isinstance(tree, Mapping):
        if "_target_" in tree:
            yield str(tree["_target_"])
        for value in tree.values():
            yield from targets_in(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from targets_in(value)


def bound(tree: Any, own: str | None) -> Any:
    """The tree with every recipe (a mapping with `_target_`) as a callable that holds its arguments."""
    if isinstance(tree, Mapping):
        arguments = {k: bound(v, own) for k, v in tree.items() if k != "_target_"}
        return partial(resolve(str(tree["_target_"]), own), **arguments) if "_target_" in tree else arguments
    if isinstance(tree, list | tuple):
        return [bound(value, own) for value in tree]
    return tree


def call_recipe(recipe: Mapping[str, Any] | Callable[..., Any], **extra: Any) -> Any:
    """What a recipe makes; `extra` are arguments that only the caller knows. A bound recipe is called as it is."""
    return (bound(recipe, None) if isinstance(recipe, Mapping) else recipe)(**extra)


def _begins_well(target: str, own: str | None) -> bool:
    """Whether the address begins where code may come from; asked before anything is imported."""
    if target in EXACT or any(target.startswith(f"{place}.") for place in OURS):
        return all(part.isidentifier() for part in target.split("."))
    first = target.split(".")[0]
    if own is None or not all(part.isidentifier() for part in target.split(".")):
        return False
    folder = Path(own)
    return (folder / f"{first}.py").is_file() or (folder / first).is_dir()


def _imported(target: str, own: str | None) -> tuple[ModuleType, list[str]]:
    """The module with the longest name that can be imported, and the names that are left."""
    if own is not None and own not in sys.path:
        sys.path.insert(0, own)
    parts = target.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:cut])
        try:
            return importlib.import_module(name), parts[cut:]
        except ModuleNotFoundError as error:
            if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
                raise InputError(f"_target_: {target!r} cannot be imported: {error}; install what it needs.") from error
    raise InputError(f"_target_: nothing can be imported from {target!r}; {_WAY_OUT}.")


def _defined_well(found: Any, own: str | None) -> bool:
    """Whether the object was defined where its address says: ours by name, the user's by the file it lies in."""
    module = str(getattr(found, "__module__", ""))
    if f"{module}.{getattr(found, '__qualname__', '')}" in EXACT:
        return True
    if any(module == place or module.startswith(f"{place}.") for place in OURS):
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    return own is not None and file is not None and Path(file).resolve().is_relative_to(Path(own).resolve())
