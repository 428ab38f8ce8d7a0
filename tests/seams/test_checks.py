"""What every check and review keeps to: its rows, its reasons, its clean twin, and what it reads.

That a new one is its module and a line in the registry is seen with a toy in tests/analyze/test_thresholds.py.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.analyze.analysis import CHECKS, REVIEWS, analyze
from tasks.analyze.checks.check import Check
from tasks.analyze.reviews.review import Review
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, finding
from tasks.scope.kinds import IMPROVE, KINDS
from tests.analyze import test_analysis as odd
from tests.analyze.checks.pipeline.test_length import lasting
from tests.analyze.planted import case, failing, rows
from tests.analyze.planted_curves import compared_round, overfits_under, planted_round
from tests.analyze.test_laws import case as mixed

POINTS = tuple({"learning_rate": 10.0**-i} for i in range(1, 7))
ASKED: tuple[dict[str, Any], ...] = (
    {},
    odd.ASKED,
    {"scientific": {"one_minus_momentum": "range"}, "kind": "understand"},
    {"scientific": {"regularizer": ["none", "dropout"]}},
    {"scientific": {"width": [64, 256]}},
    {"points": POINTS},
)
OUTCOMES = (odd.nothing, odd.single, odd.one_evaluation, odd.constant, odd.ragged, odd.clean)
FAULT = "Traceback (most recent call last):\nIndexError: index 10 is out of bounds"


@cache
def planted() -> tuple[Evidence, ...]:
    """Rounds with every fault that the tests of the checks plant, and with none."""

    def all_of_them() -> Iterator[Evidence]:
        yield from (planted_round(o, examples=1000, chance=0.9, **asked) for o in OUTCOMES for asked in ASKED)
        yield from (case(kind, s) for kind in ("outside", "inside", "wall", "harmless wall") for s in range(3))
        yield from (mixed(s) for s in range(20))
        yield compared_round(overfits_under("adam"), examples=400)
        yield case("inside", 1, dimensions=3, breaks=0.33)
        yield failing(case("inside", 0), {3: FAULT, 11: FAULT})
        yield failing(case("inside", 0), {3: FAULT})
        yield from (lasting(lengths) for lengths in ([100, 200], [200, 190, 150, 200, 200]))

    return tuple(all_of_them())


def undeclared(questions: tuple[Question, ...], found: tuple[Finding, ...] | list[Finding]) -> list[Finding]:
    """The findings whose row, or whose reason at their level, none of the questions declares.

    That no trial was run for what it reads, any check may say.
    """

    def declares(q: Question, f: Finding) -> bool:
        return q.row == f.row and (f.reason == NotChecked.OTHER_PURPOSE or f.reason in q.reasons(f.level))

    return [f for f in found if not any(declares(q, f) for q in questions)]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_gives_its_declared_rows_and_reasons_alone(check: Check) -> None:
    found = [f for evidence in planted() for f in check.findings(evidence)]
    assert undeclared(check.questions, found) == []
    assert {f.row for f in found} == {q.row for q in check.questions}
    assert {f.check for f in found} == {check.name}


@pytest.mark.parametrize("review", REVIEWS, ids=lambda review: review.name)
def test_a_review_adds_its_declared_rows_and_reasons_alone_and_changes_no_reason(review: Review) -> None:
    for evidence in planted():
        before = tuple(f for check in CHECKS for f in check.findings(evidence))
        after = review.findings(evidence, before)
        assert [(f.row, f.reason) for f in after[: len(before)]] == [(f.row, f.reason) for f in before]
        assert undeclared(review.questions, after[len(before) :]) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_clean_twin_of_every_fault_is_silent(check: Check) -> None:
    twin = planted_round(odd.clean, **odd.ASKED | {"trials": 40}, examples=100_000)
    assert {f.level for f in check.findings(twin)} <= {"ok", "na"}


@pytest.mark.parametrize("check", [c for c in CHECKS if any(q.fail for q in c.questions)], ids=lambda check: check.name)
def test_every_check_that_can_block_does_so_somewhere(check: Check) -> None:
    assert any(rows(check.findings(evidence)) for evidence in planted())


def test_the_trials_that_a_finding_names_are_trials_of_its_study() -> None:
    for evidence in planted():
        studies = {s.study.id: {t.id for t in s.trials} for s in evidence.studies}
        everywhere = set().union(*studies.values())
        for f in analyze(evidence).findings:
            own = everywhere if f.row in ("F7", "J5") or f.where.study is None else studies[f.where.study]
            assert set(f.trials) <= own, f
            assert len(set(f.trials)) == len(f.trials)


def test_no_row_of_one_check_has_a_reason_twice() -> None:
    registry: tuple[Check | Review, ...] = (*CHECKS, *REVIEWS)
    for asked in registry:
        for q in asked.questions:
            told = [*q.fail, *q.warn, *q.ok, *q.na]
            assert len(set(told)) == len(told), (asked.name, q.row)
            assert not {*q.fail, *q.warn, *q.ok} & set(NotChecked), (asked.name, q.row)


def test_not_checked_has_its_own_reasons_and_its_own_maker() -> None:
    found = finding("boundary", "E2", "ok", "Inside.", reason="inside").model_dump()
    with pytest.raises(ValueError, match="not_checked"):
        finding("boundary", "E2", "na", "Not asked.", reason="inside")  # type: ignore[arg-type]
    for wrong in ({"level": "na"}, {"reason": "blocked"}, {"reason": "Two words"}, {"numbers": {"sampler": "tpe"}}):
        with pytest.raises(ValidationError):
            Finding.model_validate(found | wrong)
    for level in ("ok", "warn", "fail", "na"):
        assert Finding.model_validate(found | {"level": level, "reason": "not_recorded"})


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind of goal whose trials are no search, and that compares nothing."""
    changes = {
        "name": "probe",
        "compares": False,
        "baseline": False,
        "gate": False,
        "promotes": "nothing",
        "purpose": "probe",
    }
    monkeypatch.setitem(KINDS, "probe", IMPROVE.model_copy(update=changes))
    return "probe"


