"""Checkpoints that can be trusted: written atomically, with their sha256 in a manifest, checked before loading."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

KEEP_LAST = 2
MANIFEST = "manifest.json"


class Checkpoints:
    """The checkpoints of one trial in one folder: the last two and the N best by loss, lower is better.

    Playbook: J10
    """

    def __init__(self, folder: Path, trial: str, keep_best: int = 1) -> None:
        self._folder = folder
        self._trial = trial
        self._keep_best = keep_best
        folder.mkdir(parents=True, exist_ok=True)
        self._entries: list[dict[str, Any]] = self._read()

    def save(self, step: int, state: Any, loss: float | None) -> None:
        """Write the state of a step; when this returns it is on disk, and what is kept no longer has gone."""
        import torch

        name = f"step_{step}.pt"
        temporary = self._folder / f"{name}.tmp"
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        entry = {"trial": self._trial, "step": step, "loss": loss, "file": name, "sha256": _sha256(temporary)}
        os.replace(temporary, self._folder / name)
        kept = self._kept([*(e for e in self._entries if e["step"] != step), entry])
        self._write(kept)
        for gone in {e["file"] for e in self._entries} - {e["file"] for e in kept}:
            (self._folder / gone).unlink(missing_ok=True)
        self._entries = kept

    def last(self) -> tuple[int, Any]:
        """`(step, state)` of the latest sound checkpoint; `(0, None)` where there is none."""
        return self._first_sound(sorted(self._entries, key=lambda e: -e["step"]))

    def best(self) -> tuple[int, Any]:
        """`(step, state)` of the sound checkpoint with the lowest loss, the earliest of equals; `(0, None)`: none.

        Playbook: J10
        """
        scored = [e for e in self._entries if e["loss"] is not None]
        return self._first_sound(sorted(scored, key=lambda e: (e["loss"], e["step"])))

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that are kept, in order."""
        return tuple(sorted(e["step"] for e in self._entries))

    def _kept(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        by_step = sorted(entries, key=lambda e: e["step"])
        scored = sorted((e for e in entries if e["loss"] is not None), key=lambda e: (e["loss"], e["step"]))
        keep = {e["step"] for e in by_step[-KEEP_LAST:]} | {e["step"] for e in scored[: self._keep_best]}
        return [e for e in by_step if e["step"] in keep]

    def _first_sound(self, entries: list[dict[str, Any]]) -> tuple[int, Any]:
        """The first entry whose file is what was written: torch itself accepts most damaged files."""
        for entry in entries:
            path = self._folder / entry["file"]
            if path.is_file() and _sha256(path) == entry["sha256"]:
                import torch  # seconds, which a trial without checkpoints need not pay

                return entry["step"], torch.load(path, weights_only=True)
        return 0, None

    def _read(self) -> list[dict[str, Any]]:
        """The manifest's entries for this trial; a name in it never leads out of the folder."""
        path = self._folder / MANIFEST
        if not path.is_file():
            return []
        entries = json.loads(path.read_text())["checkpoints"]
        return [e for e in entries if e["trial"] == self._trial and e["file"] == f"step_{e['step']}.pt"]

    def _write(self, entries: list[dict[str, Any]]) -> None:
        write_atomically(self._folder / MANIFEST, json.dumps({"version": 1, "checkpoints": entries}))


def write_atomically(path: Path, text: str) -> None:
    """The file as a whole or not at all, on disk when this returns."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
