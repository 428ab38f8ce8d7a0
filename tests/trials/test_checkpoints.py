"""What was saved is what is loaded, to the bit, or it is not loaded at all."""

import json
from pathlib import Path

import pytest
import torch

from tasks.trials.checkpoints import MANIFEST, Checkpoints


def state(step: int) -> dict[str, object]:
    return {"weights": torch.full((50,), float(step)), "step": step}


@pytest.mark.playbook("J10", case="shows")
def test_the_last_two_and_the_best_are_kept(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path, "t", keep_best=2)
    for step, loss in ((1, 0.9), (2, 0.1), (3, 0.5), (4, 0.2), (5, 0.8), (6, 0.7)):
        kept.save(step, state(step), loss)
    assert kept.steps == (2, 4, 5, 6)
    assert sorted(p.name for p in tmp_path.glob("*.pt")) == [f"step_{s}.pt" for s in kept.steps]
    assert kept.best()[0] == 2
    step, loaded = Checkpoints(tmp_path, "t").last()
    assert (step, loaded["step"]) == (6, 6)
    assert torch.equal(loaded["weights"], torch.full((50,), 6.0))


def test_there_is_nothing_at_first(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, "t").last() == (0, None)
    assert Checkpoints(tmp_path, "t").best() == (0, None)


def test_any_flipped_bit_is_noticed_and_the_checkpoint_before_is_taken(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path, "t")
    kept.save(1, state(1), None)
    kept.save(2, state(2), None)
    path = tmp_path / "step_2.pt"
    whole = path.read_bytes()
    for i in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ (1 << (i % 8))]) + whole[i + 1 :])
        assert kept.last()[0] == 1
    path.write_bytes(whole[: len(whole) // 2])
    assert kept.last()[0] == 1
    path.write_bytes(whole)
    assert kept.last()[0] == 2


def test_a_checkpoint_of_another_trial_is_not_taken(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "other").save(1, state(1), 0.5)
    assert Checkpoints(tmp_path, "t").last() == (0, None)


def test_a_manifest_leads_nowhere_else(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "in", "t")
    kept.save(1, state(1), None)
    (tmp_path / "step_1.pt").write_bytes((tmp_path / "in" / "step_1.pt").read_bytes())
    manifest = tmp_path / "in" / MANIFEST
    tree = json.loads(manifest.read_text())
    tree["checkpoints"][0]["file"] = "../step_1.pt"
    manifest.write_text(json.dumps(tree))
    assert Checkpoints(tmp_path / "in", "t").last() == (0, None)
