"""Checkpoints that were damaged, swapped or dated wrongly on disk: none is loaded that is not what was saved."""

import json
import os
import random
import shutil
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.scope.error import InputError
from tasks.trials.checkpoints import checkpoints
from tasks.trials.checkpoints.checkpoints import MANIFEST, Checkpoints
from tests.faults.conftest import Tally, Times

LAST = "step_3.pt"


def state(step: int) -> dict[str, Any]:
    """What a training loop saves: weights, an optimizer's moments, generators, a position."""
    generator = torch.Generator().manual_seed(step)
    weights = OrderedDict(w=torch.randn(40, 30, generator=generator), b=torch.full((30,), float(step)))
    moments = {"step": step, "exp_avg": torch.randn(1200, generator=generator)}
    return {"model": weights, "optimizer": moments, "rng": generator.get_state(), "order": [step, 0.1 * step, None]}


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """The checkpoints of steps 1 (the best), 2 and 3."""
    kept = Checkpoints(tmp_path / "sound", "t")
    for step, loss in ((1, 0.1), (2, 0.3), (3, 0.2)):
        kept.save(step, state(step), loss, {"bytes": 10 * step, "sha256": f"{step:064}"})
    return tmp_path / "sound"


def loaded(folder: Path, ask: Callable[[Checkpoints], tuple[int, Any]]) -> str:
    """What is loaded from there: the step, `nothing` or `refused`; anything but what was saved is `WRONG`."""
    try:
        step, found = ask(Checkpoints(folder, "t"))
    except InputError:
        return "refused"
    if found is None:
        return "nothing"
    return str(step) if _equal(found, state(step)) else "WRONG"


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(_equal(one[k], other[k]) for k in one)
    return bool(one == other)


def copied(sound: Path) -> Path:
    """A copy beside it, in place of the one before."""
    target = sound.with_name("damaged")
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(sound, target))


def flip(path: Path, byte: int, bit: int) -> None:
    """One bit of a file, turned over."""
    data = bytearray(path.read_bytes())
    data[byte] ^= 1 << bit
    path.write_bytes(bytes(data))


def test_a_flipped_bit_anywhere_in_a_checkpoint_is_found_and_the_one_before_is_loaded(
    sound: Path, times: Times, tally: Tally
) -> None:
    runs = times(40, 320)
    data = (sound / LAST).read_bytes()
    sections = [data.find(mark) for mark in (b"PK\x03\x04", b"data.pkl", b"PK\x01\x02", b"PK\x05\x06")]
    assert -1 not in sections
    assert sections == sorted(sections)  # so a spread over the file meets all of them
    wrong = []
    for run, byte in enumerate(np.linspace(0, len(data) - 1, runs).astype(int).tolist()):
        folder = copied(sound)
        flip(folder / LAST, byte, run % 8)
        wrong += [loaded(folder, Checkpoints.last)] if loaded(folder, Checkpoints.last) != "2" else []
    assert wrong == []
    tally("B8", "bit flips of a checkpoint", runs, len(wrong))


def test_a_flipped_bit_of_the_manifest_is_found_and_nothing_it_says_is_believed(
    sound: Path, times: Times, tally: Tally
) -> None:
    runs, chance, wrong = times(20, 80), random.Random(0), []
    size = (sound / MANIFEST).stat().st_size
    for byte in np.linspace(0, size - 1, runs).astype(int).tolist():
        folder = copied(sound)
        flip(folder / MANIFEST, byte, chance.randrange(8))
        found = {loaded(folder, Checkpoints.last), loaded(folder, Checkpoints.best)}
        wrong += [] if found <= {"nothing", "refused"} else [found]
    assert wrong == []
    tally("B8", "bit flips of a manifest of checkpoints", runs, len(wrong))


def test_without_the_hashes_flipped_bits_are_loaded(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpoints, "_is_sound", lambda *_: True)
    data, found = (sound / LAST).read_bytes(), []
    for run, byte in enumerate(np.linspace(0, len(data) - 1, 40).astype(int).tolist()):
        folder = copied(sound)
        flip(folder / LAST, byte, run % 8)
        try:
            found.append(loaded(folder, Checkpoints.last))
        except Exception:
            found.append("an exception")
    assert "WRONG" in found


