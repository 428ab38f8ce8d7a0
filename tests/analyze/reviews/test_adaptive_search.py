"""Findings on edges and density of a search that adapts to its results are no more than warnings."""

import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding
from tests.analyze.planted import case


def by(sampler: str, kind: str = "outside") -> Evidence:
    """One planted study, said to have been chosen by that sampler."""
    planted = case(kind, 0)
    studies = tuple(s.model_copy(update={"sampler": sampler}) for s in planted.round.studies)
    return Evidence(round=planted.round.model_copy(update={"studies": studies}), trials=planted.trials)


def of(evidence: Evidence, *rows: str) -> list[Finding]:
    """The findings of those rows."""
    return [f for f in analyze(evidence).findings if f.row in rows]


@pytest.mark.playbook("E6", case="fires")
@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes"])
@pytest.mark.prose
def test_an_edge_that_an_adaptive_search_found_is_a_warning_and_says_so(sampler: str) -> None:
    edge = next(f for f in of(by("halton"), "E2") if f.level == "fail")
    weaker = next(f for f in of(by(sampler), "E2") if f.where == edge.where)
    assert (weaker.level, weaker.reason) == ("warn", edge.reason)
    assert weaker.remedy == edge.remedy
    assert f"{sampler} chose the points by its results" in weaker.evidence
    (said,) = of(by(sampler), "E6")
    assert (said.level, said.reason) == ("warn", "findings_downgraded")
    assert said.numbers["downgraded"] >= 1  # type: ignore[operator]
    assert not [f for f in of(by(sampler), "E2", "E3", "E7") if f.level == "fail"]


@pytest.mark.playbook("E6", case="silent")
@pytest.mark.parametrize(
    ("sampler", "reason"), [("halton", "independent"), ("grid", "independent"), ("unknown", "not_declared")]
)
def test_points_that_do_not_depend_on_results_keep_their_findings(sampler: str, reason: str) -> None:
    assert [f.level for f in of(by(sampler), "E2")] == [f.level for f in of(by("sobol"), "E2")]
    assert [f.reason for f in of(by(sampler), "E6")] == [reason]


def test_an_adaptive_search_with_nothing_at_its_edges_is_only_named() -> None:
    (said,) = of(by("tpe", "inside"), "E6")
    assert (said.level, said.reason, said.numbers["downgraded"]) == ("ok", "nothing_downgraded", 0)


def test_an_instability_wall_and_other_findings_stay_what_they_are() -> None:
    assert [f.level for f in of(by("tpe", "wall"), "E5")] == [f.level for f in of(by("halton", "wall"), "E5")]


@pytest.mark.playbook("D14", case="shows")
@pytest.mark.prose
def test_an_adaptive_search_is_held_against_twice_as_many_trials_side_by_side() -> None:
    (said,) = of(by("tpe", "inside"), "D14")
    trials = len(by("tpe", "inside").trials)
    assert f"{2 * trials} quasi-random trials do as well as its {trials}" in said.evidence
    assert said.remedy == ("sampler=halton", f"budget.trials={2 * trials}")
    assert not of(by("halton", "inside"), "D14")
