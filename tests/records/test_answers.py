"""Answers are of the type that their kind registered; one of an unknown kind is kept whole."""

import pytest

from tasks.answers import ANSWERS, Answer, Compared
from tasks.record import Record
from tasks.report.page.page import page
from tasks.report.said import answer_parts
from tasks.report.terminal import text
from tests.report.example_records import example


def read_again(record: Record) -> Record:
    return Record.model_validate_json(record.model_dump_json(by_alias=True))


def test_an_answer_is_read_and_written_as_the_type_of_its_kind() -> None:
    for outcome in ("promote", "redesign"):
        record = example(outcome)
        assert type(read_again(record).answer) is Compared
        assert read_again(record) == record


def test_an_answer_of_a_kind_that_is_not_known_keeps_its_fields() -> None:
    told = {"kind": "capacity", "conclusive": True, "largest": 512, "tried": [256, 512], "settings": {"a.b": 512}}
    record = example("na", answer=told)
    assert type(record.answer) is Answer
    assert read_again(record).answer.model_dump(mode="json") == told
    assert '"largest":512' in record.model_dump_json(by_alias=True)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds that a test registers are forgotten with it."""
    monkeypatch.setattr("tasks.answers.ANSWERS", dict(ANSWERS))


@pytest.mark.usefixtures("registered")
def test_a_kind_registers_its_own_answer_and_no_other_may_take_it() -> None:
    class Largest(Answer, kinds=("largest",)):
        size: int

    record = example("na", answer={"kind": "largest", "size": "64"})
    assert isinstance(record.answer, Largest)
    assert record.answer.size == 64
    with pytest.raises(ValueError, match="size"):
        example("na", answer={"kind": "largest", "size": "many"})
    with pytest.raises(TypeError, match="largest"):

        class Other(Answer, kinds=("largest",)):
            pass


@pytest.mark.prose
def test_a_kind_that_says_nothing_of_itself_is_told_by_its_fields_or_its_settings() -> None:
    fields = example("na", answer={"kind": "capacity", "conclusive": True, "largest_batch": 512, "tried": [256, 512]})
    assert answer_parts(fields) == ("largest batch = 512, tried = 256, 512.", "")
    settings = {"workload.batch_size": 256, "budget.max_train_steps": 1200}
    bare = example("na", answer={"kind": "capacity", "conclusive": True, "settings": settings})
    assert answer_parts(bare)[0] == "workload.batch size = 256, budget.max train steps = 1200."
    assert "largest batch = 512" in text(fields)
    assert "largest batch = 512" in page(fields, {})


def test_an_answer_that_is_open_is_never_told_as_one() -> None:
    open_ = example("na", answer={"kind": "capacity", "largest": 512})
    assert answer_parts(open_)[0] == answer_parts(example("redesign"))[0]
