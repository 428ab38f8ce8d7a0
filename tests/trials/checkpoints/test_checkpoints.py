"""Checkpoints: whole or not there, kept by age and by loss, and never loaded where a single bit is wrong."""

import json
import os
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.files import write_atomically
from tasks.scope.error import InputError
from tasks.trials.checkpoints import checkpoints
from tasks.trials.checkpoints.checkpoints import MANIFEST, Checkpoints
from tasks.trials.checkpoints.loadable import refuse_objects


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


@pytest.mark.playbook("J12", case="shows")
def test_what_was_saved_is_what_is_loaded_by_another_process_of_the_same_trial(tmp_path: Path) -> None:
    saved(tmp_path, 0.5, 0.4)
    step, found = Checkpoints(tmp_path, "t").last()
    assert step == found["step"] == 2
    assert torch.equal(found["model"]["w"], torch.full((3,), 2.0))
    assert found["order"] == [1, 2.5, None, ("a", True)]


@pytest.mark.playbook("J10", case="shows")
def test_the_last_two_and_the_best_are_kept_and_the_files_of_the_others_go(tmp_path: Path) -> None:
    kept = saved(tmp_path, 0.5, 0.1, 0.3, 0.1, 0.4, None, keep_best=1)
    assert kept.steps == (2, 5, 6)  # of the two best, the earlier
    assert kept.best()[0] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [MANIFEST, "step_2.pt", "step_5.pt", "step_6.pt"]
    assert kept.load(5)["step"] == 5
    with pytest.raises(LookupError, match=r"no sound checkpoint of step 3; kept: 2, 5, 6"):
        kept.load(3)


@given(st.lists(st.one_of(st.none(), st.sampled_from([0.1, 0.2, 0.3])), min_size=1, max_size=8), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_the_best_of_all_that_was_saved_is_always_among_those_kept(losses: list[float | None], keep_best: int) -> None:
    kept = Checkpoints(Path("unused"), "t", keep_best)
    entries: list[dict[str, Any]] = []
    for step, loss in enumerate(losses):
        entries = kept._kept([*entries, {"step": step, "loss": loss}])
    scored = sorted((loss, step) for step, loss in enumerate(losses) if loss is not None)
    wanted = {step for _, step in scored[:keep_best]} | set(range(len(losses))[-2:])
    assert {e["step"] for e in entries} == wanted


def test_a_loss_that_is_not_a_number_is_never_the_best(tmp_path: Path) -> None:
    kept = saved(tmp_path, 0.5, float("nan"), float("-inf"), 0.6)
    assert kept.best()[0] == 1
    assert "NaN" not in (tmp_path / MANIFEST).read_text()


def test_without_checkpoints_there_is_nothing_to_go_on_from_and_no_folder_is_made(tmp_path: Path) -> None:
    none = Checkpoints(tmp_path / "none", "t")
    assert none.last() == none.best() == (0, None)
    assert not (tmp_path / "none").exists()


def test_when_every_checkpoint_is_damaged_the_trial_starts_anew(tmp_path: Path) -> None:
    saved(tmp_path, 0.5, 0.4)
    for path in tmp_path.glob("*.pt"):
        flip(path, 7)
    assert Checkpoints(tmp_path, "t").last() == (0, None)


def test_another_trials_checkpoints_are_not_this_ones(tmp_path: Path) -> None:
    saved(tmp_path, 0.5)
    assert Checkpoints(tmp_path, "t").last()[0] == 1
    assert Checkpoints(tmp_path, "u").last() == (0, None)


def test_a_manifest_whose_losses_changed_does_not_make_another_checkpoint_the_best(tmp_path: Path) -> None:
    kept = saved(tmp_path, 0.5, 0.4)
    text = (tmp_path / MANIFEST).read_text()
    assert Checkpoints(tmp_path, "t").best()[0] == 2
    (tmp_path / MANIFEST).write_text(text.replace('"loss": 0.5', '"loss": 0.1'))
    assert Checkpoints(tmp_path, "t").best() == (0, None)
    write_manifest(tmp_path, [e | {"loss": 0.1 / e["step"]} for e in kept._entries])
    assert Checkpoints(tmp_path, "t").best()[0] == 2


def test_what_a_kill_left_beside_the_checkpoints_is_swept_by_the_next_save(tmp_path: Path) -> None:
    kept = saved(tmp_path, 0.5, 0.4)
    for name in ("step_7.pt", "step_3.pt.99.tmp", "manifest.json.99.tmp"):
        (tmp_path / name).write_bytes(b"half")
    kept.save(3, state(3), 0.3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [MANIFEST, "step_2.pt", "step_3.pt"]


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"version": 2}', '{"version": 2, "checkpoints": [{"step": 1}]}'])
def test_a_damaged_manifest_names_nothing(tmp_path: Path, broken: str) -> None:
    saved(tmp_path, 0.5)
    (tmp_path / MANIFEST).write_text(broken)
    assert Checkpoints(tmp_path, "t").last() == (0, None)


def test_a_manifest_of_another_version_is_refused_rather_than_guessed(tmp_path: Path) -> None:
    saved(tmp_path, 0.5)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps({**manifest, "version": 3}))
    with pytest.raises(InputError, match="has version 3 and this tunebook reads 2"):
        Checkpoints(tmp_path, "t")


