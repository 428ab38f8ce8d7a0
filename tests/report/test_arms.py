"""The arms of the gate go by their scientific values where those tell them apart."""

import pytest

from tasks.record import Record
from tasks.report.page.page import page
from tasks.report.plots.all import retrains_plot
from tasks.report.retrains import arm_values
from tasks.report.terminal import text
from tasks.report.verdict import verdict_sentence
from tests.report.example_records import curves_of, example
from tests.report.odd_records import with_arm
from tests.report.page.reader import Reader
from tests.report.plots.drawings import texts
from tests.typed import arm_of

SAID = "RuntimeError: the baseline broke before the incumbent (generation 2) did; finalist 2 of 3"
QUESTION = "Is the finalist of the cup better than the baseline of 1997?"


def test_each_arm_has_the_values_that_tell_it_apart() -> None:
    nesterov = "optimizer = nesterov"
    assert arm_values(example("promote")) == {
        "finalist": "optimizer = adam", "baseline": nesterov, "incumbent": nesterov
    }  # fmt: skip
    assert arm_values(example("redesign")) == {}


def test_an_arm_without_retrains_of_its_own_has_its_label_too() -> None:
    record = example("promote")
    known = arm_of(record, "incumbent")
    shared = with_arm(record, "baseline", point=known.point, retrained_as="incumbent", trials=known.trials)
    assert arm_values(shared) == arm_values(record)


def test_where_no_scientific_value_tells_the_arms_apart_there_is_no_label() -> None:
    record = example("promote")
    roles = record.roles.model_copy(update={"scientific": ("batch_size",)})
    assert arm_values(record.model_copy(update={"roles": roles})) == {}


@pytest.mark.prose
def test_page_and_picture_say_the_values_and_the_terminal_in_the_reasons() -> None:
    record = example("keep")
    assert "(generation 2, optimizer = nesterov) stays" in page(record, curves_of(record))
    assert "(generation 2) stays" in text(record)
    assert texts(retrains_plot(record)).count("optimizer = nesterov") == 2
    assert "the finalist (optimizer = adam) from luck" in verdict_sentence(example("retrain"))


def _quoting(record: Record) -> Record:
    """The round with words of the gate where a person wrote, or a program failed."""
    verdict = record.verdict.model_copy(update={"reasons": (SAID, *record.verdict.reasons)})
    goal = record.goal.model_copy(update={"question": QUESTION})
    trials = tuple(t.model_copy(update={"reason": SAID}) if t.status == "failed" else t for t in record.trials)
    changes = {"verdict": verdict, "goal": goal, "trials": trials, "learned": (SAID,), "notes": SAID}
    return record.model_copy(update=changes)


@pytest.mark.parametrize("outcome", ["promote", "keep", "retrain", "redesign"])
def test_words_of_the_gate_in_what_others_wrote_stay_as_they_are(outcome: str) -> None:
    record = _quoting(example(outcome))
    shown, printed = Reader(page(record, curves_of(record))).text, " ".join(text(record).split())
    assert shown.count(SAID) >= 4
    assert QUESTION in shown
    assert QUESTION in printed
    assert (SAID in printed) == (outcome != "redesign")  # what blocks are the findings