def test_what_reads_a_search_is_not_asked_of_a_probe(probe: str) -> None:
    analysis = analyze(planted_round(odd.clean, kind=probe, trials=24, examples=1000))
    registry: tuple[Check | Review, ...] = (*CHECKS, *REVIEWS)
    of_searches = [q.row for asked in registry if "probe" not in asked.reads for q in asked.questions]
    assert [f.row for f in analysis.findings if f.reason == NotChecked.OTHER_PURPOSE] == of_searches
    assert (analysis.importance, analysis.examples_error) == ((), None)


def test_of_a_search_beside_a_probe_the_search_alone_is_read() -> None:
    evidence = planted_round(odd.clean, **odd.ASKED)
    first, second = evidence.round.studies
    ids = {t.id for t in first.trials}
    trials = {
        id: t if id not in ids else type(t)(**vars(t) | {"planned": t.planned.model_copy(update={"purpose": "probe"})})
        for id, t in evidence.trials.items()
    }
    part = Evidence(round=evidence.round, trials=trials).reading(frozenset({"search"}))
    assert [s.study.id for s in part.studies] == [second.id]
    assert set(part.trials) == {t.id for t in second.trials}
    assert evidence.reading(frozenset({"search"})) is evidence


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "-".join(asked) or "nothing")
def test_a_round_without_studies_is_analysed(asked: dict[str, Any]) -> None:
    evidence = planted_round(odd.clean, **asked)
    none = Evidence(round=evidence.round.model_copy(update={"studies": ()}), trials={})
    analysis = analyze(none)
    assert {f.level for f in analysis.findings} == {"na"}
    assert not analysis.answer.conclusive
    for check in CHECKS:
        check.ask(none)
    for review in REVIEWS:
        review.ask(none, analysis.findings)
