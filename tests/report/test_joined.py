"""No page says "no gain" and "promote" without the sentence that joins them."""

from typing import Any

import pytest

from tasks.record import Record
from tasks.report.page.page import page
from tasks.report.terminal import text
from tasks.report.verdict import verdict_sentence
from tasks.verdict import ComparisonRow, LookRow
from tests.report.example_records import example
from tests.report.page.reader import Reader
from tests.typed import arm_of

NO = {"gain": -0.0361, "band": (-0.2168, 0.1446), "conclusive": True}
LOOK = LookRow(
    n=5, against=5, gain=0.0, band=(-0.002, 0.002), z=3, upper=2, lower=0, sd_candidate=0.001, sd_against=0.001
)


def judged(outcome: str, answer: dict[str, Any], winner: str = "finalist", **verdict: Any) -> Record:
    """The example with another answer, of whose arms `winner` was put forward."""
    record = example(outcome)
    assert record.verdict.candidate is not None
    candidate = record.verdict.candidate.model_copy(update={"point": arm_of(record, winner).point})
    told = record.verdict.model_copy(update={"candidate": candidate} | verdict)
    return record.model_copy(update={"answer": record.answer.model_copy(update=answer), "verdict": told})


def with_margin(record: Record, margin: float, look: LookRow = LOOK) -> Record:
    """The finalist met the incumbent with that margin."""
    assert record.gate is not None
    row = ComparisonRow(candidate="finalist", against="incumbent", margin=margin, looks=(look,), state="better")
    return record.model_copy(update={"gate": record.gate.model_copy(update={"comparisons": (row,)})})


@pytest.mark.prose
def test_a_promotion_of_the_arm_without_the_change_is_joined_to_the_answer_no() -> None:
    record = judged("promote", NO, "baseline", reason="baseline_better")
    said = verdict_sentence(record)
    assert said.startswith("No gain from the change, but the configuration without it (optimizer = nesterov), as")
    assert "beats the incumbent (generation 2" in said
    assert said in Reader(page(record, {})).text
    assert "No gain from the change" in text(record)


@pytest.mark.prose
def test_it_is_joined_to_an_open_answer_too() -> None:
    record = judged("promote", NO | {"conclusive": False}, "baseline", reason="baseline_better")
    assert verdict_sentence(record).startswith("Whether the change helps is open, but")


@pytest.mark.prose
def test_a_simpler_configuration_that_shows_no_gain_is_said_to_need_none() -> None:
    record = with_margin(judged("promote", NO | {"gain": 0.0, "band": (-0.002, 0.002)}), -0.01)
    said = verdict_sentence(record)
    assert said.startswith("No gain was needed:")
    assert "is worth (0.01 valid_error)" in said
    assert "beats" not in said


def test_a_gain_without_luck_needs_no_such_sentence() -> None:
    clear = LOOK.model_copy(update={"band": (0.001, 0.01)})
    assert "beats" in verdict_sentence(with_margin(judged("promote", {}), -0.01, clear))
    assert "beats" in verdict_sentence(with_margin(judged("promote", {}), 0.0))


@pytest.mark.prose
def test_a_change_that_helps_and_is_not_promoted_says_against_what_it_fell_short() -> None:
    assert "beats the arm without it but not what is promoted already" in verdict_sentence(judged("keep", {}))
    small = verdict_sentence(judged("keep", {"gain": 4e-5, "band": (-0.0078, 0.0079), "conclusive": True}))
    assert "beats the arm without it" not in small  # a gain above zero, and none that was shown
    assert "it is undecided" in verdict_sentence(judged("retrain", {"conclusive": True, "band": (0.002, 0.008)}))
    assert "no candidate passed the gate" in verdict_sentence(judged("keep", NO))
