"""Findings on the page: by severity, with their evidence and remedy, acknowledged ones with their reason."""

import pytest

from tasks.report.page.page import page
from tasks.scope.finding import further, headline
from tests.report.example_records import ACKNOWLEDGED, example
from tests.report.page.reader import Reader, read, undrawn


@pytest.mark.playbook("E1", case="shows")
def test_findings_stand_by_severity_with_row_evidence_numbers_thresholds_and_remedy() -> None:
    record, text = example("redesign"), read("redesign").text
    shown = [f.evidence for level in ("fail", "warn", "ok", "na") for f in record.findings if f.level == level]
    places = [text.index(headline(evidence)) for evidence in shown]
    assert places == sorted(places)
    assert all(further(evidence) in text for evidence in shown)
    assert "edge fraction 0.1" in text
    assert "share 0.2917" in text
    assert "space.adam.learning_rate.high=0.1" in text


@pytest.mark.playbook("E1", case="shows")
@pytest.mark.prose
def test_an_acknowledged_finding_is_shown_with_the_written_reason_and_does_not_block() -> None:
    text = read("redesign").text
    assert f"Acknowledged in writing: “{ACKNOWLEDGED}”" in text
    assert "1 finding (E2) must be mended first" in text
    unwritten = Reader(page(undrawn("redesign", acknowledged={}), {})).text
    assert "Acknowledged" not in unwritten
    assert "2 findings (E2, E9) must be mended first" in unwritten


@pytest.mark.prose
def test_a_reason_written_for_a_row_that_found_nothing_stays_on_the_page() -> None:
    text = Reader(page(undrawn("promote", acknowledged={"E5": "the wall is known"}), {})).text
    assert "E5 was acknowledged in writing (“the wall is known”)" in text
