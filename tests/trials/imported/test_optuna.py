"""What Optuna's storage says of how the points were chosen."""

from pathlib import Path
from typing import Any

import optuna
import pytest

from tasks.trials.imported.optuna import optuna_study

SAMPLERS: dict[str, Any] = {
    "tpe": optuna.samplers.TPESampler(seed=0, n_startup_trials=2),
    "nsga2": optuna.samplers.NSGAIISampler(seed=0),
    "grid": optuna.samplers.GridSampler({"x": [0, 1, 2]}),
    "unknown": optuna.samplers.RandomSampler(seed=0),
}


@pytest.mark.playbook("E6", case="shows")
@pytest.mark.parametrize("name", SAMPLERS)
def test_the_sampler_is_known_by_the_marks_that_it_leaves(name: str, tmp_path: Path) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    address = f"sqlite:///{tmp_path / 'study.db'}"
    study = optuna.create_study(storage=address, study_name="s", sampler=SAMPLERS[name])
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 3.0), n_trials=4)
    assert optuna_study(address, "s", None, None, None).sampler == name
