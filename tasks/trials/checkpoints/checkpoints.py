"""Saving and loading checkpoints: atomic writes, a sha256 for each in a manifest, checked before loading."""

import hashlib
import json
import math
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tasks.files import replaced, write_atomically
from tasks.scope.error import InputError
from tasks.trials.checkpoints.loadable import refuse_objects

KEEP_LAST = 2
MANIFEST = "manifest.json"
VERSION = 2
MANIFEST_BYTES = 2**20  # ours have 300 for each checkpoint that is kept


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
            OSError: the disk is full, or refuses for another reason; what was saved before is untouched.
        """
        import torch

        refuse_objects(state)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / _name(step)
        with replaced(path) as file:
            try:
                torch.save(state, file)
            except RuntimeError as error:  # torch says in words of its own that the file took no more
                raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None
        entry = {
            "trial": self._trial,
            "step": step,
            "loss": loss if loss is not None and math.isfinite(loss) else None,
            "file": path.name,
            "size": path.stat().st_size,
            "sha256": _sha256(path),
            "curve": None if curve is None else dict(curve),
        }
        try:
            self._keep(self._kept([*(e for e in self._entries if e["step"] != step), entry]))
        except OSError:  # no room for the manifest: make some
            path.unlink(missing_ok=True)
            raise

    def judge(self, step: int, loss: float) -> None:
        """The loss of what was saved at that step before it was evaluated; what has one keeps it.

        Playbook: J10
        """
        unjudged = any(e["step"] == step and e["loss"] is None for e in self._entries)
        if unjudged and math.isfinite(loss):
            self._keep(self._kept([e | {"loss": loss} if e["step"] == step else e for e in self._entries]))

    def drop(self, step: int) -> None:
        """Forget what was saved at `step` and after: another attempt begins there."""
        kept = [e for e in self._entries if e["step"] < step]
        if len(kept) < len(self._entries):
            self._keep(kept)
        else:
            self._sweep()  # what a kill left between the manifest and the removal of what it no longer names

    def load(self, step: int) -> Any:
        """The state of that step and no other.

        Raises:
            LookupError: it was not kept, or is damaged.
        """
        found = self._first_sound([e for e in self._entries if e["step"] == step])
        if found is not None:
            return found[1]
        kept = ", ".join(map(str, self.steps)) or "none"
        raise LookupError(f"trial {self._trial} has no sound checkpoint of step {step}; kept: {kept}")

    def last(self) -> tuple[int, Any]:
        """`(step, state)` of the latest sound checkpoint; `(0, None)` where there is none."""
        return self.latest(lambda _: True)[:2]

    def latest(self, fits: Callable[[Mapping[str, Any] | None], bool]) -> tuple[int, Any, Mapping[str, Any] | None]:
        """`(step, state, curve)` of the latest sound checkpoint whose curve fits; `(0, None, None)`: there is none."""
        entries = [e for e in self._entries if fits(e["curve"])]
        found = self._first_sound(sorted(entries, key=lambda e: -e["step"]))
        return (0, None, None) if found is None else (found[0]["step"], found[1], found[0]["curve"])

    def best(self) -> tuple[int, Any]:
        """`(step, state)` of the sound checkpoint with the lowest loss, the earliest of equals; `(0, None)`: none.

        Playbook: J10
        """
        found = self._first_sound(_by_loss(self._entries))
        return (0, None) if found is None else (found[0]["step"], found[1])

    def best_file(self) -> tuple[int, float | None, Path] | None:
        """`(step, loss, path)` of what `best` would load, else of the latest that is sound; None: there is none.

        Nothing is loaded, so torch is not needed.

        Playbook: J10
        """
        latest = sorted(self._entries, key=lambda e: -e["step"])
        sound = next((e for e in (*_by_loss(self._entries), *latest) if self._is_sound(e)), None)
        return None if sound is None else (sound["step"], sound["loss"], self._folder / sound["file"])

    def loss(self, step: int) -> float | None:
        """The loss with which that step was saved; None where there was none."""
        return next((e["loss"] for e in self._entries if e["step"] == step), None)

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that are kept, in order."""
        return tuple(sorted(e["step"] for e in self._entries))

    @property
    def files(self) -> tuple[Path, ...]:
        """The manifest and the files that it names, be they still there or not; nothing where nothing is kept."""
        names = [MANIFEST, *(e["file"] for e in self._entries)] if self._entries else []
        return tuple(self._folder / name for name in names)

    def _kept(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        by_step = sorted(entries, key=lambda e: e["step"])
        latest = by_step[len(by_step) - min(self._keep_last, len(by_step)) :]
        keep = {e["step"] for e in [*latest, *_by_loss(entries)[: self._keep_best]]}
        return [e for e in by_step if e["step"] in keep]

    def _keep(self, kept: list[dict[str, Any]]) -> None:
        """Let the manifest name these alone, and only then remove all others, also what a kill or a full disk left."""
        manifest = {"version": VERSION, "checkpoints": kept, "sha256": _seal(kept)}
        write_atomically(self._folder / MANIFEST, json.dumps(manifest))
        self._entries = kept
        self._sweep()

    def _sweep(self) -> None:
        named = {e["file"] for e in self._entries}
        for path in (*self._folder.glob("*.pt"), *self._folder.glob("*.tmp")):
            if path.name not in named:
                path.unlink(missing_ok=True)

    def _first_sound(self, entries: list[dict[str, Any]]) -> tuple[dict[str, Any], Any] | None:
        """The first of the entries that is what was written, and its state."""
        for entry in entries:
            try:
                if self._is_sound(entry):
                    return entry, self._state(entry)
            except (OSError, RuntimeError, ValueError, LookupError, EOFError, pickle.UnpicklingError) as error:
                if "allocate memory" in str(error):
                    raise  # it is sound, and this machine is too small
            print(f"checkpoint {entry['file']} is damaged or gone; looking for another", file=sys.stderr)
        return None

    def _is_sound(self, entry: Mapping[str, Any]) -> bool:
        """Whether the file is what was written, and a file of this folder alone rather than a link."""
        path = self._folder / entry["file"]
        if path.is_symlink() or not path.is_file() or path.stat().st_nlink > 1:
            return False
        return bool(path.stat().st_size == entry["size"] and _sha256(path) == entry["sha256"] and _is_unpacked(path))

    def _state(self, entry: Mapping[str, Any]) -> Any:
        """The state, its tensors on the CPU: the device it was saved from may not be here."""
        import torch  # seconds, which a trial without checkpoints need not pay

        return torch.load(self._folder / entry["file"], map_location="cpu", weights_only=True)

    def _read(self) -> list[dict[str, Any]]:
        """The manifest's entries for this trial; a name in it never leads out of the folder."""
        path = self._folder / MANIFEST
        try:
            if path.is_symlink() or path.stat().st_size > MANIFEST_BYTES:
                raise ValueError("no manifest of ours")
            manifest = json.loads(path.read_bytes())
            version, entries, seal = manifest["version"], manifest["checkpoints"], manifest.get("sha256")
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            version, entries, seal = VERSION, [], ""
        if version != VERSION:
            raise InputError(
                f"{path} has version {version} and this tunebook reads {VERSION}; use the tunebook that wrote it."
            )
        if seal != _seal(entries):
            print(f"{path} is damaged; starting without checkpoints", file=sys.stderr)
            return []
        return [e | {"curve": e.get("curve")} for e in entries if _is_entry(e) and e["trial"] == self._trial]


def _name(step: int) -> str:
    return f"step_{step}.pt"


def _by_loss(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The evaluated entries, best first; of equals the earliest."""
    return sorted((e for e in entries if e["loss"] is not None), key=lambda e: (e["loss"], e["step"]))


def _seal(entries: Any) -> str:
    """What the manifest says of itself: a flipped bit must not make another checkpoint the best."""
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()


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


def _is_unpacked(path: Path) -> bool:
    """Whether it is an archive as torch writes it, its records as they are: a packed one could fill the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        return False
    stored = all(record.compress_type == zipfile.ZIP_STORED for record in records)
    return stored and sum(record.file_size for record in records) <= path.stat().st_size


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
