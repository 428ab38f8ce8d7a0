"""docs/checks.md says what the registries say, and has a section for a check that is added to them."""

import pytest

from tasks.analyze import analysis
from tests import checks_page
from tests.seams.toys.many_trials import TOY


def test_the_page_is_up_to_date() -> None:
    assert checks_page.PAGE.read_text() == checks_page.page(), "run python -m tests.checks_page"


def test_every_row_that_is_asked_has_a_section_with_its_question_and_its_reasons() -> None:
    text = checks_page.page()
    for asked in checks_page.registry():
        for q in checks_page.questions(asked):
            assert f"\n## {q.row}\n" in text
            assert f"\n### {q.asks}\n" in text
            assert all(reason in text for reason in (*q.fail, *q.warn, *q.ok, *q.na))


@pytest.mark.prose
def test_a_check_that_is_added_to_the_registry_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_page, "_link", lambda asked: "")  # the toy's module is no part of tasks/
    monkeypatch.setattr(analysis, "CHECKS", (*analysis.CHECKS, TOY))
    text = checks_page.page()
    assert f"### {TOY.questions[0].asks}" in text
    assert "| `policy.toy_trials` | 10 | at least 1 and at most 1000 | E7, ours: " in text
