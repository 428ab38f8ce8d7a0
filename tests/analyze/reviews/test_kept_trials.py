"""The trials that a round keeps of another are counted, where it names one, and are trials like any others."""

import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.design.kept import EarlierRound, EarlierTrial, keeping
from tasks.design.study import Round
from tasks.record import Finding
from tests.analyze.planted import planned_round, studied

RATE = {"low": 1e-4, "high": 1e-1, "scale": "log"}
BOWLS = {"learning_rate": {"optimum": 1e-2, "curvature": 4.0, "scale": "log"}}


def wider(before: Round, otherwise: str = "") -> Round:
    """A round that keeps the trials of that one in a wider space."""
    trials = tuple(EarlierTrial(planned=t, status="complete") for t in before.trials)
    earlier = EarlierRound(round_id="r1", trials=trials, otherwise=otherwise)
    return keeping(planned_round({"learning_rate": RATE | {"high": 1.0}}), earlier)


def of_kept(evidence: Evidence) -> list[Finding]:
    return [f for f in analyze(evidence).findings if f.row == "E4"]


@pytest.mark.playbook("E4", case="shows")
def test_a_round_says_how_many_trials_it_kept_and_which() -> None:
    round = wider(planned_round({"learning_rate": RATE}))
    (found,) = of_kept(studied(round, bowls=BOWLS))
    assert (found.level, found.reason) == ("ok", "kept")
    assert found.numbers == {"kept": 24, "trials": 48}
    assert set(found.trials) == {t.id for t in round.trials if t.kept}


@pytest.mark.playbook("E4", case="fires")
def test_a_round_that_names_another_and_keeps_nothing_of_it_is_warned() -> None:
    (found,) = of_kept(studied(wider(planned_round({"learning_rate": RATE}), "the data differ"), bowls=BOWLS))
    assert (found.level, found.reason, found.remedy, found.trials) == ("warn", "none_kept", (), ())


@pytest.mark.playbook("E4", case="silent")
def test_a_round_that_names_no_other_has_nothing_to_say() -> None:
    assert of_kept(studied(planned_round({"learning_rate": RATE}), bowls=BOWLS)) == []


def test_the_checks_read_kept_trials_as_trials_of_their_study() -> None:
    before = planned_round({"learning_rate": RATE})
    found = analyze(studied(wider(before), bowls=BOWLS)).findings
    (edge,) = [f for f in found if f.row == "E2"]
    (size,) = [f for f in found if f.row == "D12"]
    assert edge.level == "ok"
    assert size.numbers["trials"] == 48
