"""How a round's numbers came to be: taken from what its trials saved, and from the rounds before."""

import json
from pathlib import Path

import pytest

from flows.round import main
from tasks.method import MethodRow
from tasks.record import Record
from tests.flows.own_round import TRAIN, arguments, record_in, records

pytestmark = pytest.mark.usefixtures("undrawn")

SAVING = """        right = int(10 * loss) % 4
        trial.save(step, {
            "predictions": {"target": [0, 1, 2, 3], "predicted": [right] * 4, "confidence": [0.5, 0.6, 0.7, 0.8]},
            "update_rule": {"implementation": "own.Descent", "version": "1", "rule": {"epsilon": "there is none"}},
        })
"""
SMALL = ("budget.trials=6", "budget.max_train_steps=200", "acknowledge={E7: planted, E2: planted, E3: planted}")


def method(record: Record) -> MethodRow:
    """What the record has of it."""
    assert record.method is not None
    return record.method


@pytest.mark.playbook("J7", "J20", case="shows")
def test_what_a_program_of_ones_own_saves_is_recorded_of_each_evaluation_of_the_best(folder: Path) -> None:
    (folder / "own.py").write_text(TRAIN.replace("\ndef trial_seconds", f"{SAVING}\ndef trial_seconds"))
    assert main(arguments(folder, "store", *SMALL)) == 0
    record = record_in(folder, "store")
    shown = method(record).predictions
    assert shown is not None
    chosen = next(t for t in record.trials if t.id == shown.trial)
    assert shown.best_step == chosen.best_step
    assert shown.target == (0, 1, 2, 3)
    assert 23 <= len(shown.steps) == len(shown.predicted) <= 24  # of 40 evaluations: so many are in the record
    assert (shown.steps[0], shown.steps[-1]) == (5, 200)
    assert shown.best_step in shown.steps
    beside = json.loads((folder.parent / "store" / "records" / record.round_id / shown.file).read_text())
    assert beside["trial"] == shown.trial
    assert [int(step) for step in beside["evaluations"]] == list(range(5, 201, 5))  # MLflow gets all of them
    if record.verdict.outcome == "promote":
        assert record.verdict.candidate is not None
        assert (chosen.purpose, chosen.point) == ("retrain", record.verdict.candidate.point)
    (rule,) = method(record).update_rules
    assert (rule.implementation, rule.rule) == ("own.Descent", {"epsilon": "there is none"})


@pytest.mark.playbook("J7", "J20", case="shows")
@pytest.mark.playbook("K8", case="shows")
def test_a_program_that_saves_nothing_has_neither_and_its_numbers_are_told_apart(folder: Path) -> None:
    assert main(arguments(folder, "store", *SMALL)) == 0
    record = record_in(folder, "store")
    assert (method(record).predictions, method(record).update_rules) == (None, ())
    assert method(record).own_evaluation is True
    told = {(row.of, row.number): row for row in method(record).evaluations}
    assert told["search", "trials.best_value"].takes == "best"
    assert told["search", "trials.best_value"].evaluations == 40
    assert told["retrain", "gate.arms.trials.value"].takes == "smoothed best"
    assert told["test", "test"].takes == "none"


@pytest.mark.playbook("B4", case="shows")
def test_the_split_counts_every_round_of_the_workload_that_had_ended(folder: Path) -> None:
    for notes in ("first", "second"):
        assert main(arguments(folder, "store", *SMALL, f"notes={notes}")) == 0
    first, second = sorted(records(folder, "store"), key=lambda record: record.notes)
    one, two = method(first).exploration, method(second).exploration
    assert one is not None
    assert two is not None
    assert (one.mode, one.rounds) == ("exploration", {"exploration": 1, "exploitation": 0})
    assert one.trials["exploration"] == len(first.trials)
    assert two.rounds == {"exploration": 2, "exploitation": 0}
    assert two.trials["exploration"] == len(first.trials) + len(second.trials)
    assert two.steps["exploration"] == 200 * two.trials["exploration"]
    ready = any((f.row, f.level) == ("G10", "ok") for f in second.findings)
    assert (two.ready, two.saturated) == (ready, any("likely saturated" in said for said in second.learned))
