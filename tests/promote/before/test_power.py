"""The smallest gain that a budget tells from noise, held against the gate itself."""

import numpy as np
import pytest

from tasks.promote.power import SHARE, smallest_gain
from tests.promote.simulated_gate import ARMS, ask, share

STANDARD = {"error_rate": 0.05}
ROUNDS = 1000  # a share of 0.8 is then good to 1.3 points


@pytest.mark.playbook("G4", case="shows")
@pytest.mark.parametrize(
    ("budget", "finalists", "baseline", "kept"),
    [(5, 1, True, 0), (16, 1, False, 0), (16, 3, True, 6), (3, 1, False, 0)],
)
def test_the_gate_promotes_that_gain_in_the_stated_share_of_rounds(
    budget: int, finalists: int, baseline: bool, kept: int
) -> None:
    gain = smallest_gain(budget=budget, finalists=finalists, baseline=baseline, kept=kept, **STANDARD)
    assert gain is not None
    others = [name for name in ARMS if name != "finalist" and (baseline or name != "baseline")]
    names = ["finalist", *(f"finalist-{i + 1}" for i in range(1, finalists)), *others]
    generator, decisions = np.random.default_rng(7), []
    for _ in range(ROUNDS):
        losses = generator.standard_normal((len(names), budget))
        losses[0] -= gain
        earlier = generator.standard_normal(kept).tolist()
        decisions.append(ask(dict(zip(names, losses.tolist(), strict=True)), budget=budget, kept=earlier))
    assert abs(share(decisions, winner="finalist") - SHARE) < 0.035


@pytest.mark.playbook("G4", case="shows")
def test_more_retrains_tell_smaller_gains_and_one_tells_none() -> None:
    found = [smallest_gain(budget=n, finalists=1, baseline=True, **STANDARD) for n in (3, 5, 8, 16)]
    assert found == sorted((gain for gain in found if gain is not None), reverse=True)
    assert smallest_gain(budget=1, finalists=1, baseline=True, **STANDARD) is None
