"""What Optuna, MLflow and tables hold is read whole and gets the questions and the report of a round."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pandas as pd  # type: ignore[import-untyped]
import pytest

from tasks.record import Record
from tests.flows.audit.studies import STEPS, curve, logged_to_mlflow, loss, made_by_optuna, of, table


@pytest.mark.playbook("E2", "E1", case="shows")
@pytest.mark.prose
def test_a_study_of_optunas_is_judged_like_a_round(audited: Callable[..., Record], tmp_path: Path) -> None:
    source = made_by_optuna(tmp_path / "study.db")
    before = (tmp_path / "study.db").read_bytes()
    record = audited(f"source={source}")
    assert (tmp_path / "study.db").read_bytes() == before
    assert (record.objective.metric, record.objective.direction) == ("value", "minimize")
    assert len(record.trials) == 99
    assert record.caveats[0] == "11 pruned trials are left out: they did not run to their end."
    assert {t.status for t in record.trials} == {"complete", "failed"}
    assert record.studies[0].space["lr"] == {"low": 1e-4, "high": 0.1, "scale": "log", "type": "float"}
    assert record.studies[0].space["momentum"]["when"] == {"optimizer": ["sgd"]}
    (edge,) = of(record, "E2", "fail")
    assert (edge.where.parameter, edge.where.side) == ("lr", "low")
    assert record.verdict.outcome == "redesign"
    assert max(t.steps_done for t in record.trials) == STEPS[-1]


@pytest.mark.prose
def test_an_experiment_of_a_plain_script_is_judged_by_its_curves(
    audited: Callable[..., Record], tmp_path: Path
) -> None:
    source = logged_to_mlflow(tmp_path / "mlflow.db")
    record = audited(
        f"source={source}",
        "objective.metric=valid_error",
        "objective.direction=minimize",
        "goal.scientific={lr: range}",
    )
    assert len(record.trials) == 30  # and not their parent
    assert [t.status for t in record.trials].count("failed") == 1
    assert [t.status for t in record.trials].count("infeasible") == 1
    assert record.roles.scientific == ("lr",)
    assert record.roles.fixed["batch"].value == 128
    assert record.roles.fixed["nesterov"].value is True
    assert "The space of lr is guessed from its trials" in " ".join(record.caveats)
    assert of(record, "E2") == []
    assert record.verdict.outcome == "na"
    assert of(record, "F6", "ok", "warn", "fail") != []  # the training loss was there to be looked at


def test_a_table_in_parquet_with_curves_and_words_of_its_own_is_read_whole(
    audited: Callable[..., Record], tmp_path: Path
) -> None:
    frame = pd.read_csv(table(tmp_path / "trials.csv", 3e-3, count=20)).drop(columns="error")
    frame["trial"] = [f"run {i}" for i in range(20)]
    frame["status"] = ["infeasible"] + ["complete"] * 19
    frame["reason"] = ["loss is nan"] + [""] * 19
    frame.to_parquet(tmp_path / "trials.parquet")
    rows = [
        {"trial": name, "step": step, "error": value, "train_loss": value}
        for name, lr in zip(frame["trial"], frame["lr"], strict=True)
        for step, value in curve(loss(lr, 3e-3)).items()
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "curves.csv", index=False)
    record = audited(
        f"source={tmp_path / 'trials.parquet'}",
        f"curves={tmp_path / 'curves.csv'}",
        "objective.metric=error",
        "objective.direction=minimize",
        "parameters=[lr]",
        "space.lr.low=1e-6",
        "space.lr.high=1",
        "acknowledge={E7: known}",
    )
    assert record.trials[0].id == "run 0"
    assert (record.trials[0].status, record.trials[0].reason) == ("infeasible", "loss is nan")
    assert record.studies[0].space == {"lr": {"low": 1e-6, "high": 1.0, "scale": "log", "type": "float"}}
    assert all(t.steps_done == STEPS[-1] for t in record.trials)


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.prose
def test_what_is_not_a_number_is_infeasible_in_every_source(audited: Callable[..., Record], tmp_path: Path) -> None:
    frame = pd.read_csv(table(tmp_path / "trials.csv", 3e-3))
    frame.loc[3, "error"] = np.nan
    frame.to_csv(tmp_path / "trials.csv", index=False)
    words = ("objective.metric=error", "objective.direction=minimize")
    assert audited(f"source={tmp_path / 'trials.csv'}", *words).trials[3].status == "infeasible"
    storage = f"sqlite:///{tmp_path / 'nan.db'}"
    study = optuna.create_study(storage=storage)

    def objective(trial: optuna.Trial) -> float:
        lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        for step in range(1, 7):
            trial.report(math.nan if trial.number == 3 and step == 6 else loss(lr, 1e-3) / step, step)
        return math.nan if trial.number == 3 else loss(lr, 1e-3) / 6

    study.optimize(objective, n_trials=12)
    found = audited(f"source=optuna:{storage}").trials[3]
    assert (found.status, found.reason) == ("infeasible", "the objective is nan at step 6")


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize("end", ["inf", "-inf", "nan"])
def test_a_curve_that_leaves_the_numbers_half_way_is_infeasible_though_it_began_well(
    audited: Callable[..., Record], tmp_path: Path, end: str
) -> None:
    source = table(tmp_path / "trials.csv", 3e-3, count=20)
    frame = pd.read_csv(source)
    frame["trial"] = [f"run {i}" for i in range(20)]
    frame.to_csv(source, index=False)
    rows = [
        {"trial": name, "step": step, "error": value, "train_loss": value}
        for name, lr in zip(frame["trial"], frame["lr"], strict=True)
        for step, value in curve(loss(lr, 3e-3)).items()
    ]
    told = pd.DataFrame(rows)
    told.loc[(told["trial"] == "run 3") & (told["step"] > STEPS[2]), ["error", "train_loss"]] = float(end)
    told.loc[(told["trial"] == "run 4") & (told["step"] == STEPS[2]), "error"] = math.nan  # was not evaluated there
    told.to_csv(tmp_path / "curves.csv", index=False)
    words = ("objective.metric=error", "objective.direction=minimize", "acknowledge={E7: known}")
    record = audited(f"source={source}", f"curves={tmp_path / 'curves.csv'}", *words)
    assert [t.id for t in record.trials if t.status == "infeasible"] == ["run 3"]
    assert record.trials[3].best_value is None
    assert end in record.trials[3].reason
