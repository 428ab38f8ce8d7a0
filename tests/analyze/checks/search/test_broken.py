"""E10 of failed trials: each is judged once, the same fault once for the round, and nothing but failures blocks."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from tasks.analyze.checks.search.infeasible import infeasible
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding
from tests.analyze.planted import failing, planned_round, rows, scored

ARMS: dict[str, Any] = {"activation": {"choices": ["relu", "tanh"]}}
TREE: dict[str, Any] = {"learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"}, **ARMS}
NAMES = ("lion", "adam", "lamb", "adan", "muon", "soap", "sophia", "prodigy")
MISSING = "ModuleNotFoundError: No module named 'a_package_with_a_name_that_is_long_enough_to_be_cut_off.deep'"


def two_studies(reasons: Mapping[int, str]) -> Evidence:
    """A round of two studies; `reasons`: why the trials of these places in the round failed."""
    planned = planned_round(TREE, 0, scientific={"activation": ["relu", "tanh"]}, trials=8)
    evidence = scored(planned, lambda p, i: 1.0 + i)
    trials = dict(evidence.trials)
    for place, planned_trial in enumerate(evidence.round.trials):
        if place in reasons:
            one = failing(evidence, {planned_trial.index: reasons[place]}).trials[planned_trial.id]
            trials[planned_trial.id] = one
    return Evidence(round=evidence.round, trials=trials)


def e10(evidence: Evidence) -> list[Finding]:
    """What E10 says of the failed trials."""
    return [f for f in infeasible(evidence) if f.row == "E10" and "failed" in f.numbers]


@pytest.mark.playbook("E10", case="fires")
@pytest.mark.prose
def test_one_fault_of_both_studies_is_told_once_and_the_name_is_whole() -> None:
    evidence = two_studies(dict.fromkeys((1, 4, 9, 12), f"ProgramFailed: exit code 1: {MISSING}"))
    assert len(evidence.studies) == 2
    (found,) = e10(evidence)
    assert (found.level, found.reason, found.where.study) == ("fail", "same_fault", None)
    assert found.numbers["same"] == len(found.trials) == 4
    assert MISSING in found.evidence


@pytest.mark.playbook("E10", case="fires")
@pytest.mark.prose
def test_where_everything_failed_that_blocks_alike_or_not_and_no_failed_trial_is_infeasible() -> None:
    unlike = two_studies({i: f"RuntimeError: {NAMES[i % 8]} has no {NAMES[-1 - i // 2]}" for i in range(16)})
    alike = two_studies({i: f"OSError: no folder /scratch/run-{i}/x{i:04x}" for i in range(16)})
    for evidence, said in ((unlike, "All 16 trials failed,"), (alike, "All 16 trials failed: OSError")):
        (found,) = e10(evidence)
        assert (found.level, found.reason, len(found.trials)) == ("fail", "all_failed", 16)
        assert found.evidence.startswith(said)
        assert "E9" not in rows(infeasible(evidence))
        assert not any(f.remedy for f in infeasible(evidence))


@pytest.mark.playbook("E10", case="fires")
def test_a_study_of_which_every_trial_failed_blocks_though_the_other_one_ran() -> None:
    evidence = two_studies({i: f"RuntimeError: {NAMES[i]} is unknown" for i in range(8)})
    (found,) = e10(evidence)
    assert (found.level, found.reason, found.where.study) == ("fail", "all_failed", evidence.studies[0].study.id)


@pytest.mark.playbook("E10", case="silent")
def test_a_failure_here_and_another_there_is_one_warning() -> None:
    (found,) = e10(two_studies({1: "OSError: the disk went away", 12: "ValueError: bad record"}))
    assert (found.level, found.reason, found.numbers["failed"]) == ("warn", "failed_once", 2)


@pytest.mark.playbook("E9", case="silent")
def test_trials_that_failed_are_no_share_of_what_is_infeasible() -> None:
    evidence = failing(scored(planned_round(TREE, 0), lambda p, i: 1.0 + i), dict.fromkeys(range(9), "KeyError: 'x'"))
    (found,) = (f for f in infeasible(evidence) if f.row == "E9")
    assert (found.level, found.numbers["infeasible"]) == ("ok", 0)


@pytest.mark.playbook("E9", case="fires")
def test_where_every_trial_that_ran_diverged_the_learning_rate_is_lowered_though_some_failed() -> None:
    evidence = failing(scored(planned_round(TREE, 0), lambda p, i: math.nan), {3: "OSError: the disk went away"})
    (found,) = (f for f in infeasible(evidence) if f.row == "E9")
    assert found.remedy[0].startswith("space.learning_rate.low=")
