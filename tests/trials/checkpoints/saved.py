"""Checkpoints as a training loop saves them, and the damage that a test does to them."""

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from tasks.trials.checkpoints import checkpoints
from tasks.trials.checkpoints.checkpoints import MANIFEST, Checkpoints


def state(step: int) -> dict[str, Any]:
    """What a training loop saves."""
    return {"step": step, "model": OrderedDict(w=torch.full((3,), float(step))), "order": [1, 2.5, None, ("a", True)]}


def saved(folder: Path, *losses: float | None, **options: int) -> Checkpoints:
    """Checkpoints of steps 1, 2, 3, … with these losses."""
    kept = Checkpoints(folder, "t", **options)
    for step, loss in enumerate(losses, start=1):
        kept.save(step, state(step), loss)
    return kept


def flip(path: Path, byte: int, bit: int = 0) -> None:
    """One bit of a file, turned over."""
    data = bytearray(path.read_bytes())
    data[byte] ^= 1 << bit
    path.write_bytes(bytes(data))


def planted(folder: Path, file: str, data: bytes) -> None:
    """A checkpoint from elsewhere, with a manifest that fits it."""
    (folder / file).write_bytes(data)
    entry = {
        "trial": "t",
        "step": 1,
        "loss": 0.1,
        "file": file,
        "size": len(data),
        "sha256": checkpoints._sha256(folder / file),
    }
    write_manifest(folder, [entry])


def write_manifest(folder: Path, entries: list[dict[str, Any]]) -> None:
    """A manifest that fits its own seal, whatever it says."""
    manifest = {"version": checkpoints.VERSION, "checkpoints": entries, "sha256": checkpoints._seal(entries)}
    (folder / MANIFEST).write_text(json.dumps(manifest))


class Killed(BaseException):
    """The process ends here."""
