"""From scope to verdict on planted truth, seeds 0 to 199: noise is not promoted, a real gain is, and it is named."""

from functools import cache

import pytest

from tests.promote.planted_rounds import Concluded, concluded

SEEDS = 200


@cache
def rounds(effect: float) -> tuple[Concluded, ...]:
    return tuple(concluded(seed, effect) for seed in range(SEEDS))


@pytest.mark.playbook("G3", "G4", case="silent")
def test_a_change_that_does_nothing_is_promoted_in_at_most_8_percent() -> None:
    promoted = sum(r.verdict.outcome == "promote" for r in rounds(0.0))
    assert promoted <= 0.08 * SEEDS, promoted


@pytest.mark.playbook("G3", "G4", case="fires")
def test_a_change_worth_three_retrain_sds_is_promoted_in_at_least_80_percent_and_named() -> None:
    named = sum(
        r.verdict.outcome == "promote"
        and r.winner == "finalist"
        and (r.answer.value, r.answer.against, r.answer.conclusive) == ("dropout", "none", True)
        for r in rounds(-3.0)
    )
    assert named >= 0.80 * SEEDS, named


@pytest.mark.playbook("E1", case="shows")
def test_nothing_is_retrained_where_a_check_blocks() -> None:
    blocked = [r for effect in (0.0, -3.0) for r in rounds(effect) if r.verdict.outcome == "redesign"]
    assert all(r.retrains == 0 and not r.answer.conclusive and r.winner is None for r in blocked)
    assert len(blocked) <= 0.1 * 2 * SEEDS


def test_the_band_of_the_answer_holds_the_planted_gain() -> None:
    answers = [r.answer for r in rounds(-3.0) if r.answer.conclusive and r.answer.band is not None]
    assert answers
    # the arms' best points differ by what the search left, at most about a retrain SD each
    held = sum(a.band[0] <= 0.04 and a.band[1] >= 0.02 for a in answers if a.band is not None)
    assert held >= 0.9 * len(answers)


@pytest.mark.playbook("B6", case="fires")
@pytest.mark.prose
def test_a_change_that_does_harm_is_said_to_be_of_no_use_by_most_rounds_that_were_gated() -> None:
    gated = [r for r in (concluded(seed, 3.0) for seed in range(40)) if r.verdict.outcome != "redesign"]
    said = [r.left_out[0] for r in gated if r.left_out]
    assert len(said) >= 0.9 * len(gated)
    assert all(s.startswith("regularizer = dropout showed no gain on fresh retrains (-") for s in said)


@pytest.mark.playbook("B6", case="silent")
def test_a_change_worth_three_retrain_sds_is_not_said_to_be_of_no_use() -> None:
    assert sum(bool(r.left_out) for r in rounds(-3.0)) <= 0.02 * SEEDS
