"""`python -m flows.audit`: studies that Optuna, MLflow and tables hold get the questions and the report of a round."""

import math
import random
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd  # type: ignore[import-untyped]
import pytest

from flows.audit import main
from tasks.record import Finding, Record, digest
from tasks.tracking.loading import load_mlflow

STEPS = (1, 2, 4, 8, 16)


def loss(lr: float, at: float) -> float:
    """A bowl on the log scale, lowest at `at`."""
    return 0.2 + 0.1 * math.log10(lr / at) ** 2


def curve(final: float) -> dict[int, float]:
    """A descent that has come to rest at `final`."""
    return {step: final + 2.0 ** -(step + 1) for step in STEPS}


@pytest.fixture
def audited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Record]:
    """The record of an audit that ended well."""

    def one(*words: str) -> Record:
        capsys.readouterr()
        assert main([*words, f"tracking.root={tmp_path / 'root'}"]) == 0, capsys.readouterr().err
        (folder,) = (tmp_path / "root" / "audits").iterdir()
        record = Record.model_validate_json((folder / "record.json").read_text())
        assert (folder / "report.html").stat().st_size > 10_000
        assert digest(record) == record.digest
        assert str(folder / "report.html") in capsys.readouterr().out.replace("\n", "")
        folder.rename(tmp_path / record.round_id)
        return record

    return one


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


@pytest.mark.playbook("E2", "E1", case="shows")
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


@pytest.mark.parametrize(("at", "side"), [(1e-4, "low"), (1e-1, "high"), (3e-3, None)])
def test_a_table_says_where_its_best_lies(
    at: float, side: str | None, audited: Callable[..., Record], tmp_path: Path
) -> None:
    path = table(tmp_path / "trials.csv", at)
    record = audited(f"source={path}", "objective.metric=error", "objective.direction=minimize")
    sides = {f.where.side for f in (*of(record, "E2", "fail"), *of(record, "E3", "fail")) if f.where.parameter == "lr"}
    assert sides == ({side} if side else set())
    assert record.verdict.outcome == ("redesign" if side else "na")
    assert (f"lr: {side} 0." in record.next.why) == bool(side)  # what to change, in the table's own terms
    assert of(record, "B2", "na")  # nobody said what was asked
    assert of(record, "F8", "na")  # there are no curves to look at


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


def test_what_a_table_does_not_say_of_an_optimizer_is_not_checked_and_blocks_nothing(
    audited: Callable[..., Record], tmp_path: Path
) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, optimizer=["adam", "sgd"] * 20)
    record = audited(
        f"source={path}",
        "objective.metric=error",
        "objective.direction=minimize",
        "goal.scientific={optimizer: [sgd, adam]}",
    )
    assert not of(record, "A3")
    assert of(record, "A3", "na")


@pytest.mark.playbook("C7", case="shows")
def test_of_an_optimizer_that_nobody_compared_the_next_command_asks(
    audited: Callable[..., Record], tmp_path: Path
) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, optimizer=["adam", "sgd"] * 20)
    words = (f"source={path}", "objective.metric=error", "objective.direction=minimize")
    record = audited(*words)
    assert not of(record, "C7")
    ask = record.next.overrides[-1]
    assert ask == "goal.scientific={optimizer: [adam, sgd]}"
    again = audited(*words, ask)
    assert again.roles.scientific == ("optimizer",)
    assert len(again.studies) == 2


@pytest.mark.playbook("F11", "G7", case="fires")
@pytest.mark.parametrize(("worse", "conclusive"), [(0.5, True), (0.0, False)])
def test_a_clear_lead_of_one_value_is_an_answer_and_equal_values_are_none(
    worse: float, conclusive: bool, audited: Callable[..., Record], tmp_path: Path
) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, optimizer=["adam", "sgd"] * 20)
    frame = pd.read_csv(path)
    frame["error"] += worse * (frame["optimizer"] == "sgd")
    frame.to_csv(path, index=False)
    words = (f"source={path}", "objective.metric=error", "objective.direction=minimize")
    record = audited(*words, "goal.scientific={optimizer: [sgd, adam]}")
    assert record.answer.conclusive is conclusive
    assert record.verdict.outcome == "na"  # an audit promotes nothing


@pytest.mark.playbook("E8", "E10", case="silent")
def test_a_failure_of_which_no_reason_is_known_is_no_bug_where_a_range_explains_it(
    audited: Callable[..., Record], tmp_path: Path
) -> None:
    frame = pd.read_csv(table(tmp_path / "trials.csv", 1e-4))
    frame["status"] = np.where(frame["lr"] > 0.05, "failed", "complete")
    frame.to_csv(tmp_path / "trials.csv", index=False)
    words = ("objective.metric=error", "objective.direction=minimize")
    assert (frame["status"] == "failed").sum() >= 2
    assert not of(audited(f"source={tmp_path / 'trials.csv'}", *words), "E10")
    frame["reason"] = np.where(frame["status"] == "failed", "KeyError: 'x'", "")
    frame["lr"] = frame["lr"].sample(frac=1, random_state=1).to_numpy()  # wherever they lie, and always the same words
    frame.to_csv(tmp_path / "trials.csv", index=False)
    assert of(audited(f"source={tmp_path / 'trials.csv'}", *words), "E10", "fail")


@pytest.mark.playbook("E8", case="shows")
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


def test_a_status_that_means_nothing_here_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, status=["done"] * 40)
    assert main([f"source={path}", "objective.metric=error", "objective.direction=minimize"]) == 2
    assert "'done'; say complete, infeasible, failed" in capsys.readouterr().err


