"""The well-established optimizers and every hyperparameter that each of them has."""

from collections.abc import Mapping

from tasks.record import Point, Value

OPTIMIZERS: Mapping[str, tuple[str, ...]] = {
    "sgd": ("learning_rate",),
    "momentum": ("learning_rate", "one_minus_momentum"),
    "nesterov": ("learning_rate", "one_minus_momentum"),
    "adam": ("learning_rate", "one_minus_beta1", "one_minus_beta2", "epsilon"),
    "adamw": ("learning_rate", "one_minus_beta1", "one_minus_beta2", "epsilon", "weight_decay"),
}


def own_name(optimizer: str, name: str) -> str:
    """The name under which an optimizer's own hyperparameter stands: `adam.learning_rate` (C10)."""
    return f"{optimizer}.{name}"


def optimizer_value(point: Point, name: str, default: Value | None = None) -> Value | None:
    """The value of an optimizer's hyperparameter at `point`: its own conditional name first, then the bare name.

    Playbook: C10
    """
    own = own_name(str(point.get("optimizer", "")), name)
    return point[own] if own in point else point.get(name, default)
