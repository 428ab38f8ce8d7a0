"""What the page says of how the numbers came to be; what was not recorded says so."""

import pytest

from tasks.report.page.method import method_text
from tasks.report.page.page import page
from tests.report.example_methods import predictions, stated
from tests.report.example_records import example
from tests.report.page.reader import Reader


@pytest.mark.playbook("J7", case="shows")
@pytest.mark.prose
def test_the_surest_mistakes_at_the_best_step_stand_in_a_table() -> None:
    found = method_text(stated()).predicted
    assert found is not None
    assert found.rows == (("#3", "9", "4", "97 %", "right at 0 of 4 evaluations"),)
    assert "misses 1 of 4 fixed validation examples, and 0 predictions changed" in found.sentence
    text = Reader(page(stated(), {})).text
    assert found.sentence in text
    assert "Predictions for a few fixed validation examples J7" in text


@pytest.mark.playbook("J7", case="shows")
def test_real_numbers_are_listed_by_how_far_they_are_off_and_have_no_picture() -> None:
    shown = predictions(target=(1.0, 2.0, 3.0, 4.0), predicted=((1.5, 2.0, 0.5, 4.0),) * 4, confidence=())
    found = method_text(stated(predictions=shown)).predicted
    assert found is not None
    assert [row[0] for row in found.rows] == ["#2", "#0", "#1", "#3"]
    text = Reader(page(stated(predictions=shown), {})).text
    assert "off by 2.5" in text
    assert "picture-predictions" not in page(stated(predictions=shown), {})


@pytest.mark.prose
def test_predictions_that_are_never_wrong_have_a_sentence_and_no_picture() -> None:
    shown = predictions(predicted=((7, 1, 4, 9),) * 4)
    whole = page(stated(predictions=shown), {})
    assert "4 are right at every evaluation" in Reader(whole).text
    assert "picture-predictions" not in whole


@pytest.mark.playbook("J7", "J20", case="shows")
@pytest.mark.prose
def test_what_was_not_recorded_says_so_and_how_to_record_it() -> None:
    for record in (stated(predictions=None, update_rules=()), example("promote")):
        text = Reader(page(record, {})).text
        assert "Not recorded: the program saved no predictions." in text
        assert "Not recorded: the program built its own optimizer" in text


@pytest.mark.playbook("J20", case="shows")
@pytest.mark.prose
def test_the_update_rule_is_on_the_page_with_its_class_and_version() -> None:
    text = Reader(page(stated(), {})).text
    assert "Update rules (J20) adam is torch.optim.adam.Adam (torch 2.13.0)" in text
    assert "epsilon: added after both corrections" in text
    assert "options: fused = true" in text


@pytest.mark.playbook("K8", case="shows")
@pytest.mark.prose
def test_which_number_is_which_is_on_the_page() -> None:
    text = Reader(page(stated(), {})).text
    assert "Which number is which (K8)" in text
    for name, sentence in method_text(stated()).evaluations:
        assert f"{name} {sentence}" in text


@pytest.mark.playbook("J6", "J9", case="shows")
@pytest.mark.prose
def test_of_a_program_of_ones_own_the_last_batch_and_rare_classes_are_not_checked() -> None:
    own = Reader(page(stated(own_evaluation=True), {})).text
    assert "Last batch (J6) Not checked: the trials' own program evaluates." in own
    assert "Rare classes (J9) Not checked: the trials' own program evaluates." in own
    for record in (stated(own_evaluation=False), stated(), example("promote")):
        assert "Last batch" not in Reader(page(record, {})).text


@pytest.mark.playbook("B4", case="shows")
def test_the_split_of_the_budget_is_on_the_first_screen() -> None:
    text = Reader(page(stated(), {})).text
    assert method_text(stated()).exploration in text[: text.index("What was learned")]
