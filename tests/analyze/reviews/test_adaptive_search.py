"""Findings on edges and density of a search that adapts to its results are no more than warnings."""

import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.design.samplers.all import SAMPLERS
from tasks.record import Finding
from tests.analyze.planted import case
from tests.seams.toys.climb import Climb


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


@pytest.mark.playbook("E6", case="fires")
@pytest.mark.parametrize("sampler", ["bayes", "TPESampler", "hyperopt", "BOHB", "Bayesian-Optimization", "evolution"])
def test_an_adaptive_search_is_known_by_what_other_tools_call_it(sampler: str) -> None:
    (said,) = of(by(sampler), "E6")
    assert said.reason == "findings_downgraded"
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


def side_by_side(trials: int, at_once: float | None) -> Finding:
    """What D14 says of so many of TPE's trials, so many at once."""
    planted = case("inside", 0, trials=trials)
    studies = tuple(s.model_copy(update={"sampler": "tpe"}) for s in planted.round.studies)
    round = planted.round.model_copy(update={"studies": studies})
    (said,) = of(Evidence(round=round, trials=planted.trials, at_once=at_once), "D14")
    return said


@pytest.mark.playbook("D14", case="fires")
@pytest.mark.parametrize(("trials", "at_once"), [(64, 32.0), (24, 8.0), (40, 40.0), (12, 1.0), (40, 100.0)])
@pytest.mark.prose
def test_many_at_once_or_few_in_all_are_held_against_twice_as_many_quasi_random_trials(
    trials: int, at_once: float
) -> None:
    said = side_by_side(trials, at_once)
    assert (said.level, said.reason) == ("warn", "side_by_side")
    assert f"Take {2 * trials} quasi-random trials: as a rule they do as well as {trials} of tpe" in said.evidence
    assert said.remedy == ("sampler=halton", f"budget.trials={2 * trials}")
    assert said.numbers["in_a_row"] == max(1.0, trials / at_once)


@pytest.mark.playbook("D14", case="silent")
@pytest.mark.parametrize(("trials", "at_once"), [(40, 1.0), (64, 4.0), (32, 0.5)])
@pytest.mark.prose
def test_few_at_once_and_many_in_a_row_are_where_an_adaptive_search_pays(trials: int, at_once: float) -> None:
    said = side_by_side(trials, at_once)
    assert (said.level, said.reason, said.remedy) == ("ok", "in_a_row", ())
    assert "Few at once and many in a row is where it pays" in said.evidence


@pytest.mark.playbook("D14", case="shows")
def test_how_many_ran_at_once_is_not_guessed_and_quasi_random_points_are_not_asked() -> None:
    said = side_by_side(24, None)
    assert (said.level, said.reason) == ("na", "not_declared")
    assert said.numbers == {"trials": 24, "quasi_random_trials": 48}
    assert not of(by("halton", "inside"), "D14")


@pytest.mark.parametrize(("lag", "reason"), [(0, "in_a_row"), (15, "side_by_side")])
def test_a_sampler_of_ours_is_asked_by_its_lag_whatever_the_workers(
    lag: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SAMPLERS, "climb", Climb)
    planted = case("inside", 0, trials=40)
    studies = tuple(s.model_copy(update={"sampler": "climb"}) for s in planted.round.studies)
    scope = planted.round.scope.model_copy(update={"lag": lag})
    round = planted.round.model_copy(update={"studies": studies, "scope": scope})
    for at_once in (None, 3.0):
        (said,) = of(Evidence(round=round, trials=planted.trials, at_once=at_once), "D14")
        assert (said.reason, said.numbers["at_once"]) == (reason, lag + 1)
