"""A training loop whose machine is wanted back: it saves where it is, and nothing is lost and no bit changed."""

import math
from typing import Any

import pytest
import torch

from tasks.scope.goal import Objective
from tasks.trials.running import Interrupted, RunningTrial
from tasks.trials.supervised.training import train
from tasks.trials.workloads.models import mlp
from tests.trials.supervised.example_training import POINT, CutOff, blobs

GIVEN: dict[str, Any] = {"data": blobs, "model": mlp, "batch_size": 16, "schedule": "cosine"}


class Wanted(RunningTrial):
    """A trial whose machine is wanted back when its program has asked `after` times whether it is."""

    after = math.inf

    @property
    def stopping(self) -> bool:
        """Whether the notice has come."""
        self.after -= 1
        return self.after < 0

    @stopping.setter
    def stopping(self, value: bool) -> None:
        """Nobody else decides here."""


def wanted(sink: CutOff, after: float) -> Wanted:
    """A trial of 50 steps, evaluated every 20, that is stopped when it has asked `after` times."""
    trial = Wanted(
        point=POINT,
        seed=1,
        max_train_steps=50,
        eval_every_steps=20,
        objective=Objective(metric="valid_error", direction="minimize"),
        sink=sink,
    )
    trial.after = after
    return trial


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.parametrize("after", [0, 6, 18, 19, 20, 33, 47, 48])
def test_a_trial_that_is_stopped_anywhere_loses_no_step_and_changes_no_bit(after: int) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # bit-equal curves are promised for one thread
    straight, stopped = CutOff(), CutOff()
    train(wanted(straight, math.inf), **GIVEN)
    with pytest.raises(Interrupted):
        train(wanted(stopped, after), **GIVEN)
    step = stopped.state[0]
    assert after - 2 <= step <= after + 2  # about one question a step, and one more at each evaluation
    train(wanted(stopped, math.inf), **GIVEN)
    assert stopped.reports == straight.reports
    first, last = stopped.last()[1], straight.last()[1]
    assert torch.equal(first["rng"], last["rng"])
    assert all(torch.equal(first["model"][name], value) for name, value in last["model"].items())
    torch.set_num_threads(threads)
