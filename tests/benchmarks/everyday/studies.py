"""Writes, in the folder in which it runs, three studies to be audited: a table with curves, Optuna's, MLflow's."""

import math
import random

import optuna
from mlflow import MlflowClient

draw = random.Random(0)
ROWS = [(10 ** draw.uniform(-4, -1), draw.uniform(0, 0.5), draw.choice(["sgd", "adam"])) for _ in range(30)]


def curve(rate: float) -> dict[int, float]:
    """A descent to the value of a learning rate, in a bowl on the log scale."""
    return {step: 0.2 + 0.1 * math.log10(rate / 3e-3) ** 2 + 2.0 ** -(step + 1) for step in (1, 2, 4, 8, 16)}


def table() -> None:
    """`trials.csv` and `curves.csv`; the first trial is infeasible, and each has its seconds."""
    with open("trials.csv", "w") as trials, open("curves.csv", "w") as curves:
        print("trial,lr,dropout,optimizer,status,reason,seconds", file=trials)
        print("trial,step,error,train_loss", file=curves)
        for i, (rate, dropout, optimizer) in enumerate(ROWS):
            came = "complete," if i else "infeasible,loss is nan"
            print(f"run {i},{rate},{dropout},{optimizer},{came},{i / 7}", file=trials)
            for step, value in curve(rate).items():
                print(f"run {i},{step},{value},{0.9 * value}", file=curves)


def objective(trial: optuna.Trial) -> float:
    """A trial of Optuna's: every tenth is pruned, and high learning rates fail."""
    rate = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    if trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd":
        trial.suggest_float("momentum", 0.5, 0.99)
    if trial.number % 10 == 9:
        raise optuna.TrialPruned
    if rate > 0.05:
        raise ValueError("it diverged")
    for step, value in curve(rate).items():
        trial.report(value, step)
    return curve(rate)[16]


def sweep() -> None:
    """`sweep.db`: an experiment of MLflow's; the first run's metric is no number, and the second run failed."""
    client = MlflowClient(tracking_uri="sqlite:///sweep.db")
    experiment = client.create_experiment("sweep", artifact_location="file:///nowhere")
    for i, (rate, dropout, _) in enumerate(ROWS[:12]):
        run = client.create_run(experiment).info.run_id
        for name, number in {"lr": rate, "dropout": dropout, "batch": 128}.items():
            client.log_param(run, name, number)
        for step, value in curve(rate).items():
            client.log_metric(run, "error", value if i else math.nan, step=step)
        client.set_terminated(run, "FAILED" if i == 1 else "FINISHED")


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = optuna.create_study(storage="sqlite:///study.db", study_name="mlp", direction="minimize", sampler=sampler)
    study.optimize(objective, n_trials=30, catch=(ValueError,))
    table()
    sweep()
