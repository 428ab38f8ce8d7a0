"""The installed program, and what a user's own code may import of it: `from tunebook import Infeasible, tune`.

Where tunebook is installed, this package is all that stands on Python's path: `flows` and `tasks` are names that a
user's own packages may have, so ours are bound to their folder only in the processes of our own (`bind`).
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("flows", "tasks")
PUBLIC = {
    "Infeasible": "tasks.trials.running",  # raised by a training function: this point cannot be trained
    "RunningTrial": "tasks.trials.running",  # what a training function gets
    "Data": "tasks.trials.supervised.batches",  # what a data recipe of `tasks.trials.supervised` returns
    "Labelled": "tasks.trials.supervised.batches",
    "InputError": "tasks.scope.error",  # what `tune` raises of bad input: one sentence
    "Record": "tasks.record",  # what `tune` returns
}
_HERE = Path(__file__).resolve().parent


def root() -> Path:
    """The folder that holds our `flows/`, `tasks/` and `conf/`: this package's own, or the checkout's root."""
    return _HERE if (_HERE / "flows").is_dir() else _HERE.parents[2]


def bind() -> None:
    """Make `flows` and `tasks` ours in this process, whatever else of these names stands on Python's path."""
    sys.path.insert(0, str(root()))
    try:
        for package in PACKAGES:
            importlib.import_module(package)  # its modules are found in its own folder from now on
    finally:
        sys.path.remove(str(root()))


def _tune(*overrides: str, config_dir: str | os.PathLike[str] | None = None, quiet: bool = False) -> Any:
    """Run one round to its verdict, in a notebook or a script, and return its `Record`.

    `overrides` are those of `tunebook round`, one text each: `tune("workload=digits", "goal=dropout")`; `config_dir` is
    the folder of your own YAML. It prints what the shell prints, nothing if `quiet`. What it writes lies in `./mlruns`.
    Interrupted, it is resumed by the same call. A script needs no `if __name__ == "__main__"` around it.

    Raises:
        InputError: with the one sentence to show; nothing has been computed by then.
    """
    with _ours_in_place():
        from flows.python import one_round

        return one_round(overrides, config_dir, quiet=quiet)


_tune.__name__ = _tune.__qualname__ = "tune"


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("tunebook")
    if name == "tune":
        return _tune
    if name in PUBLIC:
        return getattr(_ours(PUBLIC[name]), name)
    raise AttributeError(f"module 'tunebook' has no attribute {name!r}")


def _ours(name: str) -> ModuleType:
    """One of our modules: as it stepped aside in a trial, as it is in a process of ours, or imported by itself."""
    for kept in (f"tunebook.{name}", name):
        found = sys.modules.get(kept)
        if found is not None and _is_ours(found):
            return found
    with _ours_in_place():
        return importlib.import_module(name)


@contextmanager
def _ours_in_place() -> Iterator[None]:
    """In the block, `flows` and `tasks` are ours; after it, the user's again, and ours stand aside by another name."""
    if all(package in sys.modules and _is_ours(sys.modules[package]) for package in PACKAGES):
        yield  # a process of ours
        return
    theirs = _taken()
    aside = tuple(f"tunebook.{package}" for package in PACKAGES)
    sys.modules.update({n.removeprefix("tunebook."): m for n, m in sys.modules.items() if n.startswith(aside)})
    try:
        bind()
        yield
    finally:
        sys.modules.update({f"tunebook.{ours}": module for ours, module in _taken().items()} | theirs)


def _is_ours(module: ModuleType) -> bool:
    return Path(module.__file__ or "").resolve().is_relative_to(root())


def _taken() -> dict[str, ModuleType]:
    """The modules that have the names of our packages now, taken out of `sys.modules`."""
    names = [name for name in sys.modules if name.partition(".")[0] in PACKAGES]
    return {name: sys.modules.pop(name) for name in names}
