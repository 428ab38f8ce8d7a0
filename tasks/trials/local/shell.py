"""Where our own packages lie, and PYTHONPATH as trials get it: what a fork server needs before anything is imported."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def shell_path() -> list[str]:
    """The entries of PYTHONPATH as Python reads them, absolute: a trial runs in another folder."""
    given = os.environ.get("PYTHONPATH", "")
    entries = [os.path.abspath(entry) for entry in given.split(os.pathsep)] if given else []
    return [entry for entry in dict.fromkeys(entries) if Path(entry).resolve() != ROOT]
