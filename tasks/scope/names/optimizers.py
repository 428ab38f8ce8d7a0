"""The well-established optimizers, how their names are written, and the hyperparameters that each of them has."""

import re
from collections.abc import Mapping

from tasks.record import Point, Value


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# The optimizers of `tasks.trials.supervised`, and every hyperparameter that each of them has.
OPTIMIZERS: Mapping[str, tuple[str, ...]] = {
    "sgd": ("learning_rate",),
    "momentum": ("learning_rate", "one_minus_momentum"),
    "nesterov": ("learning_rate", "one_minus_momentum"),
    "adam": ("learning_rate", "one_minus_beta1", "one_minus_beta2", "epsilon"),
    "adamw": ("learning_rate", "one_minus_beta1", "one_minus_beta2", "epsilon", "weight_decay"),
}
_ADAM = OPTIMIZERS["adam"]
# Those whose hyperparameters are listed in full: what PyTorch's and Keras's implementations have in common, without
# what switches a variant on (amsgrad, centered) and without a momentum or a weight decay that is 0 unless it is set.
LISTED: Mapping[str, tuple[str, ...]] = {
    **OPTIMIZERS,
    "nadam": (*_ADAM, "momentum_decay"),  # of PyTorch and timm; Keras's Nadam and AlgoPerf's NAdamW are without it
    "nadam of keras": _ADAM,
    "nadamw": (*_ADAM, "weight_decay"),
    "radam": _ADAM,
    "adamax": _ADAM,
    "lamb": (*_ADAM, "weight_decay"),
    "lion": ("learning_rate", "one_minus_beta1", "one_minus_beta2", "weight_decay"),
    "rmsprop": ("learning_rate", "one_minus_rho", "epsilon"),
    "adadelta": ("learning_rate", "one_minus_rho", "epsilon"),
    "adagrad": ("learning_rate", "initial_accumulator_value", "epsilon"),
}
# Known by name alone: no guard says which hyperparameters they have.
NAMED = words(
    """
    adafactor ademamix adabelief adan adopt adamp sgdp sgdw lars larc novograd madgrad muon musgd shampoo soap
    sophia kron mars lomo adalomo lbfgs asgd rprop ftrl adahessian yogi lookahead ranger prodigy dadaptadam
    dadaptsgd grokadamw stableadamw laprop schedulefreeadamw schedulefreesgd schedulefreeradam galoreadamw
    galoreadafactor apolloadamw adampax sparseadam sm3
    """
)
_ALSO: Mapping[str, str] = {
    "sgdm": "momentum",
    "sgdmomentum": "momentum",
    "sgdwithmomentum": "momentum",
    "momentumsgd": "momentum",
    "heavyball": "momentum",
    "nag": "nesterov",
    "sgdnesterov": "nesterov",
    "nesterovmomentum": "nesterov",
    "nesterovsgd": "nesterov",
    "adamweightdecay": "adamw",
    "rmsproptf": "rmsprop",
}
# What says how an optimizer is computed, and changes none of its hyperparameters.
_DRESS = re.compile(
    r"^(?:paged|bnb|fused|foreach|apex|deepspeedcpu|cpu|distributed|decoupled|torch|tf|keras|optax)"
    r"|(?:torch|fused|hf|apex|bnb|8bit|4bit|32bit|xla|npu|optimizer|legacy|layerwise|anyprecision|capturable)$"
)
# Names that are words of other things too: alone among a parameter's values they name no optimizer.
_WEAK = frozenset({"momentum", "nesterov", "lion", "lamb", "muon", "mars", "kron", "adopt", "soap", "yogi", "ranger"})
MOMENTUM = "one_minus_momentum"
# What else shows that an optimizer has a hyperparameter that need not be listed for it.
_FURTHER: Mapping[str, tuple[str, ...]] = {
    "sgd": (MOMENTUM, "dampening", "weight_decay"),
    "rmsprop": (MOMENTUM, "weight_decay"),
    "adafactor": ("learning_rate", "one_minus_beta1", "epsilon", "beta2_decay", "clip_threshold", "weight_decay"),
    "ademamix": _ADAM,
    "adabelief": _ADAM,
    "adan": _ADAM,
    "adamp": _ADAM,
    "adopt": _ADAM,
    "shampoo": _ADAM,
    "sophia": _ADAM,
    "stableadamw": _ADAM,
    "schedulefreeadamw": _ADAM,
    "galoreadamw": _ADAM,
    "apolloadamw": _ADAM,
    "grokadamw": _ADAM,
    "adampax": _ADAM,
}


def optimizer_key(value: object) -> str | None:
    """The optimizer that a value names, by its key here: `adamw` for `torch.optim.AdamW` or `adamw_torch_fused`.

    None where it names none that is known.
    """
    if not isinstance(value, str):
        return None
    last = value.strip().rpartition(".")[2]
    if last == "Nadam":
        return "nadam of keras"
    text = re.sub(r"[^a-z0-9]", "", last.lower())
    while text not in LISTED and text not in NAMED and text not in _ALSO:
        text, cut = _DRESS.subn("", text, count=1)
        if not cut:
            return None
    return _ALSO.get(text, text)


def names_optimizers(values: object) -> bool:
    """Whether values are optimizers: one of them is known, and is no word that means other things as well."""
    found = {optimizer_key(v) for v in values} if isinstance(values, list | tuple) else set()
    return bool(found - {None} - _WEAK)


def optimizer_hyperparameters(key: str) -> tuple[str, ...]:
    """Every hyperparameter that the optimizer is known to have, those that need not be set included."""
    return (*LISTED.get(key, ()), *(n for n in _FURTHER.get(key, ()) if n not in LISTED.get(key, ())))


def has_hidden_momentum(key: str | None) -> bool:
    """Whether implementations of the optimizer have a momentum that is not listed, for it is 0 unless it is set."""
    return MOMENTUM in _FURTHER.get(key or "", ())


def own_name(optimizer: str, name: str) -> str:
    """The name under which an optimizer's own hyperparameter stands: `adam.learning_rate` (C10)."""
    return f"{optimizer}.{name}"


def optimizer_value(point: Point, name: str, default: Value | None = None) -> Value | None:
    """The value of an optimizer's hyperparameter at `point`: its own conditional name first, then the bare name.

    Playbook: C10
    """
    own = own_name(str(point.get("optimizer", "")), name)
    return point[own] if own in point else point.get(name, default)