def test_scientific_values_are_studies_of_their_own(audited: Callable[..., Record], tmp_path: Path) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, optimizer=["adam", "sgd", "lion", "sgd"] * 10)
    record = audited(
        f"source={path}",
        "objective.metric=error",
        "objective.direction=minimize",
        "goal.scientific={optimizer: [sgd, adam]}",
        "goal.question='Is Adam better?'",
    )
    assert [(s.scientific["optimizer"], len(s.trials)) for s in record.studies] == [("sgd", 20), ("adam", 10)]
    assert record.goal.question == "Is Adam better?"
    assert "10 trials have no scientific value that is compared, and are left out." in record.caveats


BAD: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "source: missing"),
    "no file": (["source=HERE/none.csv"], "source: there is no file HERE/none.csv"),
    "no database": (["source=optuna:sqlite:///HERE/none.db"], "source: there is no file HERE/none.db"),
    "another database": (["source=optuna:sqlite:///HERE/other.db"], "source: sqlite:///HERE/other.db cannot be read"),
    "not MLflow's": (["source=mlflow:sqlite:///HERE/text.db"], "source: MLflow at sqlite:///HERE/text.db cannot be"),
    "nobody there": (["source=mlflow:http://127.0.0.1:9"], "source: MLflow at http://127.0.0.1:9 cannot be read"),
    "no table": (["source=HERE/trials.txt"], "source: trials.txt is none of .csv, .parquet"),
    "an empty file": (["source=HERE/empty.csv"], "source: empty.csv cannot be read as a table"),
    "no rows": (["source=HERE/head.csv"], "source: head.csv has no rows"),
    "semicolons": (["source=HERE/semicolons.csv"], "source: semicolons.csv has one column, 'lr;error'; separate its"),
    "no metric": (["source=HERE/trials.csv"], "objective.metric: trials.csv has 3 (lr, dropout, error); name one"),
    "another metric": (
        ["source=HERE/trials.csv", "objective.metric=loss"],
        "objective.metric: trials.csv has no",
    ),
    "a text": (
        ["source=HERE/words.csv", "objective.metric=error"],
        "objective.metric: 'low' in the column",
    ),
    "no direction": (["source=HERE/trials.csv", "objective.metric=error"], "objective.direction: missing"),
    "a strange key": (["source=HERE/trials.csv", "sauce=1"], "sauce: there is no such key"),
    "a strange parameter": (
        ["source=HERE/trials.csv", "objective.metric=error", "objective.direction=minimize", "space.x.low=1"],
        "space.x: no trial has such a parameter; they have lr, dropout",
    ),
    "a strange column": (
        ["source=HERE/trials.csv", "objective.metric=error", "objective.direction=minimize", "parameters=[x]"],
        "parameters: trials.csv has no column 'x'",
    ),
    "curves of others": (
        [
            *("source=HERE/trials.csv", "objective.metric=error", "objective.direction=minimize"),
            "curves=HERE/curves.csv",
        ],
        "curves: curves.csv has curves of a, … and the table has trials 0, …; give both a column trial",
    ),
    "a column twice": (["source=HERE/twice.csv"], "source: twice.csv has two columns 'lr'; give each a name"),
    "no list": (
        ["source=HERE/trials.csv", "parameters=lr"],
        "parameters: 'lr' will not do; write it like [learning_rate",
    ),
    "no values": (
        ["source=HERE/trials.csv", "objective.metric=error", "objective.direction=minimize", "goal.scientific={lr: 3}"],
        "goal.scientific.lr",
    ),
    "no mapping": (["source=HERE/trials.csv", "acknowledge=E2"], "acknowledge: 'E2' will not do; write it like {E2:"),
    "not tried": (
        [
            *("source=HERE/trials.csv", "objective.metric=error", "objective.direction=minimize"),
            *("goal.scientific={dropout: [0.0, 0.123]}", "space.dropout.values=[0.0, 0.123]"),
        ],
        "goal.scientific: no trial has dropout = 0; compare values that were tried",
    ),
    "nothing finite": (
        ["source=HERE/nan.csv", "objective.metric=error", "objective.direction=minimize"],
        "objective.metric: no trial of nan has a finite 'error'",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_audited_is_one_sentence(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(tmp_path / "trials.csv", 3e-3, count=4)
    (tmp_path / "trials.txt").write_text("lr error")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "head.csv").write_text("lr,error\n")
    (tmp_path / "semicolons.csv").write_text("lr;error\n0,1;0,5\n")
    (tmp_path / "words.csv").write_text("lr,error\n0.1,low\n")
    (tmp_path / "curves.csv").write_text("trial,step,error\na,1,0.5\n")
    (tmp_path / "twice.csv").write_text("lr,lr,error\n0.1,0.2,0.5\n")
    (tmp_path / "nan.csv").write_text("lr,error\n0.1,inf\n0.2,\n")
    (tmp_path / "text.db").write_text("no database at all, and long enough to be looked at" * 20)
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("create table studies (a int)")
    words, said = BAD[name]
    before = sorted(p.name for p in tmp_path.iterdir())
    assert main([*(w.replace("HERE", str(tmp_path)) for w in words), f"tracking.root={tmp_path / 'root'}"]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("error: " + said.replace("HERE", str(tmp_path))), line
    assert printed.out == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_an_optuna_study_without_one_objective_or_of_several_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    address = f"sqlite:///{tmp_path / 'study.db'}"
    for name in ("a", "b"):
        optuna.create_study(storage=address, study_name=name, directions=["minimize", "maximize"])
    assert main([f"source=optuna:{address}"]) == 2
    assert f"study: {address} has 2 (a, b); name one" in capsys.readouterr().err
    assert main([f"source=optuna:{address}", "study=a"]) == 2
    assert "study: a has 2 objectives; one can be audited" in capsys.readouterr().err
