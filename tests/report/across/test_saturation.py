"""Tuning has likely saturated where round after round gains nothing beyond noise; a single hope ends the row."""

import pytest

from tasks.report.across.saturation import saturated_tuning
from tasks.verdict import ComparisonRow, GateRow, IncumbentRow, VerdictRow
from tests.promote.planted_rounds import concluded
from tests.report.odd_records import LOOK

Said = tuple[VerdictRow, GateRow | None]


def verdict(outcome: str = "keep", z: float = 0.4, gain: float | None = 0.001, generation: int = 2) -> Said:
    """A verdict with the gate of one comparison of two looks; the boundary for a gain is 2."""
    incumbent = IncumbentRow(generation=generation, point={})
    row = VerdictRow(outcome=outcome, reason="no_gain", incumbent=incumbent, gain=gain)  # type: ignore[arg-type]
    looks = (
        LOOK.model_copy(update={"n": 3, "z": 3.0, "upper": 3.5}),
        LOOK.model_copy(update={"n": 10, "z": z, "upper": 2.0, "lower": -1.0}),
    )
    compared = ComparisonRow(candidate="finalist", against="incumbent", margin=0.0, looks=looks, state="not better")
    return row, GateRow(arms=(), comparisons=(compared,) if gain is not None else (), minimum_gain=0.0)


@pytest.mark.playbook("B7", case="fires")
@pytest.mark.prose
def test_three_rounds_without_a_gain_beyond_noise_have_likely_saturated() -> None:
    (said,) = saturated_tuning([verdict(), verdict(gain=-0.01), verdict(gain=0.004)], 3)
    assert said.startswith("Tuning has likely saturated (B7): in the last 3 rounds")
    assert "generation 2" in said
    assert "at most 0.004" in said
    assert saturated_tuning(
        [verdict(), verdict("redesign", gain=None), verdict(), verdict("na", gain=None), verdict()], 3
    )


@pytest.mark.playbook("B7", case="fires")
def test_planted_rounds_in_which_the_change_does_nothing_saturate() -> None:
    verdicts = [(c.verdict, c.gate) for c in (concluded(seed, 0.0) for seed in range(3))]
    assert [v.outcome for v, _ in verdicts] == ["keep"] * 3
    assert saturated_tuning(verdicts, 3)


@pytest.mark.playbook("B7", case="silent")
@pytest.mark.parametrize(
    "hope",
    [
        verdict("promote", z=3.0),
        verdict("retrain", z=1.0),
        verdict("keep", z=3.0),
        verdict("keep", gain=None),
        verdict(generation=1),
    ],
    ids=["a promotion", "an undecided gate", "a gain that was declined", "nothing to gate", "another incumbent"],
)
def test_a_hope_ends_the_row(hope: Said) -> None:
    assert saturated_tuning([verdict(), verdict(), hope, verdict(), verdict()], 3) == ()
    assert saturated_tuning([hope, verdict(), verdict()], 3) == ()


@pytest.mark.playbook("B7", case="silent")
def test_two_rounds_and_a_round_that_is_blocked_itself_say_nothing() -> None:
    assert saturated_tuning([verdict(), verdict()], 3) == ()
    assert saturated_tuning([verdict("redesign", gain=None), verdict(), verdict(), verdict()], 3) == ()
    assert saturated_tuning([], 3) == ()
