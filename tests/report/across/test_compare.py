"""Two rounds beside each other: only what differs of what was asked, and whether their answers can both be true."""

from typing import Any

import pytest

from tasks.record import Record
from tasks.report.across.compare import answer_cells, asked_lines, found_lines, together
from tasks.text import MISSING
from tests.report.example_records import example


def answered(outcome: str = "promote", **answer: Any) -> Record:
    record = example(outcome)
    return record.model_copy(update={"answer": record.answer.model_copy(update=answer)})


def test_rounds_that_were_asked_the_same_differ_in_nothing() -> None:
    assert asked_lines(example("promote"), example("promote")) == ()


def test_what_was_asked_otherwise_is_told_and_nothing_else() -> None:
    one, other = example("promote"), example("promote", count=12)
    reproduce = other.reproduce.model_copy(update={"overrides": ("space.layers.high=8", "seed=3"), "fingerprint": "ff"})
    verdict = other.verdict.incumbent.model_copy(update={"generation": 5})
    other = other.model_copy(
        update={"seed": 3, "reproduce": reproduce, "verdict": other.verdict.model_copy(update={"incumbent": verdict})}
    )
    told = {line.name: (line.one, line.other) for line in asked_lines(one, other)}
    assert told["seed"] == ("0", "3")
    assert told["override space.layers.high"] == (MISSING, "8")
    assert told["incumbent generation"] == ("2", "5")
    assert told["budget trials"] == ("24", "12")
    assert "code" in told
    assert {name.split()[0] for name in told} == {"seed", "override", "incumbent", "budget", "code"}


def test_answers_come_with_their_bands_and_verdicts_with_their_codes() -> None:
    told = {line.name: (line.one, line.other) for line in found_lines(example("promote"), example("keep"))}
    assert told["band"] == ("0.0021 to 0.0077", "0.0021 to 0.0077")
    assert told["verdict"] == ("promote (better)", "keep (no gain)")
    assert told["fails"] == ("none", "none")


@pytest.mark.prose
def test_bands_that_do_not_meet_are_no_luck() -> None:
    one = answered(gain=0.02, band=(0.01, 0.03))
    assert "overlap" in together(one, answered(gain=0.01, band=(0.005, 0.015)))
    assert "do not meet" in together(one, answered(gain=0.0, band=(-0.01, 0.009)))
    assert "no band" in together(one, answered(gain=0.0, band=None))
    assert "do not compare the same values" in together(one, answered(value="sgd"))
    assert "Another workload" in together(one, one.model_copy(update={"workload": "else"}))


def test_an_answer_is_short_enough_for_a_column() -> None:
    assert answer_cells(answered()) == ("gain", "+0.0049", "0.0021 to 0.0077")
    assert answer_cells(answered(gain=-0.01, band=(-0.02, 0.01)))[0] == "no gain"
    assert answer_cells(answered("retrain"))[0] == "not conclusive"
