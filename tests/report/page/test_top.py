"""The first screen: verdict, answer, how sure it is, and what the reader must not forget."""

import pytest

from tasks.report.page.page import page
from tasks.report.page.top import top_of
from tests.report.example_records import example
from tests.report.odd_records import with_looks
from tests.report.page.reader import Reader, read, undrawn


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("promote", "Promote"), ("keep", "Keep"), ("retrain", "Retrain"), ("redesign", "Redesign"), ("na", "No verdict")],
)
def test_the_verdict_is_one_word_with_its_reasons(outcome: str, word: str) -> None:
    record = undrawn(outcome)
    text = page(record, {})
    assert f'<span class="word">{word}</span>' in text
    assert f"tone-{outcome}" in text
    assert all(reason in Reader(text).text for reason in record.verdict.reasons)


@pytest.mark.prose
def test_the_page_says_not_conclusive_when_the_answer_is_not() -> None:
    assert "Not conclusive." in read("redesign").text
    concluded = read("promote").text
    assert "Not conclusive" not in concluded
    assert "optimizer = adam is better than optimizer = nesterov by 0.0049 valid_error." in concluded
    assert "band 0.0021 to 0.0077" in concluded


@pytest.mark.prose
def test_the_first_screen_says_how_sure_it_is_what_noise_there_was_and_what_the_reader_must_not_forget() -> None:
    text = read("promote").text
    assert "promoted in at most 5 % of rounds" in text
    assert "2 warn 3 ok 2 not checked" in text
    assert "Holds only for width = 128, batch_size = 64." in text
    assert "Nothing was retrained" in read("redesign").text
    assert "either may be the better one" in read("redesign").text


@pytest.mark.prose
def test_the_noise_of_each_arm_is_that_of_its_last_look_even_if_another_comparison_ended_early() -> None:
    record = example("promote")
    gated = with_looks(
        record,
        ("finalist", "incumbent", 3, {"sd_candidate": 0.1, "sd_against": 0.2}),
        ("finalist", "incumbent", 9, {"sd_candidate": 0.3, "sd_against": 0.4}),
        ("baseline", "incumbent", 3, {"sd_candidate": 0.5, "sd_against": 0.2}),
    )
    text = Reader(page(gated, {})).text
    assert "SD of one configuration's retrains: 0.3 (finalist), 0.4 (incumbent), 0.5 (baseline)." in text


@pytest.mark.prose
def test_a_time_that_is_not_known_is_left_out() -> None:
    record = example()
    assert "took 3 min 24 s" in page(record, {})
    assert "took" not in top_of(record.model_copy(update={"finished": record.created})).facts
