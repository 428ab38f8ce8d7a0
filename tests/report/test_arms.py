"""The arms of the gate go by their scientific values where those tell them apart."""

import pytest

from tasks.record import Record
from tasks.report.arms import arm_values, with_values
from tasks.report.page.page import page
from tasks.report.plots.all import retrains_plot
from tasks.report.terminal import text
from tests.report.example_records import curves_of, example
from tests.report.plots.drawings import texts

REASONS = ("The finalist over the incumbent: gain 0.01.", "The finalist over the baseline: gain 0.005.")
NAMED = (
    "The finalist (optimizer = adam) over the incumbent (optimizer = nesterov): gain 0.01.",
    "The finalist over the baseline (optimizer = nesterov): gain 0.005.",
)


def gated(outcome: str = "promote") -> Record:
    record = example(outcome)
    verdict = record.verdict.model_copy(update={"reasons": REASONS})
    return record.model_copy(update={"verdict": verdict, "learned": ("SD 1 of the finalist and 2 of the incumbent.",)})


@pytest.mark.prose
def test_each_arm_has_its_value_at_the_first_mention_only() -> None:
    assert with_values(gated(), REASONS) == NAMED
    assert with_values(gated(), ["Finalist 2 lost; the finalist's mean."]) == ("Finalist 2 lost; the finalist's mean.",)


@pytest.mark.prose
def test_a_generation_in_brackets_takes_the_value_in() -> None:
    (said,) = with_values(gated(), ["The incumbent (generation 2) stays."])
    assert said == "The incumbent (generation 2, optimizer = nesterov) stays."


@pytest.mark.prose
def test_an_arm_without_retrains_of_its_own_has_the_configuration_of_the_incumbent() -> None:
    record = gated()
    kept = tuple(t for t in record.trials if t.study != "retrain-baseline")
    noise = {"finalist-baseline.9.gain": 0.005}
    verdict = record.verdict.model_copy(update={"noise": noise})
    assert with_values(record.model_copy(update={"trials": kept, "verdict": verdict}), REASONS) == NAMED


@pytest.mark.prose
def test_where_no_scientific_value_tells_the_arms_apart_nothing_is_added() -> None:
    record = gated()
    roles = record.roles.model_copy(update={"scientific": ("batch_size",)})
    assert arm_values(record.model_copy(update={"roles": roles})) == {}
    assert with_values(record.model_copy(update={"roles": roles}), REASONS) == REASONS


@pytest.mark.prose
def test_page_terminal_and_picture_say_the_values() -> None:
    record = gated("keep")
    shown, printed = page(record, curves_of(record)), " ".join(text(record).split())
    assert "(generation 2, optimizer = nesterov) stays" in shown
    assert "The finalist (optimizer = adam) over the incumbent: gain 0.01." in shown
    assert "SD 1 of the finalist (optimizer = adam) and 2 of the incumbent (optimizer = nesterov)." in shown
    assert NAMED[0] in printed
    assert texts(retrains_plot(record)).count("optimizer = nesterov") == 2
