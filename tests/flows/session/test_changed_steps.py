"""A round after a change of data or architecture is told to check the number of steps again."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.compose.compose import from_overrides
from flows.round import main
from flows.session.provenance.changes import since_steps_were_settled
from tasks.scope.goal import Incumbent
from tests.flows.own_round import arguments, records

pytestmark = pytest.mark.usefixtures("undrawn")
SHORT = ("budget.trials=2", "budget.retrains=2", "budget.max_train_steps=20")


@pytest.fixture
def fed(folder: Path) -> Path:
    """A folder whose workload reads a table of data and has a model with a width."""
    program = folder / "own.py"
    program.write_text(program.read_text().replace("def train(trial)", "def train(trial, table, model, patience)"))
    (folder / "table.csv").write_text("1,2\n")
    workload = folder / "workload/own.yaml"
    workload.write_text(f"{workload.read_text()}table: {folder / 'table.csv'}\nmodel: {{width: 8}}\npatience: 3\n")
    return folder


def told(folder: Path, notes: str, *more: str) -> list[str]:
    """The caveats of a round in which that was changed, of those that speak of H5."""
    main([*arguments(folder, "store", *SHORT), f"notes={notes}", *more])
    (record,) = (r for r in records(folder, "store") if r.notes == notes)
    return [caveat for caveat in record.caveats if "(H5" in caveat]


@pytest.mark.playbook("H5", case="silent")
@pytest.mark.playbook("H5", case="fires")
def test_changed_data_ask_to_check_the_steps_and_another_patience_does_not(
    fed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(fed, "first") == []
    assert told(fed, "patient", "workload.patience=5") == []
    assert "H5" not in capsys.readouterr().err
    (fed / "table.csv").write_text("1,2\n3,4\n")
    (data,) = told(fed, "data", "workload.model.width=16")
    assert "workload.table" in data
    assert "workload.model.width" in data
    assert "check the number of steps again" in capsys.readouterr().err


class Told:
    """A ledger with one finished round of 600 steps."""

    def __init__(self, arguments: dict[str, Any], data: dict[str, str], width: int) -> None:
        self.parts = {"data": data, "folders": {}}
        self.settled = {
            "config": {"workload": {"arguments": arguments}, "budget": {"max_train_steps": 600}},
            "fingerprint": self.parts,
            "incumbent": {"point": {"width": width, "learning_rate": 0.1}},
        }

    def rounds(self, workload: str) -> tuple[SimpleNamespace, ...]:
        """Its rounds, the newest first."""
        running = SimpleNamespace(round_id="now", state="running")
        return (running, SimpleNamespace(round_id="before", state="finished"))

    def frozen(self, round_id: str) -> dict[str, Any]:
        """What the round began with."""
        assert round_id == "before"
        return self.settled


@pytest.mark.playbook("H5", case="fires")
@pytest.mark.parametrize(
    ("before", "changed"),
    [
        (Told({"batch_size": 128}, {}, 100), ""),
        (Told({"batch_size": 128, "verbose": 1, "patience": 7}, {}, 100), ""),
        (Told({"batch_size": 128, "weight_decay": 0.1}, {}, 100), ""),
        (Told({"batch_size": 64}, {}, 100), "workload.batch_size (less gradient noise: maybe fewer steps)"),
        (Told({"batch_size": 512}, {}, 100), "workload.batch_size (more gradient noise: probably more steps)"),
        (Told({"batch_size": 128, "schedule": "cosine"}, {}, 100), "workload.schedule (if it trains better: maybe"),
        (Told({"batch_size": 128, "optimizer": "sgd"}, {}, 100), "workload.optimizer (if it trains better: maybe"),
        (Told({"batch_size": 128, "dropout": 0.3}, {}, 100), "workload.dropout (less gradient noise: maybe fewer"),
        (Told({"batch_size": 128, "data": {"augment": True}}, {}, 100), "workload.data.augment"),
        (Told({"batch_size": 128}, {"workload.table": "other"}, 100), "workload.table"),
        (Told({"batch_size": 128}, {}, 50), "width"),
    ],
)
@pytest.mark.parametrize("steps", [600, 800])
def test_what_bears_on_the_steps_is_told_unless_the_steps_are_new_too(before: Told, changed: str, steps: int) -> None:
    config = from_overrides(["workload=mnist1d", "space=mnist1d", "goal=optimizer", f"budget.max_train_steps={steps}"])
    workload = config.workload.model_copy(update={"arguments": {"batch_size": 128}})
    config = config.model_copy(update={"workload": workload})
    now = Incumbent(generation=1, point={"width": 100, "learning_rate": 0.3}, source="planted")
    said = since_steps_were_settled(before, config, now, {"data": {}, "folders": {}})  # type: ignore[arg-type]
    assert bool(said) == bool(changed and steps == 600)
    assert changed in said or steps == 800


def said_after(
    before: dict[str, Any],
    now: dict[str, Any],
    names: dict[str, Any] | None = None,
    point: dict[str, Any] | None = None,
) -> str:
    """What a round of these arguments, names and incumbent is told after one of those arguments at 100 and 0.1."""
    config = from_overrides(["workload=mnist1d", "space=mnist1d", "goal=optimizer", "budget.max_train_steps=600"])
    given = config.workload.model_dump() | {"arguments": now, "names": names or {}}
    config = config.model_copy(update={"workload": type(config.workload).model_validate(given)})
    incumbent = Incumbent(generation=1, point=point or {"width": 100, "learning_rate": 0.3}, source="planted")
    return since_steps_were_settled(Told(before, {}, 100), config, incumbent, {"data": {}, "folders": {}})  # type: ignore[arg-type]


@pytest.mark.playbook("H5", case="fires")
@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        ({"augment": "none"}, {"augment": "randaugment"}, "more gradient noise: probably more"),
        ({"augment": ["crop", "flip"]}, {"augment": ["crop"]}, "less gradient noise"),
        ({"keep_prob": 1.0}, {"keep_prob": 0.8}, "more gradient noise"),
        ({}, {"model": {"dropout": 0.5}}, "model.dropout (more gradient noise"),
        ({"regularizer": "none"}, {"regularizer": "dropout"}, "more gradient noise"),
        ({"warmup_steps": 0}, {"warmup_steps": 200}, "maybe fewer"),
    ],
)
def test_what_makes_gradients_noisier_asks_for_more_steps_and_what_trains_better_for_fewer(
    before: dict[str, Any], now: dict[str, Any], says: str
) -> None:
    assert says in said_after(before, now)


@pytest.mark.prose
@pytest.mark.playbook("H5", case="fires")
def test_a_promoted_regularizer_or_optimizer_is_told_with_its_direction() -> None:
    said = said_after({}, {}, point={"width": 100, "learning_rate": 0.1, "dropout.rate": 0.2, "optimizer": "adam"})
    assert "dropout.rate (more gradient noise: probably more steps)" in said
    assert "optimizer (if it trains better: maybe fewer steps)" in said


@pytest.mark.prose
@pytest.mark.playbook("H5", case="fires")
@pytest.mark.playbook("H5", case="silent")
def test_the_users_own_word_on_a_name_counts() -> None:
    assert said_after({"n": 64}, {"n": 32}) == ""
    assert "workload.n (more gradient noise" in said_after({"n": 64}, {"n": 32}, {"batch_size": "n"})
    assert said_after({"crop": 3}, {"crop": 4}, {"other": "crop"}) == ""
    assert "workload.crop" in said_after({"crop": 3}, {"crop": 4})


@pytest.mark.playbook("H5", case="silent")
def test_a_regularizer_that_adds_no_noise_and_another_learning_rate_are_no_matter() -> None:
    assert said_after({"weight_decay": 0.1}, {"weight_decay": 0.2}) == ""
    assert said_after({"regularizer": "none"}, {"regularizer": "weight_decay"}) == ""
    assert said_after({"learning_rate": 0.1}, {"learning_rate": 0.2}) == ""
