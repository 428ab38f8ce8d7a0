"""What is checked before the first trial costs no more than it must."""

from pathlib import Path

import pytest

from flows.compose.compose import from_overrides
from flows.session.plan import Imported, checked
from tests.flows.own_round import write_folder


def test_rounds_of_one_program_import_its_code_once_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("flows.session.plan.check_imports", lambda targets, execution: asked.append(targets))
    own = str(write_folder(tmp_path / "own"))
    said = ["workload=own", "space=own", "goal=own", f"tracking.root={tmp_path / 'store'}"]
    imported: Imported = set()
    for seed in range(3):
        checked(from_overrides([*said, f"seed={seed}"], own), imported)
    assert asked == [(("workload", "own.train"),)]
    checked(from_overrides([*said, "runner.environment=[DATA_DIR]"], own), imported)
    checked(from_overrides(said, own))  # another command looks again: the code may have changed
    assert len(asked) == 3
