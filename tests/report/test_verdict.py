"""The answer in one sentence: what was compared, and which luck explains what it leaves open."""

import pytest

from tasks.report.said import answer_sentence
from tests.report.example_records import example
from tests.typed import compared


@pytest.mark.prose
def test_an_undecided_gap_names_the_luck_that_its_band_is_of() -> None:
    record = example("retrain")
    answer = compared(record.answer).model_copy(update={"gain": 0.01, "band": (-0.01, 0.03), "conclusive": False})
    searched = record.model_copy(update={"answer": answer.model_copy(update={"source": "search"})})
    retrained = record.model_copy(update={"answer": answer.model_copy(update={"source": "retrains"})})
    assert "which the luck of the search explains" in answer_sentence(searched)
    assert "which the noise of the retrains explains" in answer_sentence(retrained)


@pytest.mark.prose
def test_where_nothing_is_compared_the_trials_are_not_blamed() -> None:
    roles = example("na").roles.model_copy(update={"scientific": ()})
    record = example("na").model_copy(update={"roles": roles, "findings": ()})
    bare = record.model_copy(update={"answer": record.answer.model_copy(update={"conclusive": False})})
    assert "Nothing was to be compared" in answer_sentence(bare)
