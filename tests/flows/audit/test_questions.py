"""What an audit asks of a table, what it leaves open, and what it says comes next."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from tasks.record import Record
from tests.flows.audit.studies import of, table


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
    assert [f.reason for f in of(record, "B2", "na")] == ["ran_elsewhere"]  # nobody said what was asked
    assert [f.reason for f in of(record, "F8", "na")] == ["too_few_evaluations"]  # there are no curves to look at


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
    assert {f.reason for f in of(record, "A3", "na")} == {"ran_elsewhere"}


@pytest.mark.playbook("C7", case="shows")
def test_of_an_optimizer_that_nobody_compared_the_next_command_asks(
    audited: Callable[..., Record], tmp_path: Path
) -> None:
    path = table(tmp_path / "trials.csv", 3e-3, optimizer=["adam", "sgd"] * 20)
    words = (f"source={path}", "objective.metric=error", "objective.direction=minimize")
    record = audited(*words)
    assert [f.reason for f in of(record, "C7", "na")] == ["ran_elsewhere"]
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
    bug = of(audited(f"source={tmp_path / 'trials.csv'}", *words), "E10", "fail")
    assert [f.reason for f in bug] == ["same_fault"]
    assert len(bug[0].trials) == (frame["status"] == "failed").sum()


def test_a_threshold_of_a_check_is_set_in_an_audit_too(audited: Callable[..., Record], tmp_path: Path) -> None:
    words = (f"source={table(tmp_path / 'trials.csv', 3e-3)}", "objective.metric=error", "objective.direction=minimize")
    record = audited(*words, "policy.few_trials=200")
    assert record.policy["few_trials"] == 200
    assert record.policy["edge_fraction"] == 0.1
    assert [f.reason for f in of(record, "D12", "warn")] == ["few_trials"]
    assert [f.reason for f in of(audited(*words), "D12", "ok")] == ["enough_trials"]


@pytest.mark.prose
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
