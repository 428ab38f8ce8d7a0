"""Small models: a perceptron and a convolutional network, by the hyperparameters of a point.

A model recipe is called with `point` and `data` and returns a module from inputs to logits: (batch, classes).
"""

from collections.abc import Callable, Mapping

from torch import nn

from tasks.record import Point
from tasks.scope.error import InputError
from tasks.trials.supervised.batches import Data

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


def mlp(*, point: Point, data: Data) -> nn.Module:
    """A perceptron with `layers` hidden layers of `width` units; dropout follows each activation.

    Inputs of any shape are flattened. PyTorch's initialisation.
    """
    activation, rate = _activation(point), dropout_rate(point)
    width = _whole(point, "width")
    blocks: list[nn.Module] = [nn.Flatten()] if data.train.inputs.ndim > 2 else []
    inputs = data.train.inputs[0].numel()
    for _ in range(_whole(point, "layers")):
        blocks += [nn.Linear(inputs, width), activation(), *([nn.Dropout(rate)] if rate else [])]
        inputs = width
    return nn.Sequential(*blocks, nn.Linear(inputs, data.classes))


def cnn(*, point: Point, data: Data, kernel: int = 5, stride: int = 2) -> nn.Module:
    """A one-dimensional convolutional network for inputs of shape (length,): `layers` layers of `width` channels.

    Each layer after the first halves the length (by `stride`); a mean over what is left of it feeds the logits.
    """
    activation, rate = _activation(point), dropout_rate(point)
    width = _whole(point, "width")
    blocks: list[nn.Module] = [nn.Unflatten(1, (1, -1))]
    channels = 1
    for i in range(_whole(point, "layers")):
        step = 1 if i == 0 else stride
        blocks += [nn.Conv1d(channels, width, kernel, stride=step, padding=kernel // 2), activation()]
        blocks += [nn.Dropout(rate)] if rate else []
        channels = width
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(channels, data.classes))


def dropout_rate(point: Point) -> float:
    """The dropout rate at `point`; 0 unless `regularizer` is dropout, and `dropout.rate` is then not looked at.

    Raises:
        InputError: an unknown regularizer, or a rate that does not lie in [0, 1).

    Playbook: C10
    """
    regularizer = point.get("regularizer", "none")
    if regularizer == "none":
        return 0.0
    if regularizer != "dropout":
        raise InputError(f"regularizer: {regularizer!r} is unknown; allowed are none, dropout.")
    rate = point["dropout.rate"]
    if isinstance(rate, bool | str) or not 0 <= rate < 1:
        raise InputError(f"dropout.rate: {rate!r} does not lie in [0, 1).")
    return float(rate)


def _activation(point: Point) -> Callable[[], nn.Module]:
    name = point["activation"]
    if name not in ACTIVATIONS:
        raise InputError(f"activation: {name!r} is unknown; allowed are {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[str(name)]


def _whole(point: Point, name: str) -> int:
    value = point[name]
    if isinstance(value, bool | str) or value != int(value) or value < 1:
        raise InputError(f"{name}: {value!r} is no whole number of at least 1.")
    return int(value)
