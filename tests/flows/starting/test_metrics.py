"""How a script reports is read of its calls: the names that it logs, by which way, and what stands in the way."""

from pathlib import Path

import pytest

from flows.starting.script.metrics import Reporting, reporting_of
from flows.starting.script.source import read_script


def reporting(folder: Path, *lines: str, head: str = "import mlflow") -> Reporting:
    """How a script of these lines reports."""
    path = folder / "train.py"
    path.write_text("\n".join([head, *lines]))
    return reporting_of(read_script(path))


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("mlflow.log_metric('a', 1, step=2)", ["a"]),
        ("mlflow.log_metric(key='a', value=1, step=2)", ["a"]),
        ("client.log_metric(run.info.run_id, 'a', 1, step=2)", ["a"]),
        ("mlflow.log_metrics({'a': 1, 'b': 2}, step=2)", ["a", "b"]),
        ("mlflow.log_metrics(dict(a=1, b=2), step=2)", ["a", "b"]),
        ("m = {'a': 1}\nm['b'] = 2\nmlflow.log_metrics(m, step=2)", ["a", "b"]),
        ("NAME = 'a'\nmlflow.log_metric(NAME, 1, step=2)", ["a"]),
        ("mlflow.log_metric(f'{split}_loss', 1, step=2)", []),
        ("mlflow.log_metrics(metrics, step=2)", []),
        ("mlflow.log_metric('a', 1, step=2)\nmlflow.log_metric('a', 1, step=3)", ["a"]),
        ("mlflow.log_metric('${a}', 1, step=2)", []),
    ],
)
def test_the_names_that_are_logged_to_mlflow(line: str, names: list[str], tmp_path: Path) -> None:
    found = reporting(tmp_path, line)
    assert (found.way, [*found.metrics]) == ("mlflow", names)


@pytest.mark.parametrize(
    "line",
    [
        "f.write(json.dumps({'step': i, 'a': 1, 'b': 2}))",
        "f.write(json.dumps(dict(step=i, a=1, b=2)))",
        "row = {'step': i, 'a': 1}\nrow['b'] = 2",
    ],
)
def test_the_names_that_are_written_beside_the_step(line: str, tmp_path: Path) -> None:
    found = reporting(tmp_path, "f = open(os.environ['TUNEBOOK_METRICS'], 'a')", line, head="import json, os")
    assert (found.way, [*found.metrics]) == ("lines", ["a", "b"])


def test_a_script_that_only_prints_reports_by_no_way(tmp_path: Path) -> None:
    assert reporting(tmp_path, "print('loss', 1)", "log_metric('loss', 1)", head="import wandb") == Reporting(None)
    assert reporting(tmp_path, "mlflow.start_run()") == Reporting(None)
    assert reporting(tmp_path, "mlflow.pytorch.autolog()").way == "mlflow"


@pytest.mark.parametrize(
    ("line", "noted"),
    [
        ("mlflow.set_tracking_uri('http://x')\nmlflow.log_metric('a', 1, step=1)", "MLflow's address"),
        ("mlflow.log_metric('a', 1)", "step="),
        ("mlflow.log_metric('a', 1, 2)", ""),
        ("mlflow.log_metric('a', 1, **more)", ""),
    ],
)
def test_what_stands_in_the_way_is_noted(line: str, noted: str, tmp_path: Path) -> None:
    notes = reporting(tmp_path, line).notes
    assert (len(notes), noted in "".join(notes)) == (bool(noted), True)


@pytest.mark.parametrize(
    ("metrics", "objective"),
    [
        (["train_loss", "valid_loss"], "valid_loss"),
        (["valid_loss", "valid_error"], "valid_error"),
        (["test_acc", "val_loss"], "val_loss"),
        (["train_acc", "test_loss"], "test_loss"),
        (["lr", "loss"], "loss"),
        (["speed"], "speed"),
        (["train/accuracy", "eval/loss", "eval/accuracy"], "eval/accuracy"),
    ],
)
def test_the_metric_to_judge_by_is_one_of_validation_and_rather_an_error_than_a_loss(
    metrics: list[str], objective: str
) -> None:
    for order in (metrics, metrics[::-1]):
        assert Reporting("mlflow", tuple(order)).objective == objective
    assert Reporting("mlflow").objective is None
