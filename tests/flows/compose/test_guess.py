"""What the fork server that starts ahead imports, by the command line alone."""

from pathlib import Path

import pytest

from flows.compose.guess import wants_torch


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", "supervised"),
        ("workload=digits goal=dropout", "supervised"),
        ("workload=synthetic", None),
        ("workload=nothing", None),
        ("workload=../digits", None),
        ("workload=digits workload._target_=tasks.trials.command", None),
        ("workload=digits --help", None),
        ("workload=digits --cfg job", None),
        ("workload=digits check=plan", None),
        ("workload=digits runner=other", None),
        ("workload=digits runner.threads=2", None),
        ("workload=digits runner.workers=2", "supervised"),
        ("goal=dropout orchestrate=off seed=3", "supervised"),
    ],
)
def test_a_shipped_workload_is_guessed_by_its_yaml(words: str, wanted: str | None) -> None:
    assert wants_torch(words.split()) == wanted


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("import torch\n", "own"),
        ("from torch import nn\n", "own"),
        ("def train(trial):\n    import torch\n", "own"),
        ("import lightning as L\n", "own"),
        ("import numpy  # not torch\n", None),
        ("import torchlike\n", None),
    ],
)
def test_a_users_workload_is_guessed_by_the_file_that_it_names(code: str, wanted: str | None, tmp_path: Path) -> None:
    (tmp_path / "workload").mkdir()
    (tmp_path / "workload" / "my.yaml").write_text("# mine\n_target_: mine.train\nlayers: 2\n")
    (tmp_path / "mine.py").write_text(code)
    for option in (["--config-dir", str(tmp_path)], [f"--config-dir={tmp_path}"], ["-cd", str(tmp_path)]):
        assert wants_torch([*option, "workload=my"]) == wanted
    assert wants_torch(["--config-dir", str(tmp_path), "workload=digits"]) == "supervised"
    assert wants_torch(["workload=my"]) is None
    (tmp_path / "mine.py").unlink()
    assert wants_torch(["--config-dir", str(tmp_path), "workload=my"]) is None
