"""A save that is cut off anywhere: it counts as a whole or not at all, and what was kept before stays."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.trials.checkpoints.checkpoints import MANIFEST, Checkpoints
from tests.trials.checkpoints.saved import Killed, saved, state


def test_what_a_kill_left_beside_the_checkpoints_is_swept_by_the_next_save(tmp_path: Path) -> None:
    kept = saved(tmp_path, 0.5, 0.4)
    for name in ("step_7.pt", "step_3.pt.99.tmp", "manifest.json.99.tmp"):
        (tmp_path / name).write_bytes(b"half")
    kept.save(3, state(3), 0.3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [MANIFEST, "step_2.pt", "step_3.pt"]


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
