"""The terminal's report: short, plain, and the verdict, the next command and the paths at the end."""

import re
from typing import Any

import pytest

from tasks.report.terminal import text
from tasks.text import duration, number, spread_text
from tests.report.example_records import example
from tests.report.odd_records import hostile, joint

PATHS = ("mlruns/records/r-1/report.html", "mlruns/records/r-1/record.json")


@pytest.mark.parametrize("outcome", ["promote", "keep", "retrain", "redesign", "na"])
def test_the_last_lines_are_the_verdict_the_next_command_and_the_paths(outcome: str) -> None:
    record = example(outcome)
    lines = text(record, paths=PATHS).splitlines()
    assert [line.strip().removeprefix("files").strip() for line in lines[-2:]] == list(PATHS)
    assert lines[-3] == f"next      {record.next.command}"
    start = next(i for i, line in enumerate(lines) if line.startswith("verdict"))
    assert lines[start].startswith(f"verdict   {outcome}: ")
    between = [line for line in lines[start + 1 : -3] if not line.startswith(" ")]  # but the sentence's own lines
    assert [line.split()[0] for line in between] == (["promoted"] if outcome == "promote" else [])


@pytest.mark.prose
def test_where_the_next_command_is_the_same_again_it_says_what_to_do_first() -> None:
    record = example("redesign")
    same = record.next.model_copy(update={"overrides": record.reproduce.overrides, "why": "mend the data first"})
    assert "to do     mend the data first" in text(record.model_copy(update={"next": same}))
    assert "to do" not in text(record)


def test_it_says_not_conclusive_when_the_answer_is_not() -> None:
    assert "Not conclusive." in text(example("redesign"))
    assert "Not conclusive" not in text(example("promote"))


@pytest.mark.playbook("E1", case="shows")
@pytest.mark.prose
def test_findings_that_are_not_ok_are_named_and_the_others_only_counted() -> None:
    record = example("redesign")
    shown = text(record)
    folded = " ".join(shown.split())
    for finding in record.findings:
        assert (finding.evidence[:40] in folded) == (finding.level in ("fail", "warn"))
    assert "2 fail, 2 warn, 2 not checked, 3 ok" in shown
    assert "not checked: A17 I1" in shown
    assert "remedy: space.adam.learning_rate.high=0.1" in shown
    assert "(acknowledged: The unstable corner" in folded


@pytest.mark.playbook("E1", case="shows")
@pytest.mark.prose
def test_a_written_reason_is_shown_however_long_the_evidence_is() -> None:
    record = example("redesign")
    long = tuple(f.model_copy(update={"evidence": "It goes on and on. " * 20}) for f in record.findings)
    assert "(acknowledged: The unstable corner" in text(record.model_copy(update={"findings": long}))


@pytest.mark.playbook("C3", case="shows")
@pytest.mark.prose
def test_roles_take_one_line_and_name_what_is_fixed() -> None:
    lines = [line for line in text(example(), width=200).splitlines() if line.startswith("roles")]
    assert lines == [
        "roles     scientific optimizer; fixed width = 128, batch_size = 64; nuisance nesterov.learning_rate, "
        "nesterov.one_minus_momentum, adam.learning_rate, adam.one_minus_beta1, layers, activation"
    ]


@pytest.mark.prose
def test_each_study_has_its_best_value_and_its_band() -> None:
    record = example()
    shown = text(record)
    for row in record.isolation:
        assert row.band is not None
        assert f"best {number(row.best_value)}, band {number(row.band[0])} to {number(row.band[1])}" in shown
    assert "none feasible" in text(example(feasible=False))


def test_it_stays_short_however_much_was_found() -> None:
    record = example("redesign")
    many = record.model_copy(update={"findings": record.findings * 10, "studies": record.studies * 9})
    lines = text(many, paths=PATHS).splitlines()
    assert len(lines) <= 42
    assert any("more fail" in line for line in lines)
    assert any("and 13 more" in line for line in lines)


@pytest.mark.parametrize("width", [40, 72, 100])
def test_no_line_is_wider_than_asked_but_the_command_and_the_paths(width: int) -> None:
    for record in (example("redesign"), example("promote"), joint(), hostile()):
        lines = text(record, width=width, paths=PATHS).splitlines()
        assert all(
            len(line) <= width for line in lines if line[:4] not in ("next", "file") and line.strip() not in PATHS
        )


def test_colour_is_off_unless_asked_and_changes_nothing_but_colour() -> None:
    record = example("redesign")
    plain, painted = text(record), text(record, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31m" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == plain


def test_what_people_wrote_cannot_move_the_cursor() -> None:
    def poisoned(value: Any) -> Any:
        if isinstance(value, str):
            return value + "\x1b[2J\r\x07\u202e" if " " in value else value
        if isinstance(value, dict):
            return {k: poisoned(v) for k, v in value.items()}
        return [poisoned(v) for v in value] if isinstance(value, list) else value

    record = example("redesign")
    foul = type(record).model_validate(poisoned(record.model_dump(mode="json", by_alias=True)))
    shown = text(foul, paths=("a\x1b[31mb",))
    assert not re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert "\x1b" not in text(hostile())


def test_a_round_without_studies_or_findings_has_a_report() -> None:
    shown = text(example("na", studies=[], trials=[], findings=[], isolation=[]))
    assert "none asked" in shown
    assert shown.splitlines()[-1].startswith("next")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0431234, "0.04312"), (1e-5, "1e-5"), (3.14159e-7, "3.142e-7"), (123456.7, "123457"), (2.5e9, "2.5e9"),
        (True, "true"), (128, "128"), ("adam", "adam"), (-0.5, "-0.5"), (1.0, "1"), (None, "\u2013"),
    ],
)  # fmt: skip
def test_numbers_are_short(value: Any, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.42, "0.42 s"), (9.4, "9.4 s"), (59.4, "59 s"), (204, "3 min 24 s"), (7500, "2 h 5 min")]
)
def test_times_have_the_two_units_that_matter(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def test_a_mean_is_written_to_the_second_digit_of_its_uncertainty() -> None:
    assert spread_text(0.049123, 0.001345) == "0.0491 ± 0.0013"
    assert spread_text(12.3456, 2.31) == "12.3 ± 2.3"
    assert spread_text(0.5, float("nan")) == "0.5"
