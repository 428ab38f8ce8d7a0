"""How many trials of an imported study ran side by side, from their times."""

from pathlib import Path

import optuna
import pytest

from tasks.trials.imported.optuna import optuna_study
from tasks.trials.imported.study import ImportedStudy, ImportedTrial


def ran(*spans: tuple[float | None, float]) -> ImportedStudy:
    """A study whose trials started then and took so long."""
    trials = tuple(
        ImportedTrial(id=str(i), point={"x": i}, status="complete", started=started, seconds=seconds)
        for i, (started, seconds) in enumerate(spans)
    )
    return ImportedStudy(name="s", metric="m", direction="minimize", trials=trials)


@pytest.mark.playbook("D14", case="shows")
@pytest.mark.parametrize(
    ("spans", "at_once"),
    [
        ([(0.0, 10.0), (10.0, 10.0), (20.0, 5.0)], 1.0),  # one after the other
        ([(0.0, 10.0)] * 4, 4.0),
        ([(0.0, 10.0), (5.0, 10.0)], 20 / 15),
        ([(0.0, 10.0), (2.0, 4.0), (1e6, 10.0), (1e6, 10.0)], 34 / 20),  # and a night between
        ([(10.0, 10.0), (0.0, 10.0)], 1.0),  # in no order
    ],
)
def test_it_is_the_average_over_the_time_in_which_any_ran(spans: list[tuple[float, float]], at_once: float) -> None:
    assert ran(*spans).at_once == pytest.approx(at_once)


@pytest.mark.playbook("D14", case="shows")
def test_a_study_without_all_of_its_times_is_not_known() -> None:
    assert ran((None, 10.0), (0.0, 10.0)).at_once is None
    assert ran((0.0, 0.0)).at_once is None
    assert ran().at_once is None


def test_optunas_times_are_read(tmp_path: Path) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    address = f"sqlite:///{tmp_path / 'study.db'}"
    study = optuna.create_study(storage=address, sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 3.0), n_trials=3)
    assert optuna_study(address, None, None, None, None).at_once == pytest.approx(1.0)
    asked = [study.ask({"x": optuna.distributions.FloatDistribution(0.0, 3.0)}) for _ in range(60)]
    for trial in asked:
        study.tell(trial, trial.params["x"])
    assert float(optuna_study(address, None, None, None, None).at_once or 0.0) > 10