class Payload:
    """Runs a command where it is unpickled in the ordinary way."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.canary),)


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


def test_a_payload_with_a_fitting_manifest_is_not_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    torch.save({"model": Payload(canary)}, tmp_path / "made.pt")
    for data in (pickle.dumps(Payload(canary), protocol=2), (tmp_path / "made.pt").read_bytes()):
        planted(tmp_path, "step_1.pt", data)
        assert Checkpoints(tmp_path, "t").last() == (0, None)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["../outside.pt", "/etc/passwd", "step_2.pt", "./step_1.pt"])
def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    saved(inside, 0.5)
    manifest = json.loads((inside / MANIFEST).read_text())
    (tmp_path / "outside.pt").write_bytes((inside / "step_1.pt").read_bytes())
    manifest["checkpoints"][0]["file"] = name
    write_manifest(inside, manifest["checkpoints"])
    assert Checkpoints(inside, "t").steps == ()


def test_a_link_in_a_checkpoints_place_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    saved(inside, 0.5)
    (inside / "step_1.pt").rename(tmp_path / "outside.pt")
    (inside / "step_1.pt").symlink_to(tmp_path / "outside.pt")
    assert Checkpoints(inside, "t").last() == (0, None)


@pytest.mark.parametrize(
    ("made", "where"),
    [
        ({"a": [1, np.zeros(2)]}, r"state\['a'\]\[1\] is a numpy.ndarray"),
        ({"a": np.float64(1)}, r"state\['a'\] is a numpy.float64"),
        ({"a": torch.nn.Linear(1, 1)}, r"state\['a'\] is a torch.nn.modules.linear.Linear"),
        (defaultdict(int), "state is a collections.defaultdict"),
        ({np.int64(1): 1}, "a key of state is a numpy.int64"),
    ],
)
def test_what_could_not_be_loaded_again_is_refused_when_it_is_saved(made: Any, where: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=where):
        saved(tmp_path).save(1, made, 0.5)
    assert list(tmp_path.iterdir()) == []


def test_whatever_may_be_saved_can_be_loaded_again(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(4, 2)).sum().backward()
    optimizer.step()
    everything = {
        **{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()},
        **{"parameter": torch.nn.Parameter(torch.ones(1)), "size": torch.Size([2]), "kind": torch.float32},
        **{"set": {1, 2}, "bytes": b"x", "complex": 1j, "device": torch.device("cpu"), "none": None},
    }
    refuse_objects(everything)
    Checkpoints(tmp_path, "t").save(1, everything, None)
    found = Checkpoints(tmp_path, "t").load(1)
    assert found.keys() == everything.keys()
    assert torch.equal(found["optimizer"]["state"][0]["exp_avg"], optimizer.state_dict()["state"][0]["exp_avg"])


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.parametrize("event", range(6))
def test_a_process_killed_anywhere_in_a_save_leaves_a_checkpoint_that_can_be_gone_on_with(
    event: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, 0.5, 0.4)
    events = 0

    def killing(call: Any) -> Any:
        def counted(*args: Any, **options: Any) -> Any:
            nonlocal events
            events += 1
            if events == event + 1:
                raise Killed
            return call(*args, **options)

        return counted

    with monkeypatch.context() as patch:
        for name in ("fsync", "replace"):
            patch.setattr(os, name, killing(getattr(os, name)))
        patch.setattr(Path, "unlink", killing(Path.unlink))
        with pytest.raises(Killed):
            Checkpoints(tmp_path, "t").save(3, state(3), 0.3)
    step, found = Checkpoints(tmp_path, "t").last()
    assert step == found["step"]
    assert step == (2 if event < 4 else 3)  # the manifest's rename is the moment at which it counts


def test_a_step_that_is_saved_again_is_not_lost_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, 0.5, 0.4)

    def cut(made: Any, file: Any) -> None:
        file.write(b"PK")
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", cut)
        with pytest.raises(Killed):
            Checkpoints(tmp_path, "t").save(2, state(2), 0.4)
    assert Checkpoints(tmp_path, "t").last()[0] == 2
    Checkpoints(tmp_path, "t").save(2, state(7), 0.4)
    assert Checkpoints(tmp_path, "t").last()[1]["step"] == 7


def test_a_full_disk_loses_the_checkpoint_that_was_being_written_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = saved(tmp_path, 0.5, 0.4)

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            kept.save(3, state(3), 0.1)
    assert kept.last()[0] == Checkpoints(tmp_path, "t").last()[0] == 2
    kept.save(4, state(4), 0.2)
    assert Checkpoints(tmp_path, "t").last()[0] == 4


def test_a_text_is_written_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, "old")

    def cut(*args: Any) -> None:
        raise Killed

    monkeypatch.setattr(os, "replace", cut)
    with pytest.raises(Killed):
        write_atomically(path, "new")
    assert path.read_text() == "old"
