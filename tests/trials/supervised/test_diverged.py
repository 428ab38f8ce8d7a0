"""A loss that is not finite ends the trial at its step."""

import math

import pytest

from tasks.trials.inline import Memory
from tasks.trials.running import Infeasible
from tests.trials.supervised.example_training import POINT, trained


@pytest.mark.parametrize("every", [2, 7, 50])
@pytest.mark.prose
def test_a_loss_that_is_not_finite_ends_the_trial_at_its_step(every: int) -> None:
    sink = Memory()
    with pytest.raises(Infeasible, match=r"^train_loss is nan at step 6$"):
        trained(POINT | {"nesterov.learning_rate": 1e5}, sink, every=every)
    assert max(sink.reports) == 6
    assert all(math.isnan(v) for v in sink.reports[6].values())
    assert sink.state[0] < 6


@pytest.mark.prose
def test_an_evaluation_after_the_step_that_destroyed_the_model_sees_it_first() -> None:
    with pytest.raises(Infeasible, match=r"^valid_error is nan at step 5$"):
        trained(POINT | {"nesterov.learning_rate": 1e5}, Memory(), every=1)


@pytest.mark.prose
def test_a_step_that_destroys_the_model_after_the_last_batch_is_no_result_either() -> None:
    sink = Memory()
    with pytest.raises(Infeasible, match="valid_error is nan at step 1"):
        trained(POINT | {"nesterov.learning_rate": 1e38}, sink, steps=1, every=1)
    assert sink.state == (0, None)
