"""The manifest of checkpoints: what it may name, and that nothing it names is run, followed or guessed."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.scope.error import InputError
from tasks.trials.checkpoints.checkpoints import MANIFEST, Checkpoints
from tests.trials.checkpoints.saved import planted, saved, write_manifest


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


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"version": 2}', '{"version": 2, "checkpoints": [{"step": 1}]}'])
def test_a_damaged_manifest_names_nothing(tmp_path: Path, broken: str) -> None:
    saved(tmp_path, 0.5)
    (tmp_path / MANIFEST).write_text(broken)
    assert Checkpoints(tmp_path, "t").last() == (0, None)


@pytest.mark.prose
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
