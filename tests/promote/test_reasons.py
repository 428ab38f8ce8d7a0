"""The reasons of the gate carry its numbers."""

import pytest

from tasks.promote.reasons import Named, arm_labels, sum_sentence, variances_sentence
from tasks.record import Point
from tests.promote.simulated_gate import ask, clear


def test_one_retrain_an_arm_decides_nothing_and_says_so() -> None:
    decision = ask({"finalist": [0.1], "incumbent": [0.2]}, budget=1)
    assert (decision.outcome, decision.reason) == ("retrain", "too_few_retrains")
    assert decision.reasons


def test_the_reasons_carry_the_numbers_and_paired_correlation_is_told_apart() -> None:
    decision = ask(clear(0.0, 1.0, 1.0))
    assert any("gain 1" in reason and "3 retrains each" in reason for reason in decision.reasons)
    assert -1 <= (decision.comparisons[0].last.correlation or 0) <= 1
    assert decision.answer == "yes"


def test_each_arm_has_its_label_at_its_first_mention_only() -> None:
    labels = {"finalist": "switch = the baseline", "baseline": "switch = a", "incumbent": "switch = finalist 2"}
    plain, labelled = ask(clear(0.0, 1.0, 1.0)), ask(clear(0.0, 1.0, 1.0), labels=labels)
    told = " ".join(labelled.reasons)
    assert [told.count(f"({label})") for label in labels.values()] == [1, 1, 1]
    for label in labels.values():
        told = told.replace(f" ({label})", "")
    assert told == " ".join(plain.reasons)


@pytest.mark.prose
def test_a_note_is_told_beside_the_label() -> None:
    named = Named({"incumbent": "switch = a"})
    assert named("incumbent", "generation 2") == "the incumbent (generation 2, switch = a)"
    assert named("incumbent", "generation 2") == "the incumbent (generation 2)"
    assert (named("incumbent"), named("finalist-2")) == ("the incumbent", "finalist 2")


def test_only_what_tells_the_arms_apart_is_a_label() -> None:
    arms: list[tuple[str, Point]] = [
        ("finalist", {"switch": "b", "width": 8}),
        ("incumbent", {"switch": "a", "width": 8}),
    ]
    assert arm_labels(("switch", "width"), arms) == {"finalist": "switch = b", "incumbent": "switch = a"}
    assert arm_labels(("width",), arms) == {}


@pytest.mark.prose
def test_equal_arms_are_told_without_a_negative_zero() -> None:
    losses = {"finalist": [0.1, 0.2, 0.3], "incumbent": [0.1, 0.2, 0.3]}
    (said,) = ask(losses, budget=3, minimum_gain=0.0).reasons
    assert "z 0 is not above" in said
    falls = {"finalist": [0.2, 0.3, 0.4], "incumbent": [0.1, 0.2, 0.3]}
    (said,) = ask(falls, budget=3, price={"incumbent": 0.1}).reasons
    assert "z -0 " not in said


DEVIATIONS = {"finalist": 0.01, "baseline": 0.03, "incumbent": 0.02}


@pytest.mark.playbook("G1", case="shows")
@pytest.mark.prose
def test_each_kind_of_luck_has_its_own_number() -> None:
    said = variances_sentence(DEVIATIONS, 0.2, 0.0145, Named({}))
    assert (
        "Retrains of one configuration: SD 0.01 of the finalist, 0.03 of the baseline and 0.02 of the incumbent" in said
    )
    assert "within a band 0.2 wide" in said
    assert "validation data: SD 0.0145" in said


@pytest.mark.prose
def test_what_was_not_measured_is_said_to_be_so() -> None:
    said = variances_sentence(DEVIATIONS, None, None, Named({}))
    assert "The search: not measured" in said
    assert "validation data: not measured" in said


@pytest.mark.prose
def test_gains_of_three_arms_that_were_measured_on_other_retrains_are_said_not_to_add_up() -> None:
    uneven = [("baseline", "incumbent", 5, 5), ("finalist", "incumbent", 3, 3), ("finalist", "baseline", 3, 3)]
    even = [(arm, other, 3, 3) for arm, other, *_ in uneven]
    assert "do not add up" in sum_sentence(uneven)
    assert sum_sentence(even) == ""
    assert sum_sentence(uneven[:2]) == ""


def test_no_sentence_of_the_gate_gives_an_arm_a_deviation_of_its_own() -> None:
    assert not any("SD" in reason for reason in ask(clear(0.0, 1.0, 1.0)).reasons)
