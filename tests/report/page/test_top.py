"""The first screen: verdict, answer, how sure it is, and what the reader must not forget."""

import re
from statistics import stdev

import pytest

from tasks.report.page.page import page
from tasks.report.page.top import top_of
from tasks.report.retrains import gate_arms
from tasks.text import number
from tests.report.example_records import example
from tests.report.odd_records import with_looks
from tests.report.page.reader import Reader, read, undrawn
from tests.report.promoted_records import promoted_example


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
def test_each_arm_has_one_noise_that_of_all_its_retrains_though_its_comparisons_ended_at_others() -> None:
    record = with_looks(
        example("promote"),
        ("finalist", "incumbent", 3, {"sd_candidate": 0.1, "sd_against": 0.2}),
        ("finalist", "incumbent", 9, {"sd_candidate": 0.3, "sd_against": 0.4}),
    )
    sds = {arm.name: stdev(row.value or 0.0 for row in arm.trials) for arm in gate_arms(record)}
    said = re.findall(r"(\S+) \((\w+)\)", top_of(record).sure[1])
    assert said == [(number(sd), name) for name, sd in sds.items()]


@pytest.mark.prose
def test_what_was_promoted_is_on_the_first_screen_in_values_and_nothing_where_nothing_was() -> None:
    record = promoted_example()
    text = Reader(page(record, {}, folder="mlruns/records/r")).text
    assert "optimizer = adam was nesterov" in text
    assert "nesterov.learning_rate gone, was 0.05" in text
    assert "tunebook history show incumbent mnist1d_mlp" in text
    assert "Step 450 with valid_error 0.041, of the best of 3 fresh retrains (r1), so a little optimistic." in text
    assert "torch.load('mlruns/records/r/trials/r1/checkpoints/step_450.pt', map_location='cpu'" in text
    for outcome in ("keep", "retrain", "redesign", "na"):
        assert top_of(example(outcome)).promoted is None
        assert "How to use it" not in read(outcome).text


@pytest.mark.prose
def test_a_promotion_without_a_checkpoint_says_how_to_get_one() -> None:
    record = promoted_example(checkpoint=None)
    text = Reader(page(record, {})).text
    assert "No checkpoint was saved: trial.save(step, state)" in text
    assert "torch.load" not in text


@pytest.mark.prose
def test_a_time_that_is_not_known_is_left_out() -> None:
    record = example()
    assert "took 3 min 24 s" in page(record, {})
    assert "took" not in top_of(record.model_copy(update={"finished": record.created})).facts
