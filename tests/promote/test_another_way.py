"""Where an arm gave no result, more of the same retrains are no way out; what is depends on the arm."""

import pytest

from tasks.promote.conclude import Conclusion
from tasks.promote.gate import gate
from tasks.promote.next import another_way
from tasks.promote.retrains import Arm
from tasks.record import Point
from tests.scope.example_scopes import REGULARIZERS, scope

SCOPE = scope(REGULARIZERS, baseline={"optimizer": "nesterov", "width": 64})
POINTS: dict[str, Point] = {
    "finalist": {"learning_rate": 0.01, "regularizer": "dropout"},
    "baseline": {"learning_rate": 0.02, "regularizer": "none"},
    "incumbent": SCOPE.incumbent.point,
}
BETTER = {"finalist": 0.1, "baseline": 0.4, "incumbent": 0.5}


def concluded(broken: str, generation: int = 0, retrains: int = 6) -> Conclusion:
    """A round in which one retrain of an arm gave no result."""
    losses: dict[str, list[float | None]] = {n: [v + 0.01 * i for i in range(retrains)] for n, v in BETTER.items()}
    if broken:
        losses[broken][2] = None
    return Conclusion(
        incumbent=SCOPE.incumbent.model_copy(update={"generation": generation}),
        arms={
            n: Arm(name=n, study="s", trial="t", point=dict(p), value=None, retrained_as=n) for n, p in POINTS.items()
        },
        decision=gate(losses, minimum_gain=0.0, error_rate=0.05, budget=retrains),
    )


def test_a_baseline_that_cannot_be_trained_gives_way_to_the_best_trial_without_the_change() -> None:
    assert another_way(SCOPE, concluded("incumbent")) == ("++workload.baseline.learning_rate=0.02",)


def test_an_incumbent_that_was_promoted_is_no_override_s_to_change() -> None:
    assert another_way(SCOPE, concluded("incumbent", generation=2)) == ()


@pytest.mark.parametrize("arm", ["finalist", "baseline"])
def test_another_search_has_other_arms(arm: str) -> None:
    assert another_way(SCOPE, concluded(arm)) == ("seed=1",)


def test_where_every_retrain_has_a_result_nothing_else_is_needed() -> None:
    assert another_way(SCOPE, concluded("")) == ()
