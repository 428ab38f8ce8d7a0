"""MNIST-1D (Greydanus, 2020): ten digits as noisy signals of 40 values, generated here.

Small enough that a trial takes a second and hard enough that hyperparameters matter. The standard 4000 and 1000
examples; the validation set is the last quarter of the 4000, the 1000 stay sealed as the test set. Nothing is ever
downloaded.
"""

import contextlib
import functools
import hashlib
import os
import random
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.trials.supervised.batches import Data, Labelled

Arrays = Mapping[str, NDArray[np.generic]]

TRAIN = 3000
SHAPES = {"inputs": (5000, 40), "labels": (5000,)}  # 3000 train, 1000 valid, 1000 test, in this order


@functools.cache
def mnist1d() -> Data:
    """The split data, read once a process. Inputs: (examples, 40) float32, standardised over the whole set."""
    found = arrays()
    inputs, labels = torch.from_numpy(found["inputs"]), torch.from_numpy(found["labels"])
    train, valid, test = (
        Labelled(inputs=inputs[part], labels=labels[part])
        for part in (slice(0, TRAIN), slice(TRAIN, 4000), slice(4000, None))
    )
    return Data(train=train, valid=valid, test=test, classes=10)


load = mnist1d  # the address in configurations: tasks.trials.workloads.mnist1d.load


def arrays(folder: Path | None = None) -> Arrays:
    """`inputs`: (5000, 40) float32, `labels`: (5000,) int64, from the cache in `folder`; generated where it fails.

    A cache that cannot be written is no error: the data are generated again.
    """
    path = (folder or cache_folder()) / "mnist1d-v1.npz"
    cached = _read(path)
    if cached is not None:
        return cached
    generated = generate()
    with contextlib.suppress(OSError):
        _write(path, generated)
    return generated


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/tunebook`, or `~/.cache/tunebook`."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if os.path.isabs(named) else Path(os.path.expanduser("~")) / ".cache") / "tunebook"


def generate() -> Arrays:
    """The standard data set, made by its authors' package with their seed; global random states are put back."""
    from mnist1d.data import make_dataset  # type: ignore[import-untyped]

    with _random_states_kept():
        made = make_dataset()
    return {
        "inputs": np.concatenate([made["x"], made["x_test"]]).astype(np.float32),
        "labels": np.concatenate([made["y"], made["y_test"]]).astype(np.int64),
    }


@contextlib.contextmanager
def _random_states_kept() -> Iterator[None]:
    plain, legacy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(legacy)


def _checksum(found: Arrays) -> str:
    return hashlib.sha256(b"".join(found[name].tobytes() for name in SHAPES)).hexdigest()


def _read(path: Path) -> Arrays | None:
    """The cached arrays, or None where there are none or where a shape or the checksum is wrong."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            found = {name: archive[name] for name in SHAPES}
            checksum = str(archive["checksum"])
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile):
        return None
    sound = all(found[name].shape == shape for name, shape in SHAPES.items()) and checksum == _checksum(found)
    return found if sound else None


def _write(path: Path, generated: Arrays) -> None:
    """Written beside its place and renamed into it: of two processes that write at once, one wins, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, checksum=np.array(_checksum(generated)), **generated)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
