"""A small trial of the training loop, and a sink that dies right after a checkpoint."""

import io
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tasks.record import Point, Value
from tasks.scope.goal import Objective
from tasks.trials.inline import Memory
from tasks.trials.running import RunningTrial
from tasks.trials.supervised.batches import Data, Labelled
from tasks.trials.supervised.training import train
from tasks.trials.workloads.models import mlp

POINT: dict[str, Value] = {
    "optimizer": "nesterov",
    "nesterov.learning_rate": 0.2,
    "nesterov.one_minus_momentum": 0.1,
    "weight_decay": 1e-4,
    "regularizer": "dropout",
    "dropout.rate": 0.2,
    "layers": 1,
    "width": 8,
    "activation": "relu",
}
ADAM: dict[str, Value] = {"optimizer": "adam", "adam.learning_rate": 0.02}


def blobs(*, spread: float = 0.7, poisoned_test: bool = False) -> Data:
    """Three classes around three corners: 90 to train on, 60 to validate, 30 that nobody may look at."""
    generator = torch.Generator().manual_seed(0)
    corners = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])

    def part(n: int) -> Labelled:
        labels = torch.randint(3, (n,), generator=generator)
        return Labelled(inputs=corners[labels] + spread * torch.randn(n, 2, generator=generator), labels=labels)

    train_part, valid, test = part(90), part(60), part(30)
    if poisoned_test:
        test = Labelled(inputs=test.inputs * math.nan, labels=test.labels)
    return Data(train=train_part, valid=valid, test=test, classes=3)


class Interrupted(Exception):
    """The process was killed."""


class CutOff(Memory):
    """A sink that dies right after the checkpoint of step `at`; what it keeps went through a file and back."""

    def __init__(self, at: int | None = None) -> None:
        super().__init__()
        self.at = at
        self.file = io.BytesIO()

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        """Keep the checkpoint as a file would."""
        self.file = io.BytesIO()
        torch.save(state, self.file)
        self.state = (step, None)
        if step == self.at:
            raise Interrupted

    def last(self) -> tuple[int, Any]:
        """The last checkpoint, loaded without unpickling anything but tensors and plain values."""
        if not self.file.getbuffer().nbytes:
            return 0, None
        self.file.seek(0)
        return self.state[0], torch.load(self.file, weights_only=True)


def running(point: Point, sink: Memory, *, seed: int = 1, steps: int = 50, every: int = 20) -> RunningTrial:
    return RunningTrial(
        point=point,
        seed=seed,
        max_train_steps=steps,
        eval_every_steps=every,
        objective=Objective(metric="valid_error", direction="minimize"),
        sink=sink,
    )


def trained(
    point: Point = POINT,
    sink: Memory | None = None,
    *,
    data: Callable[[], Any] = blobs,
    model: Callable[..., nn.Module] = mlp,
    seed: int = 1,
    steps: int = 50,
    every: int = 20,
    **arguments: Any,
) -> Memory:
    """What a trial reported and saved."""
    sink = sink or CutOff()
    given: dict[str, Any] = {"batch_size": 16, "schedule": "cosine"} | arguments
    train(running(point, sink, seed=seed, steps=steps, every=every), data=data, model=model, **given)
    return sink
