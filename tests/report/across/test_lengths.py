"""Two rounds that ran the same points for fewer and for more steps: does the order hold?"""

from collections.abc import Callable

import numpy as np
import pytest

from tasks.record import Record
from tasks.report.across.lengths import same_order
from tasks.scope.error import InputError
from tests.report.example_records import example


def rounds(after: Callable[[float, np.random.Generator], float], direction: str = "minimize") -> tuple[Record, Record]:
    """A short round, and a long one in which each trial's value is `after(value, rng)`."""
    rng = np.random.default_rng(3)
    short = example("keep", direction=direction).model_copy(update={"budget": {"max_train_steps": 2000}})
    values = {t.id: after(t.best_value, rng) for t in short.trials if t.best_value is not None}
    trials = tuple(t.model_copy(update={"best_value": values.get(t.id)}) for t in short.trials)
    return short, short.model_copy(update={"round_id": "r-long", "budget": {"max_train_steps": 8000}, "trials": trials})


@pytest.mark.playbook("H11", case="fires")
@pytest.mark.prose
def test_an_order_that_more_steps_undo_is_not_carried_over() -> None:
    for undone in (lambda v, rng: float(rng.random()), lambda v, rng: 1.0 - v):
        found = same_order(*rounds(undone))
        assert (found.level, found.row) == ("warn", "H11")
        assert "do not carry" in found.evidence


@pytest.mark.playbook("H11", case="fires")
def test_an_order_that_holds_but_for_the_best_is_not_carried_over() -> None:
    short, _ = rounds(lambda v, rng: v)
    best = min(t.best_value for t in short.trials if t.purpose == "search" and t.best_value is not None)
    found = same_order(*rounds(lambda v, rng: 2.0 if v == best else v))
    assert found.level == "warn"
    assert found.numbers["place"] == found.numbers["points"]


@pytest.mark.playbook("H11", case="silent")
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_an_order_that_holds_up_to_noise_is_carried_over(direction: str) -> None:
    pair = rounds(lambda v, rng: 0.8 * v + 0.002 * rng.standard_normal(), direction)
    found = same_order(*pair)
    assert found.level == "ok"
    assert same_order(*reversed(pair)) == found  # whichever is named first


@pytest.mark.prose
def test_rounds_that_cannot_be_compared_are_refused_in_a_sentence() -> None:
    short, long = rounds(lambda v, rng: v)
    with pytest.raises(InputError, match="both ran 2000 steps"):
        same_order(short, short)
    with pytest.raises(InputError, match="one workload and metric"):
        same_order(short, long.model_copy(update={"workload": "other"}))
    with pytest.raises(InputError, match="0 feasible points in common"):
        same_order(short, long.model_copy(update={"trials": ()}))
