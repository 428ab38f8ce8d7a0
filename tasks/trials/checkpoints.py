"""Checkpoints that can be trusted: written atomically, with their sha256 in a manifest, checked before loading."""

import hashlib
import json
import math
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tasks.scope.error import InputError

KEEP_LAST = 2
MANIFEST = "manifest.json"
VERSION = 1


class Checkpoints:
    """The checkpoints of one trial in one folder: the last two and the N best by loss, lower is better.

    Only what the manifest names is ever read, and only where its sha256 fits: torch itself opens nearly every file
    in which a bit has flipped.

    Raises:
        InputError: the manifest was written by a newer version.

    Playbook: J10, J12
    """

    def __init__(self, folder: Path, trial: str, keep_best: int = 1, keep_last: int = KEEP_LAST) -> None:
        self._folder, self._trial = folder, trial
        self._keep_best, self._keep_last = keep_best, keep_last
        self._entries: list[dict[str, Any]] = self._read()

    def save(self, step: int, state: Any, loss: float | None, curve: Mapping[str, Any] | None = None) -> None:
        """Write the state of a step; when this returns it is on disk, and what is kept no longer has gone.

        `loss` is the objective as a loss, None (or not a number) where it was not evaluated at this step. `curve` is
        the seal of what was reported so far (`ReportLog.seal`): a state goes on with its own curve or not at all.

        Raises:
            TypeError: something in the state is neither a tensor nor a plain value, and could not be loaded again.
        """
        import torch

        refuse_objects(state)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / _name(step)
        temporary = path.with_name(f"{path.name}.tmp")
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        entry = {
            "trial": self._trial,
            "step": step,
            "loss": loss if loss is not None and math.isfinite(loss) else None,
            "file": path.name,
            "size": temporary.stat().st_size,
            "sha256": _sha256(temporary),
            "curve": None if curve is None else dict(curve),
        }
        os.replace(temporary, path)
        self._keep(self._kept([*(e for e in self._entries if e["step"] != step), entry]))

    def drop(self, step: int) -> None:
        """Forget what was saved at `step` and after: another attempt begins there."""
        kept = [e for e in self._entries if e["step"] < step]
        if len(kept) < len(self._entries):
            self._keep(kept)

    def load(self, step: int) -> Any:
        """The state of that step and no other.

        Raises:
            LookupError: it was not kept, or is damaged.
        """
        for entry in self._entries:
            if entry["step"] == step and self._is_sound(entry):
                return self._state(entry)
        kept = ", ".join(map(str, self.steps)) or "none"
        raise LookupError(f"trial {self._trial} has no sound checkpoint of step {step}; kept: {kept}")

    def last(self) -> tuple[int, Any]:
        """`(step, state)` of the latest sound checkpoint; `(0, None)` where there is none."""
        return self.latest(lambda _: True)[:2]

    def latest(self, fits: Callable[[Mapping[str, Any] | None], bool]) -> tuple[int, Any, Mapping[str, Any] | None]:
        """`(step, state, curve)` of the latest sound checkpoint whose curve fits; `(0, None, None)`: there is none."""
        entries = [e for e in self._entries if fits(e["curve"])]
        entry = self._first_sound(sorted(entries, key=lambda e: -e["step"]))
        return (0, None, None) if entry is None else (entry["step"], self._state(entry), entry["curve"])

    def best(self) -> tuple[int, Any]:
        """`(step, state)` of the sound checkpoint with the lowest loss, the earliest of equals; `(0, None)`: none.

        Playbook: J10
        """
        entry = self._first_sound(_by_loss(self._entries))
        return (0, None) if entry is None else (entry["step"], self._state(entry))

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that are kept, in order."""
        return tuple(sorted(e["step"] for e in self._entries))

    def _kept(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        by_step = sorted(entries, key=lambda e: e["step"])
        latest = by_step[len(by_step) - min(self._keep_last, len(by_step)) :]
        keep = {e["step"] for e in [*latest, *_by_loss(entries)[: self._keep_best]]}
        return [e for e in by_step if e["step"] in keep]

    def _keep(self, kept: list[dict[str, Any]]) -> None:
        """Let the manifest name these alone, and only then remove the others' files."""
        write_atomically(self._folder / MANIFEST, json.dumps({"version": VERSION, "checkpoints": kept}))
        for gone in {e["file"] for e in self._entries} - {e["file"] for e in kept}:
            (self._folder / gone).unlink(missing_ok=True)
        self._entries = kept

    def _first_sound(self, entries: list[dict[str, Any]]) -> dict[str, Any] | None:
        for entry in entries:
            if self._is_sound(entry):
                return entry
            print(f"checkpoint {entry['file']} is damaged or gone; looking for another", file=sys.stderr)
        return None

    def _is_sound(self, entry: Mapping[str, Any]) -> bool:
        """Whether the file is what was written, and a file of this folder rather than a link."""
        path = self._folder / entry["file"]
        if path.is_symlink() or not path.is_file():
            return False
        return bool(path.stat().st_size == entry["size"] and _sha256(path) == entry["sha256"])

    def _state(self, entry: Mapping[str, Any]) -> Any:
        """The state, its tensors on the CPU: the device it was saved from may not be here."""
        import torch  # seconds, which a trial without checkpoints need not pay

        return torch.load(self._folder / entry["file"], map_location="cpu", weights_only=True)

    def _read(self) -> list[dict[str, Any]]:
        """The manifest's entries for this trial; a name in it never leads out of the folder."""
        path = self._folder / MANIFEST
        try:
            manifest = json.loads(path.read_bytes())
            version, entries = manifest["version"], [e for e in manifest["checkpoints"] if _is_entry(e)]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError):
            print(f"{path} is damaged; starting without checkpoints", file=sys.stderr)
            return []
        if version != VERSION:
            raise InputError(
                f"{path} has version {version} and this tunebook reads {VERSION}; use the tunebook that wrote it."
            )
        return [e | {"curve": e.get("curve")} for e in entries if e["trial"] == self._trial]


