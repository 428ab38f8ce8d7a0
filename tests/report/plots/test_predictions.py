"""Predictions drawn: a row for each example that is ever missed, and what was predicted instead."""

import pytest

from tasks.report.plots.predictions import predictions_plot
from tests.report.example_methods import predictions, stated
from tests.report.example_records import example
from tests.report.plots.drawings import texts


@pytest.mark.playbook("J7", case="shows")
def test_examples_that_are_ever_missed_have_a_row_with_what_was_predicted() -> None:
    shown = texts(predictions_plot(stated()))
    assert [t for t in shown if t.startswith("#")] == ["#3 is 9", "#2 is 4", "#0 is 7", "#1 is 1"]
    assert shown.count("2") == 4  # at the first evaluation everything is a two
    assert shown.count("4") == 3
    assert shown.count("9") == 1
    right = predictions(predicted=((7, 1, 2, 9), (7, 1, 4, 9), (7, 1, 4, 9), (7, 1, 4, 9)))
    assert [t for t in texts(predictions_plot(stated(predictions=right))) if t.startswith("#")] == ["#2 is 4"]


def test_where_nothing_was_recorded_or_ever_missed_there_is_no_picture() -> None:
    assert predictions_plot(example()) == ""
    assert predictions_plot(stated(predictions=None)) == ""
    assert predictions_plot(stated(predictions=predictions(predicted=((7, 1, 4, 9),) * 4))) == ""
    assert predictions_plot(stated(predictions=predictions(target=(0.5, 1.5, 2.5, 3.5)))) == ""


@pytest.mark.prose
def test_many_classes_as_text_and_without_confidence_are_drawn() -> None:
    names = predictions(
        target=("a very long class name",) * 4, predicted=(("another long name",) * 4,) * 4, confidence=()
    )
    svg = predictions_plot(stated(predictions=names))
    assert "a very long c…" in " ".join(texts(svg))
    assert predictions_plot(stated(predictions=names)) == svg
