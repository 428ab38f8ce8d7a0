"""The file of metrics: what programs write into it, whole lines and half ones, this attempt and the ones before."""

import json
import math
import os
from pathlib import Path

import pytest

from tasks.trials.command.metrics import LONGEST, MetricsFile, Row


def written(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def row(step: int, loss: float = 0.5) -> str:
    return json.dumps({"step": step, "loss": loss})


def read(path: Path, *lines: str) -> list[Row]:
    """What a program's lines are read as."""
    metrics = MetricsFile(path)
    written(path, *lines)
    return list(metrics.rows(ended=True))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def test_lines_are_read_once_as_they_come(path: Path) -> None:
    metrics = MetricsFile(path)
    assert list(metrics.rows()) == []
    written(path, row(1), row(2, 0.25))
    assert list(metrics.rows()) == [(1, {"loss": 0.5}), (2, {"loss": 0.25})]
    written(path, "", row(3))
    assert list(metrics.rows()) == [(3, {"loss": 0.5})]
    assert list(metrics.rows(ended=True)) == []


def test_a_half_written_line_is_waited_for(path: Path) -> None:
    metrics = MetricsFile(path)
    whole = row(1, 0.12345)
    for i in range(1, len(whole)):
        path.write_text(whole[:i])
        assert list(metrics.rows()) == []
    path.write_text(f"{whole}\n")
    assert list(metrics.rows()) == [(1, {"loss": 0.12345})]


def test_a_last_line_counts_without_its_end_and_half_a_one_does_not(path: Path) -> None:
    metrics = MetricsFile(path)
    path.write_text(f"{row(1)}\n{row(2)}")
    assert [step for step, _ in metrics.rows()] == [1]
    assert [step for step, _ in metrics.rows(ended=True)] == [2]
    again = MetricsFile(path.with_name("other.jsonl"))
    again.path.write_text(f"{row(1)}\n{row(2)[:-3]}")
    assert [step for step, _ in again.rows(ended=True)] == [1]


VALUES: dict[str, tuple[str, float]] = {
    "a number": ("0.1", 0.1),
    "a whole number": ("3", 3.0),
    "a boolean": ("true", 1.0),
    "Python's NaN": ("NaN", math.nan),
    "Python's Infinity": ("-Infinity", -math.inf),
    "null, as others say NaN": ("null", math.nan),
    "awk's nan": ("nan", math.nan),
    "C's -nan": ("-nan", math.nan),
    "C's inf": ("inf", math.inf),
    "C's -inf": ("-inf", -math.inf),
    "a text nan": ('"nan"', math.nan),
    "a text Infinity": ('"Infinity"', math.inf),
    "too large for a float": ("1" + 400 * "0", math.inf),
}


@pytest.mark.parametrize(("said", "meant"), VALUES.values(), ids=VALUES)
def test_every_way_to_write_a_number_and_what_is_none_is_understood(path: Path, said: str, meant: float) -> None:
    ((step, metrics),) = read(path, f'{{"step": 1, "loss": {said} , "other": 2}}')
    assert step == 1
    assert metrics["other"] == 2
    assert repr(metrics["loss"]) == repr(meant)


def test_values_that_are_no_numbers_are_left_out(path: Path) -> None:
    line = '{"step": 1e1, "loss": 0.5, "note": "nan: is not meant, inf", "parts": [1], "more": {"a": 1}}'
    assert read(path, line) == [(10, {"loss": 0.5})]


BROKEN = [
    '{"step": 1',
    "loss 0.5",
    "[1, 2]",
    '{"loss": 1}',
    '{"step": "1"}',
    '{"step": true}',
    '{"step": 1.5}',
    "\x00",
    '{"step": 1e30}',
]


@pytest.mark.parametrize("line", [*BROKEN, "[" * 100_000, '{"step": NaN}'])
@pytest.mark.prose
def test_a_broken_line_says_which_and_what(path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="line 2 of the metrics is no JSON object with a whole number"):
        read(path, row(1), line, row(3))


@pytest.mark.prose
def test_a_line_without_end_is_broken(path: Path) -> None:
    metrics = MetricsFile(path)
    path.write_text("x" * (LONGEST + 1))
    with pytest.raises(ValueError, match="line 1 of the metrics"):
        list(metrics.rows())


def test_a_file_that_is_opened_for_writing_once_more_or_gone_is_followed(path: Path) -> None:
    metrics = MetricsFile(path)
    written(path, row(1), row(2))
    assert len(list(metrics.rows())) == 2
    path.write_text(f"{row(3)}\n")
    assert [step for step, _ in metrics.rows()] == [3]
    path.unlink()
    assert list(metrics.rows(ended=True)) == []


@pytest.mark.playbook("J12", case="shows")
def test_what_an_earlier_attempt_wrote_is_there_up_to_where_the_next_goes_on(path: Path) -> None:
    first = MetricsFile(path)
    assert not first.resumed
    written(path, row(1, 0.9), row(2, 0.8), row(3, 0.7))  # and killed before anybody looked
    second = MetricsFile(path)
    assert second.resumed
    assert path.read_bytes() == b""
    written(path, row(3, 0.75), row(4))  # which resumed from step 2
    assert list(second.rows()) == [(1, {"loss": 0.9}), (2, {"loss": 0.8}), (3, {"loss": 0.75}), (4, {"loss": 0.5})]
    third = MetricsFile(path)  # which had nothing left to do
    assert [step for step, _ in third.rows(ended=True)] == [1, 2, 3, 4]
    fourth = MetricsFile(path)  # which does not resume
    written(path, row(1, 0.6))
    assert list(fourth.rows(ended=True)) == [(1, {"loss": 0.6})]


def test_a_program_of_an_earlier_attempt_that_lives_on_writes_to_nobody(path: Path) -> None:
    MetricsFile(path)
    stale = os.open(path, os.O_WRONLY | os.O_APPEND)
    metrics = MetricsFile(path)
    os.write(stale, f"{row(9)}\n".encode())
    os.close(stale)
    assert list(metrics.rows(ended=True)) == []


def test_half_a_line_of_a_program_that_was_killed_is_no_evaluation(path: Path) -> None:
    MetricsFile(path)
    path.write_text(f"{row(1)}\n{row(2)[:-4]}")
    assert [step for step, _ in MetricsFile(path).rows(ended=True)] == [1]
