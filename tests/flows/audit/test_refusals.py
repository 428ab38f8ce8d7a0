"""What cannot be audited is refused in one sentence, and nothing is left behind."""

import sqlite3
from pathlib import Path

import optuna
import pytest

from flows.audit import main
from tasks.scope.error import InputError
from tasks.trials.imported.mlflow import runs_study
from tests.flows.audit.studies import table


@pytest.mark.prose
def test_a_status_that_means_nothing_here_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, status=["done"] * 40)
    assert main([f"source={path}", "objective.metric=error", "objective.direction=minimize"]) == 2
    assert "'done'; say complete, infeasible, failed" in capsys.readouterr().err


WORDS = ("objective.metric=error", "objective.direction=minimize")
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
        "source: none of the 2 trials of nan has a finite 'error' (2 infeasible), so there is nothing to judge",
    ),
    "all failed": (
        ["source=HERE/failed.csv", "objective.metric=error", "objective.direction=minimize"],
        "source: all 2 trials of failed failed, so there is nothing to judge",
    ),
    "all failed, with parts of curves": (
        [
            *("source=HERE/failed.csv", "objective.metric=error", "objective.direction=minimize"),
            "curves=HERE/parts.csv",
        ],
        "source: all 2 trials of failed failed, so there is nothing to judge",
    ),
    "a metric that no trial has": (
        [
            *("source=HERE/bare.csv", "objective.metric=error", "objective.direction=minimize"),
            *("curves=HERE/parts.csv", "parameters=[lr]"),
        ],
        "objective.metric: no trial of bare has 'error'; name one of loss",
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.prose
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
    (tmp_path / "failed.csv").write_text("trial,lr,error,status\na,0.1,,failed\nb,0.2,,failed\n")
    (tmp_path / "bare.csv").write_text("trial,lr,error\na,0.1,\nb,0.2,\n")
    (tmp_path / "parts.csv").write_text("trial,step,loss\na,1,0.5\nb,1,0.7\n")
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


@pytest.mark.prose
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


@pytest.mark.parametrize("fails_first", [False, True], ids=["after its parameters", "before any parameter"])
@pytest.mark.prose
def test_an_optuna_study_of_which_every_trial_failed_says_so(
    fails_first: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    address = f"sqlite:///{tmp_path / 'study.db'}"

    def objective(trial: optuna.Trial) -> float:
        if not fails_first:
            trial.suggest_float("lr", 1e-4, 1e-1)
        raise RuntimeError("broken")

    optuna.create_study(storage=address, study_name="s").optimize(objective, n_trials=3, catch=(RuntimeError,))
    assert main([f"source=optuna:{address}"]) == 2
    assert "source: all 3 trials of s failed, so there is nothing to judge" in capsys.readouterr().err


@pytest.mark.prose
def test_an_mlflow_experiment_of_which_every_run_failed_says_so() -> None:
    run = {"id": "r", "status": "FAILED", "metrics": {}, "parameters": {}, "seconds": 1.0, "started": None}
    with pytest.raises(InputError, match="all 2 trials of e failed, so there is nothing to judge"):
        runs_study("e", [run, run | {"id": "q"}], lambda run, metric: {}, "error", "minimize", None)


@pytest.mark.playbook("E1", case="fires")
@pytest.mark.parametrize("said", ["{E2: ' '}", "{E2: ''}", "{E2: true}", "{e2: known}", "{Z9: known}"])
def test_what_is_not_in_writing_or_names_no_row_is_no_acknowledgement(
    said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path / "trials.csv", 3e-3)
    assert main([f"source={path}", *WORDS, f"acknowledge={said}", f"tracking.root={tmp_path / 'root'}"]) == 2
    assert capsys.readouterr().err.startswith("error: acknowledge")
