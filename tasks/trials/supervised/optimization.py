"""Optimizers, learning-rate schedules and warmup, by the names of the search space."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch._dynamo  # the first optimizer would import it, 0.9 s in each forked trial; here it is paid once
from torch import Tensor

from tasks.record import Point, Value
from tasks.scope.error import InputError
from tasks.scope.names.optimizers import OPTIMIZERS, optimizer_value, own_name

SCHEDULES = ("constant", "linear", "cosine")
# of an optimizer that a record names: those that change the rule, and not the values that a point has
OPTIONS = ("nesterov", "dampening", "amsgrad", "maximize", "decoupled_weight_decay", "fused", "foreach")
L2 = "an L2 penalty: weight decay times the weight is added to the gradient, of biases too"
_SGD = {
    "momentum": "v = momentum * v + gradient, without dampening; the weight moves by learning rate * v",
    "against the playbook": "the same rule",
}
_NESTEROV = {
    "momentum": "v = momentum * v + gradient; the weight moves by learning rate * (gradient + momentum * v)",
    "against the playbook": "the same rule",
}
_ADAM = {
    "epsilon": "added to sqrt(v) after both corrections",
    "bias correction": "of each moment by itself: m / (1 - beta1^t), v / (1 - beta2^t)",
    "against the playbook": "its epsilon is added before the correction: epsilon here counts there as epsilon * "
    "sqrt(1 - beta2^t), so ranges for epsilon do not carry over",
}
DEFAULTS = {"one_minus_momentum": 0.1, "one_minus_beta1": 0.1, "one_minus_beta2": 0.001, "epsilon": 1e-8}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The learning rate at every step: a warmup that is put in front, then the decay over `decay_steps`.

    The warmup ramps from 0 to `base` and is prepended: the decay keeps its length and its shape, and the run grows
    by `warmup_steps` (10 000 + 1 000 = 11 000). So `trial.max_train_steps` is the length of the decay, and
    `total_steps` is what a trial really trains. Linear and cosine fall to zero one step after the last, so that no
    step is spent at zero.

    Playbook: I8, I10
    """

    kind: str
    base: float
    decay_steps: int
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        if self.kind not in SCHEDULES:
            raise InputError(f"schedule: {self.kind!r} is unknown; allowed are {', '.join(SCHEDULES)}.")
        if not (math.isfinite(self.base) and self.base >= 0):
            raise InputError(f"learning_rate: {self.base} is no finite number of at least 0.")
        if self.warmup_steps < 0 or self.decay_steps < 1:
            raise InputError(
                f"warmup_steps: {self.warmup_steps} in front of {self.decay_steps} steps; "
                "give no fewer than 0 and max_train_steps no fewer than 1."
            )

    @property
    def total_steps(self) -> int:
        """Steps of the whole run: the warmup and the decay."""
        return self.warmup_steps + self.decay_steps

    def at(self, step: int) -> float:
        """The learning rate of the update at `step`; the first is 1, the last `total_steps`."""
        if step <= self.warmup_steps:
            return self.base * step / self.warmup_steps
        done = (step - self.warmup_steps - 1) / self.decay_steps
        if self.kind == "linear":
            return self.base * (1.0 - done)
        if self.kind == "cosine":
            return self.base * 0.5 * (1.0 + math.cos(math.pi * done))
        return self.base


def optimizer_at(point: Point, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """The optimizer that `point` names, with its hyperparameters: `adam.learning_rate` first, then `learning_rate`.

    All are PyTorch's own implementations, fused. Their update rules differ from the playbook's text (J20): Adam
    corrects each moment on its own and adds epsilon after both corrections, so ranges for epsilon do not carry
    over; momentum is not dampened and the learning rate multiplies the whole velocity; `weight_decay` is an L2
    penalty added to the gradient (of every parameter, biases too), decoupled from it in `adamw` alone.

    The learning rate has no default. A guard lists every hyperparameter before compute is spent (A3); a point that
    still lacks one of the others takes PyTorch's value (`DEFAULTS`), and no weight decay.

    Raises:
        InputError: an unknown optimizer, or a point without optimizer or learning rate.

    Playbook: C10, J20
    """
    name = str(point.get("optimizer", ""))
    if name not in OPTIMIZERS:
        raise InputError(f"optimizer: {name!r} is unknown; allowed are {', '.join(OPTIMIZERS)}.")
    rate, decay = learning_rate(point), as_float(point, "weight_decay", 0.0)
    if name in ("adam", "adamw"):
        betas = 1.0 - as_float(point, "one_minus_beta1"), 1.0 - as_float(point, "one_minus_beta2")
        rule = torch.optim.Adam if name == "adam" else torch.optim.AdamW
        return rule(parameters, lr=rate, betas=betas, eps=as_float(point, "epsilon"), weight_decay=decay, fused=True)
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, fused=True)
    momentum = 1.0 - as_float(point, "one_minus_momentum")
    nesterov = name == "nesterov" and momentum > 0  # without momentum there is nothing to look ahead along
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum, nesterov=nesterov, weight_decay=decay, fused=True)


def update_rule(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What was built, read off the optimizer itself: its class, torch's version, its options, and where they stand.

    `rule` says in words what the class does with them, and how that differs from the playbook's formulas: a range for
    epsilon, say, does not carry over from one to the other.

    Playbook: J20
    """
    group = optimizer.param_groups[0]
    options = {name: value for name in OPTIONS if isinstance(value := group.get(name), bool | int | float)}
    decoupled = bool(group.get("decoupled_weight_decay"))
    decay = "decoupled: the weights shrink by learning rate times weight decay" if decoupled else L2
    kind = type(optimizer)
    words = _ADAM if isinstance(optimizer, torch.optim.Adam) else _NESTEROV if group.get("nesterov") else _SGD
    return {
        "implementation": f"{kind.__module__}.{kind.__qualname__}",
        "version": f"torch {torch.__version__}",
        "options": options,
        "rule": {**words, "weight decay": decay if group.get("weight_decay") else f"none (it would be {decay})"},
    }


def learning_rate(point: Point) -> float:
    """The base learning rate at `point`.

    Raises:
        InputError: there is none, or it is no number.
    """
    return as_float(point, "learning_rate")


def as_float(point: Point, name: str, default: float | None = None) -> float:
    """An optimizer's hyperparameter as a float; without a value the default, or PyTorch's.

    Raises:
        InputError: no value and no default, or a value that is no finite number.
    """
    value: Value | None = optimizer_value(point, name, default if default is not None else DEFAULTS.get(name))
    if value is None:
        own = own_name(str(point.get("optimizer", "")), name)
        raise InputError(
            f"{own}: the point has no value for it, nor for {name}; give it one in the space or the baseline."
        )
    if isinstance(value, bool | str) or not math.isfinite(value):
        raise InputError(f"{name}: {value!r} is no finite number.")
    return float(value)
