"""Studies that ran elsewhere: a table, a database of Optuna's, an experiment of MLflow's."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pandas as pd  # type: ignore[import-untyped]

from tasks.record import Finding, Record
from tasks.tracking.loading import load_mlflow

STEPS = (1, 2, 4, 8, 16)


def loss(lr: float, at: float) -> float:
    """A bowl on the log scale, lowest at `at`."""
    return 0.2 + 0.1 * math.log10(lr / at) ** 2


def curve(final: float) -> dict[int, float]:
    """A descent that has come to rest at `final`."""
    return {step: final + 2.0 ** -(step + 1) for step in STEPS}


def of(record: Record, row: str, *levels: str) -> list[Finding]:
    """The findings of a row, at some levels."""
    return [f for f in record.findings if f.row == row and f.level in (levels or ("fail", "warn"))]


def table(path: Path, at: float, count: int = 40, **more: Sequence[Any]) -> Path:
    """A table of random learning rates between 1e-4 and 1e-1, and a dropout that does nothing."""
    draw = random.Random(0)
    rates = [10 ** draw.uniform(-4, -1) for _ in range(count)]
    columns = {"lr": rates, "dropout": [draw.uniform(0, 0.5) for _ in rates]}
    pd.DataFrame({**columns, "error": [loss(lr, at) for lr in rates], **more}).to_csv(path, index=False)
    return path


def made_by_optuna(path: Path, trials: int = 110) -> str:
    """A study with a conditional parameter, failures at high learning rates and pruned trials; its best is at 1e-4."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    address = f"sqlite:///{path}"
    study = optuna.create_study(
        storage=address, study_name="mlp", direction="minimize", sampler=optuna.samplers.RandomSampler(seed=1)
    )

    def objective(trial: optuna.Trial) -> float:
        lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        trial.suggest_int("width", 16, 256, log=True)
        if trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd":
            trial.suggest_float("momentum", 0.5, 0.99)
        if trial.number % 10 == 9:
            raise optuna.TrialPruned
        if lr > 0.05:
            raise ValueError("it diverged")
        for step, value in curve(loss(lr, 1e-4)).items():
            trial.report(value, step)
        return curve(loss(lr, 1e-4))[STEPS[-1]]

    study.optimize(objective, n_trials=trials, catch=(ValueError,))
    return f"optuna:{address}"


def logged_to_mlflow(path: Path) -> str:
    """An experiment as a plain script leaves it: a parent run, nested ones with parameters and curves, one failed."""
    load_mlflow()
    from mlflow import MlflowClient

    client, draw = MlflowClient(tracking_uri=f"sqlite:///{path}"), random.Random(0)
    experiment = client.create_experiment("sweep")
    parent = client.create_run(experiment)
    for i in range(30):
        run = client.create_run(experiment).info.run_id
        lr = 10 ** draw.uniform(-4, -1)
        for name, value in {"lr": lr, "batch": 128, "nesterov": True}.items():
            client.log_param(run, name, value)
        for step, value in curve(loss(lr, 3e-3)).items():
            client.log_metric(run, "valid_error", value if i else math.nan, step=step)
            client.log_metric(run, "train_loss", value, step=step)
        client.set_terminated(run, "FAILED" if i == 1 else "FINISHED")
    client.set_terminated(parent.info.run_id)
    return f"mlflow:sqlite:///{path}"
