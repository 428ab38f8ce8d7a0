"""A round without retrains is told that trial variance is not measured, and what measuring would cost."""

import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding
from tests.analyze.planted_curves import clean, compared_round


def asked(retrains: int, kind: str = "improve") -> list[Finding]:
    """What K4 says of a round with so many retrains an arm."""
    evidence = compared_round(clean, kind=kind)
    scope = evidence.round.scope
    budget = scope.budget.model_copy(update={"retrains": retrains, "finalists": 2})
    round = evidence.round.model_copy(update={"scope": scope.model_copy(update={"budget": budget})})
    return [f for f in analyze(Evidence(round=round, trials=evidence.trials)).findings if f.row == "K4"]


@pytest.mark.playbook("K4", case="fires")
@pytest.mark.parametrize(("kind", "arms"), [("improve", 4), ("understand", 3)])
@pytest.mark.prose
def test_without_retrains_the_finding_names_what_measuring_costs(kind: str, arms: int) -> None:
    (said,) = asked(0, kind)
    assert (said.level, said.reason, said.remedy) == ("warn", "not_measured", ("budget.retrains=5",))
    assert said.numbers["trials"] == 5 * arms
    assert said.numbers["steps"] == 5 * arms * 1000
    assert said.numbers["share"] == pytest.approx(5 * arms / 24)
    assert "Trial variance is not measured" in said.evidence


@pytest.mark.playbook("K4", case="silent")
@pytest.mark.parametrize("retrains", [1, 8])
def test_with_retrains_it_says_nothing(retrains: int) -> None:
    assert asked(retrains) == []