def refuse_objects(state: Any, where: str = "state") -> None:
    """Accept tensors and plain values in dicts, lists and tuples, which is what can be loaded without running code.

    Raises:
        TypeError: where it holds anything else, and what.
    """
    import torch

    if isinstance(state, torch.Tensor) or type(state) in (type(None), bool, int, float, complex, str, bytes):
        return
    if type(state) in (dict, OrderedDict):
        for key, value in state.items():
            refuse_objects(key, f"a key of {where}")
            refuse_objects(value, f"{where}[{key!r}]")
    elif type(state) in (list, tuple, set, torch.Size):
        for i, value in enumerate(state):
            refuse_objects(value, f"{where}[{i}]")
    elif type(state) not in (torch.dtype, torch.device):
        kind = f"{type(state).__module__}.{type(state).__qualname__}"
        raise TypeError(
            f"save: {where} is a {kind}; a checkpoint holds tensors and plain values alone (torch.from_numpy(a) for an "
            "array, x.item() for its scalars, .state_dict() for a module)"
        )


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


def _name(step: int) -> str:
    return f"step_{step}.pt"


def _by_loss(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The evaluated entries, best first; of equals the earliest."""
    return sorted((e for e in entries if e["loss"] is not None), key=lambda e: (e["loss"], e["step"]))


def _is_entry(entry: Any) -> bool:
    """Whether a manifest's entry has everything, and the one file name that its step may have."""
    kinds = {"trial": str, "step": int, "loss": float | int | None, "file": str, "size": int, "sha256": str}
    whole = isinstance(entry, dict) and all(isinstance(entry.get(k), kind) for k, kind in kinds.items())
    return whole and entry["file"] == _name(entry["step"]) and _is_seal(entry.get("curve"))


def _is_seal(curve: Any) -> bool:
    """Whether this is None or the seal of a curve."""
    if curve is None:
        return True
    kinds = {"bytes": int, "sha256": str}
    return isinstance(curve, dict) and all(isinstance(curve.get(k), kind) for k, kind in kinds.items())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
