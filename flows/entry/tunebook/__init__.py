"""The installed program, and what a user's own code may import of it: `from tunebook import Infeasible`.

Where tunebook is installed, this package is all that stands on Python's path: `flows` and `tasks` are names that a
user's own packages may have, so ours are bound to their folder only in the processes of our own (`bind`).
"""

import importlib
import sys
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


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("tunebook")
    if name in PUBLIC:
        return getattr(_ours(PUBLIC[name]), name)
    raise AttributeError(f"module 'tunebook' has no attribute {name!r}")


def _ours(name: str) -> ModuleType:
    """One of our modules: as it stepped aside in a trial, as it is in a process of ours, or imported by itself."""
    for kept in (f"tunebook.{name}", name):
        found = sys.modules.get(kept)
        if found is not None and Path(found.__file__ or "").resolve().is_relative_to(root()):
            return found
    theirs = _taken()
    aside = tuple(f"tunebook.{package}" for package in PACKAGES)
    sys.modules.update({n.removeprefix("tunebook."): m for n, m in sys.modules.items() if n.startswith(aside)})
    try:
        bind()
        importlib.import_module(name)
    finally:
        sys.modules.update({f"tunebook.{ours}": module for ours, module in _taken().items()} | theirs)
    return sys.modules[f"tunebook.{name}"]


def _taken() -> dict[str, ModuleType]:
    """The modules that have the names of our packages now, taken out of `sys.modules`."""
    names = [name for name in sys.modules if name.partition(".")[0] in PACKAGES]
    return {name: sys.modules.pop(name) for name in names}
