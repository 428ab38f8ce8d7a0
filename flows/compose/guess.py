"""What trials will want of a fork server, guessed from the command line before anything is imported to compose it.

A wrong guess costs a core two seconds, nothing else: see `tasks.trials.local.ahead`.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

CONF = Path(__file__).resolve().parents[2] / "conf"
DEFAULT = "mnist1d"
_NOT_RUN = re.compile(r"--help|-h|--cfg|-c|check=plan|runner=.*|runner\.(name|threads|environment)=.*")
_NAME = re.compile(r"[\w.-]+")
_FOLDER = re.compile(r"(?:--config-dir|-cd)=(.+)")
_TARGET = re.compile(r"^_target_:\s*[\"']?([\w.]+)", re.MULTILINE)
_TORCH = re.compile(rb"^\s*(import|from)\s+(torch|lightning|pytorch_lightning|transformers)\b", re.MULTILINE)


def wants_torch(arguments: Sequence[str]) -> str | None:
    """`supervised` for a workload on our own training loop, `own` for a user's file that imports torch, else None."""
    if any(_NOT_RUN.fullmatch(word) for word in arguments):
        return None
    own = _own_folder(arguments)
    try:
        address = _said(arguments, "workload._target_") or _target_of(_said(arguments, "workload") or DEFAULT, own)
        if address == "tasks.trials.supervised":
            return "supervised"
        module = Path(own or "", *address.split(".")[:-1]).with_suffix(".py")
        return "own" if own is not None and _TORCH.search(module.read_bytes()) else None
    except (OSError, ValueError):
        return None


def _said(arguments: Sequence[str], key: str) -> str | None:
    """The value of the override, where there is one."""
    return next((word.partition("=")[2] for word in arguments if word.startswith(f"{key}=")), None)


def _target_of(workload: str, own: str | None) -> str:
    """The `_target_` in the YAML of a workload; "" where there is none."""
    folders = [*([Path(own)] if own else []), CONF]
    files = [folder / "workload" / f"{workload}.yaml" for folder in folders] if _NAME.fullmatch(workload) else []
    texts = (path.read_text() for path in files if path.is_file())
    found = _TARGET.search(next(texts, ""))
    return found[1] if found else ""


def _own_folder(arguments: Sequence[str]) -> str | None:
    for word, after in pairwise([*arguments, ""]):
        if word in ("--config-dir", "-cd"):
            return after
        if found := _FOLDER.fullmatch(word):
            return found[1]
    return None
