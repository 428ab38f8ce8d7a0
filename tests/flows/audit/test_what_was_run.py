"""An audit tells what was done: trials are counted by arm, and nothing is refused that has been run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import pytest

from tasks.record import Finding, Record
from tests.flows.audit.studies import of, table

WORDS = ("objective.metric=error", "objective.direction=minimize")
OPTIMIZERS = "goal.scientific={optimizer: [sgd, adam]}"


def found(record: Record, row: str) -> Finding:
    """The finding of the guard of a row."""
    return next(f for f in record.findings if f.row == row)


@pytest.mark.playbook("C4", case="fires")
def test_each_arm_counts_its_own_trials_and_not_those_of_all(audited: Callable[..., Record], tmp_path: Path) -> None:
    more: dict[str, Any] = {"optimizer": ["adam"] * 34 + ["sgd"] * 6, "momentum": [0.1 + 0.02 * i for i in range(40)]}
    record = audited(f"source={table(tmp_path / 'trials.csv', 3e-3, **more)}", *WORDS, OPTIMIZERS)
    few = found(record, "C4")
    assert (few.level, few.numbers["trials"]) == ("warn", 6)
    assert "optimizer=sgd" in few.evidence
    assert not any(r.startswith(("goal.nuisance", "budget")) for r in few.remedy)


@pytest.mark.playbook("D9", case="fires")
def test_arms_of_unequal_numbers_of_trials_are_told(audited: Callable[..., Record], tmp_path: Path) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, optimizer=["adam"] * 34 + ["sgd"] * 6)
    unequal = found(audited(f"source={path}", *WORDS, OPTIMIZERS), "D9")
    assert (unequal.level, unequal.reason) == ("warn", "unequal_counts")
    assert (unequal.numbers["most_trials"], unequal.numbers["trials"]) == (34, 6)


@pytest.mark.playbook("C4", "D9", case="silent")
def test_arms_with_as_many_trials_as_they_need_are_told_with_their_numbers(
    audited: Callable[..., Record], tmp_path: Path
) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, optimizer=["adam", "sgd"] * 20)
    record = audited(f"source={path}", *WORDS, OPTIMIZERS)
    assert (found(record, "C4").level, found(record, "C4").numbers["trials"]) == ("ok", 20)
    assert (found(record, "D9").level, found(record, "D9").numbers["trials"]) == ("ok", 20)


@pytest.mark.playbook("D10", case="fires")
def test_the_rule_of_adam_counts_the_trials_with_adam(audited: Callable[..., Record], tmp_path: Path) -> None:
    more: dict[str, Any] = {"optimizer": ["adam"] * 8 + ["sgd"] * 32, "beta1": [0.5 + 0.01 * i for i in range(40)]}
    record = audited(f"source={table(tmp_path / 'trials.csv', 3e-3, **more)}", *WORDS, OPTIMIZERS)
    assert found(record, "D10").numbers["trials"] == 8
    assert (found(record, "D10").level, found(record, "D10").reason) == ("warn", "beyond_the_rule")


@pytest.mark.playbook("D10", case="silent")
def test_enough_trials_with_adam_may_tune_beta1(audited: Callable[..., Record], tmp_path: Path) -> None:
    more: dict[str, Any] = {"optimizer": ["adam", "sgd"] * 20, "beta1": [0.5 + 0.01 * i for i in range(40)]}
    record = audited(f"source={table(tmp_path / 'trials.csv', 3e-3, **more)}", *WORDS, OPTIMIZERS)
    assert (found(record, "D10").level, found(record, "D10").numbers["trials"]) == ("ok", 20)


@pytest.mark.playbook("A5", case="fires")
@pytest.mark.parametrize(
    ("name", "row", "values"),
    [("batch_size", "A5", [32, 64, 128, 256] * 10), ("epochs", "H2", [10, 20] * 20),
     ("use_dropout", "C8", [True, False] * 20)],
)  # fmt: skip
def test_what_was_run_is_not_refused_but_told_as_a_caveat(
    name: str, row: str, values: list[Any], audited: Callable[..., Record], tmp_path: Path
) -> None:
    record = audited(f"source={table(tmp_path / 'trials.csv', 3e-3, 40, **{name: values})}", *WORDS)
    told = found(record, row)
    assert (told.level, told.where.parameter, told.remedy) == ("warn", name, ())
    assert record.verdict.reason != "blocked"
    assert not of(record, row, "fail")


@pytest.mark.playbook("A5", case="silent")
def test_one_batch_size_for_all_is_no_caveat(audited: Callable[..., Record], tmp_path: Path) -> None:
    record = audited(f"source={table(tmp_path / 'trials.csv', 3e-3, batch_size=[64] * 40)}", *WORDS)
    assert found(record, "A5").level != "warn"


@pytest.mark.playbook("H2", case="fires")
def test_curves_of_two_lengths_are_told_with_their_steps(audited: Callable[..., Record], tmp_path: Path) -> None:
    path = table(tmp_path / "trials.csv", 3e-3)
    rows = [
        {"trial": i, "step": step, "error": 1.0 / step}
        for i in range(40)
        for step in range(100, (500 if i % 2 else 1000) + 1, 100)
    ]
    curves = tmp_path / "curves.csv"
    pd.DataFrame(rows).to_csv(curves, index=False)
    record = audited(f"source={path}", f"curves={curves}", *WORDS)
    (told,) = (f for f in record.findings if f.row == "H2" and f.reason == "ran_unequal_lengths")
    assert (told.level, told.numbers["shortest"], told.numbers["longest"]) == ("warn", 500, 1000)
    assert not any("1000" in f.evidence for f in record.findings if f.row == "H2" and f.level == "ok")