def test_a_file_cut_at_any_length_is_found(sound: Path, times: Times, tally: Tally) -> None:
    runs, wrong = times(20, 100), []
    for name, before in ((LAST, "2"), (MANIFEST, "nothing")):
        data = (sound / name).read_bytes()
        for length in np.linspace(0, len(data) - 1, runs).astype(int).tolist():
            folder = copied(sound)
            (folder / name).write_bytes(data[:length])
            found = loaded(folder, Checkpoints.last)
            wrong += [] if found == before else [(name, length, found)]
    assert wrong == []
    tally("B7", "truncations of a checkpoint and of its manifest", 2 * runs, len(wrong))


def test_where_all_are_damaged_the_trial_starts_anew_and_saves_again(sound: Path) -> None:
    for path in sound.glob("*.pt"):
        path.write_bytes(path.read_bytes()[:-1])
    kept = Checkpoints(sound, "t")
    assert kept.last() == kept.best() == (0, None)
    kept.drop(1)
    kept.save(1, state(1), 0.1)
    assert loaded(sound, Checkpoints.last) == loaded(sound, Checkpoints.best) == "1"


def swapped_files(sound: Path, folder: Path) -> None:
    """Two steps in each other's place."""
    (folder / "step_2.pt").write_bytes((sound / LAST).read_bytes())
    (folder / LAST).write_bytes((sound / "step_2.pt").read_bytes())


def an_older_step(sound: Path, folder: Path) -> None:
    """The last step's file is an older one's."""
    (folder / LAST).write_bytes((sound / "step_1.pt").read_bytes())


def another_trials_file(sound: Path, folder: Path) -> None:
    """The last step's file is another trial's, of the same step."""
    other = Checkpoints(folder / "other", "u")
    other.save(3, state(4), 0.2)
    (folder / LAST).write_bytes((folder / "other" / LAST).read_bytes())


def another_trials_folder(sound: Path, folder: Path) -> None:
    """Everything is another trial's, manifest included."""
    other = Checkpoints(folder / "other", "u")
    for step in (1, 2, 3):
        other.save(step, state(step + 1), 0.2)
    for path in (folder / "other").iterdir():
        shutil.copy(path, folder / path.name)


def a_link(sound: Path, folder: Path) -> None:
    """The last step's file is a link to one that fits."""
    (folder / LAST).unlink()
    (folder / LAST).symlink_to(sound / LAST)


def a_gap(sound: Path, folder: Path) -> None:
    """The last step's file is gone."""
    (folder / LAST).unlink()


def a_folder(sound: Path, folder: Path) -> None:
    """The last step's file is a folder."""
    (folder / LAST).unlink()
    (folder / LAST).mkdir()


SWAPS: dict[Callable[[Path, Path], None], str] = {
    swapped_files: "1",
    an_older_step: "2",
    another_trials_file: "2",
    another_trials_folder: "nothing",
    a_link: "2",
    a_gap: "2",
    a_folder: "2",
}


def test_what_is_not_the_step_that_was_saved_is_refused(sound: Path, tally: Tally) -> None:
    wrong = []
    for swap, expected in SWAPS.items():
        folder = copied(sound)
        swap(sound, folder)
        found = loaded(folder, Checkpoints.last)
        wrong += [] if found == expected else [(swap.__name__, found)]
    assert wrong == []
    tally("B9", "checkpoints swapped with other steps' and trials'", len(SWAPS), len(wrong))


@pytest.mark.prose
def test_checkpoints_of_a_newer_version_are_refused_and_left_alone(sound: Path, tally: Tally) -> None:
    manifest = json.loads((sound / MANIFEST).read_text())
    (sound / MANIFEST).write_text(json.dumps(manifest | {"version": checkpoints.VERSION + 1}))
    before = {p.name: p.read_bytes() for p in sound.iterdir()}
    with pytest.raises(InputError, match=r"has version \d+ and this tunebook reads \d+; use the tunebook that wrote"):
        Checkpoints(sound, "t")
    changed = {p.name: p.read_bytes() for p in sound.iterdir()} != before
    tally("B10", "manifests of a newer version", 1, int(changed))


def test_the_times_of_files_decide_nothing(sound: Path, times: Times, tally: Tally) -> None:
    runs, chance, wrong = times(10, 100), random.Random(0), 0
    for _ in range(runs):
        for path in sound.iterdir():
            os.utime(path, (chance.uniform(0, 4e9), chance.uniform(0, 4e9)))
        wrong += (loaded(sound, Checkpoints.last), loaded(sound, Checkpoints.best)) != ("3", "1")
    kept = Checkpoints(sound, "t")
    kept.save(4, state(4), 0.4)
    assert kept.steps == (1, 3, 4)
    tally("B11", "folders whose times were shuffled", runs, wrong)
