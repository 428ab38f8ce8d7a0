"""The terminal's report: short, plain, the verdict first and the next command last."""

import re
from typing import Any

import pytest

from tasks.report.terminal import LINES, text
from tasks.text import duration, number, spread_text
from tests.report.example_records import example
from tests.report.odd_records import hostile, joint

PATHS = ("mlruns/records/r-1/report.html", "mlruns/records/r-1/record.json")


@pytest.mark.parametrize("outcome", ["promote", "keep", "retrain", "redesign", "na"])
def test_the_verdict_comes_first_and_the_next_command_with_the_paths_last(outcome: str) -> None:
    record = example(outcome)
    lines = text(record, paths=PATHS).splitlines()
    assert [line.strip().removeprefix("files").strip() for line in lines[-2:]] == list(PATHS)
    assert lines[-3] == f"{'':<10}{record.next.command}"
    labels = [line.split()[0] for line in lines if line[:1].strip()]
    assert labels.index("verdict") < labels.index("answer") < labels.index("findings") < labels.index("next")
    assert f"verdict   {outcome}: " in "\n".join(lines)


@pytest.mark.prose
def test_where_nothing_more_is_to_be_asked_no_command_is_shown() -> None:
    done = example().next.model_copy(update={"command": "", "overrides": (), "why": "nothing more to ask."})
    assert text(example().model_copy(update={"next": done})).splitlines()[-1] == "next      Nothing more to ask."


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
    assert "not checked: A17, I1" in shown
    assert "(acknowledged: The unstable corner" in folded


@pytest.mark.playbook("E1", case="shows")
@pytest.mark.prose
def test_a_written_reason_is_shown_however_long_the_evidence_is() -> None:
    record = example("redesign")
    long = tuple(f.model_copy(update={"evidence": "It goes on and on. " * 20}) for f in record.findings)
    assert "(acknowledged: The unstable corner" in text(record.model_copy(update={"findings": long}))


@pytest.mark.playbook("C3", case="shows")
@pytest.mark.prose
def test_each_role_takes_one_line_and_counts_the_names_for_which_there_is_no_room() -> None:
    shown = text(example(), width=100)
    assert "roles     scientific optimizer\n" in shown
    assert "nuisance nesterov.learning_rate, nesterov.one_minus_momentum and 4 more\n" in shown
    assert "fixed width = 128, batch_size = 64\n" in shown
    assert "activation\n" in text(example(), width=200)


@pytest.mark.prose
def test_each_study_has_its_best_value_and_its_band() -> None:
    record = example()
    shown = text(record)
    for row in record.isolation:
        assert row.band is not None
        assert f"best {number(row.best_value)}, band {number(row.band[0])} to {number(row.band[1])}" in shown
    assert "none feasible" in text(example(feasible=False))


def test_what_is_found_in_several_studies_is_said_once() -> None:
    record = example("redesign")
    first, *_ = (f for f in record.findings if f.level == "warn" and f.where.study)
    other = next(s.id for s in record.studies if s.id != first.where.study)
    twice = first.model_copy(update={"where": first.where.model_copy(update={"study": other})})
    shown = text(record.model_copy(update={"findings": (first, twice)}))
    assert shown.count(f"warn {first.row}") == 1
    assert " and 1 more: " in " ".join(shown.split())


def test_it_stays_short_however_much_was_found() -> None:
    record = example("redesign")
    plenty = [f.model_copy(update={"reason": f"{f.reason}_{i}"}) for i in range(10) for f in record.findings]
    many = record.model_copy(update={"findings": tuple(plenty), "studies": record.studies * 9})
    lines = text(many, paths=PATHS).splitlines()
    assert len(lines) <= LINES + 1 + len(PATHS)
    assert any("more fail" in line for line in lines)
    assert any(re.search(r"and \d+ more studies", line) for line in lines)


@pytest.mark.parametrize("outcome", ["promote", "keep", "retrain", "redesign", "na"])
def test_nothing_is_cut_off_within_a_sentence(outcome: str) -> None:
    record = example(outcome)
    many = record.model_copy(update={"findings": record.findings * 10, "studies": record.studies * 9})
    for width in (60, 100):
        assert "…" not in text(record, width=width) + text(many, width=width)


@pytest.mark.parametrize("width", [40, 72, 100])
def test_no_line_is_wider_than_asked_but_the_command_and_the_paths(width: int) -> None:
    for record in (example("redesign"), example("promote"), joint(), hostile()):
        lines = text(record, width=width, paths=PATHS).splitlines()
        apart = {record.next.command, *PATHS}
        assert all(len(line) <= width for line in lines if line.strip().removeprefix("files").strip() not in apart)


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
    assert any(line.startswith("next") for line in shown.splitlines())


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
