"""The trials that a round keeps of another are counted, where it names one, and are trials like any others."""

import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.checks.search.edge import search_edges
from tasks.analyze.study.evidence import Evidence
from tasks.design.kept import EarlierRound, EarlierTrial, keeping
from tasks.design.study import Round
from tasks.record import Finding
from tests.analyze.planted import planned_round, rows, studied

RATE = {"low": 1e-4, "high": 1e-1, "scale": "log"}
BOWLS = {"learning_rate": {"optimum": 1e-2, "curvature": 4.0, "scale": "log"}}


def wider(before: Round, otherwise: str = "", seed: int = 0) -> Round:
    """A round that keeps the trials of that one in a wider space."""
    trials = tuple(EarlierTrial(planned=t, status="complete") for t in before.trials)
    earlier = EarlierRound(round_id="r1", trials=trials, otherwise=otherwise)
    return keeping(planned_round({"learning_rate": RATE | {"high": 1.0}}, seed), earlier)


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
    round = wider(planned_round({"learning_rate": RATE}))
    (size,) = [f for f in analyze(studied(round, bowls=BOWLS)).findings if f.row == "D12"]
    assert size.numbers["trials"] == 48


@pytest.mark.playbook("E2", "E3", "E4", case="silent")
def test_kept_trials_on_one_side_of_a_widened_space_make_no_edge_of_what_is_inside() -> None:
    """Read with them, an optimum 15 % of the range inside is said to lie at the edge in some of these rounds."""
    bowls = {"learning_rate": {"optimum": 10**-0.6, "curvature": 4.0, "scale": "log"}}
    read, misread = 0, 0
    for seed in range(32):
        kept = studied(wider(planned_round({"learning_rate": RATE}, seed), seed=seed), bowls=bowls)
        plain = studied(planned_round({"learning_rate": RATE | {"high": 1.0}}, seed), bowls=bowls)
        assert search_edges(kept) == search_edges(plain)
        read += bool(rows(search_edges(kept)))
        (study,) = kept.round.studies
        all_alike = kept.round.model_copy(update={"studies": (study.model_copy(update={"beside": 0}),)})
        misread += bool(rows(search_edges(Evidence(round=all_alike, trials=kept.trials))))
    assert read <= 1
    assert misread >= 4
