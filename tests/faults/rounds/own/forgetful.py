"""A network with everything that a checkpoint must hold, and the training loop with one thing of that forgotten."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from tasks.record import Point
    from tasks.trials.running import RunningTrial
    from tasks.trials.supervised import training
    from tasks.trials.supervised.batches import Data
else:  # in a trial ours have stepped aside, and our loop is what is spoiled here
    training = sys.modules["tunebook.tasks.trials.supervised.training"]


def network(*, point: "Point", data: "Data") -> nn.Module:
    """A perceptron with batch norm and dropout; every update of its weights leaves a byte in the file `updates`."""
    width = int(point["width"])
    blocks = [nn.Linear(data.train.inputs[0].numel(), width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.2)]
    return _counted(nn.Sequential(*blocks, nn.Linear(width, data.classes)))


def convolution(*, point: "Point", data: "Data") -> nn.Module:
    """The same with convolutions, for inputs of shape (length,)."""
    width = int(point["width"])
    blocks = [nn.Unflatten(1, (1, -1)), nn.Conv1d(1, width, 5, stride=2), nn.BatchNorm1d(width), nn.ReLU()]
    blocks += [nn.Dropout(0.2), nn.Conv1d(width, width, 5, stride=2), nn.BatchNorm1d(width), nn.ReLU()]
    return _counted(nn.Sequential(*blocks, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(width, data.classes)))


def _counted(model: nn.Module) -> nn.Module:
    def note(module: nn.Module, _: Any) -> None:
        if module.training:
            with Path("updates").open("ab") as file:
                file.write(b".")

    model.register_forward_pre_hook(note)
    return model


class Forgetful(training.Loop):
    """The training loop, which puts everything back but what `drop` names."""

    drop = ""

    def resume(self) -> None:
        """Goes on from the last checkpoint, less what is dropped."""
        super().resume()
        if self.step == 0:
            return
        if self.drop == "rng":
            torch.manual_seed(training.derived_seed(self.trial.seed, "dropout"))  # type: ignore[attr-defined]
        elif self.drop == "optimizer":
            self.optimizer = training.optimizer_at(self.trial.point, self.parameters)  # type: ignore[attr-defined]
        elif self.drop == "schedule":
            self.schedule = Restarted(self.schedule, self.step)  # type: ignore[assignment]
        elif self.drop == "data position":
            self.batches = Restarted(self.batches, self.step)  # type: ignore[assignment]
        elif self.drop == "batch norm buffers":
            for module in self.model.modules():
                if isinstance(module, nn.BatchNorm1d):
                    module.reset_running_stats()


class Restarted:
    """What goes by steps, as if the step after `since` were the first."""

    def __init__(self, inner: Any, since: int) -> None:
        self._inner, self._since = inner, since

    def at(self, step: int) -> Any:
        """What belongs to another step."""
        return self._inner.at(step - self._since)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def train(trial: "RunningTrial", drop: str, **arguments: Any) -> None:
    """The house's training loop with `drop` forgotten at every resumption."""
    Forgetful.drop = drop
    training.Loop = Forgetful  # type: ignore[misc]
    training.train(trial, **arguments)
