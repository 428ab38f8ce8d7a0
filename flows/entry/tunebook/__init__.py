"""The installed program. `import tunebook` costs nothing and binds nothing: a user's own code may do so in a trial.

Where tunebook is installed, this package is all that stands on Python's path: `flows` and `tasks` are names that a
user's own packages may have, so ours are bound to their folder only in the processes of our own (`bind`).
"""

import importlib
import sys
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("flows", "tasks")
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


def __getattr__(name: str) -> str:
    if name == "__version__":
        return version("tunebook")
    raise AttributeError(f"module 'tunebook' has no attribute {name!r}")
