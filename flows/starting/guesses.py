"""Which arguments are hyperparameters worth tuning, by their names and defaults, and first ranges for them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flows.starting.script.arguments import Argument
from flows.starting.script.source import UNREAD
from tasks.record import Value
from tasks.text import show

Domain = Mapping[str, Any]
# What a hyperparameter is; of these, in this order, is the first question asked.
Family = Literal[
    "weight decay",
    "dropout",
    "label smoothing",
    "warmup",
    "width",
    "layers",
    "activation",
    "momentum",
    "learning rate",
]
_NAMES: Mapping[Family, str] = {
    "learning rate": r"(?!(?:min|warmup|final|end|decay|cooldown|lowest)_)(?:\w+_)?(?:lr|learning_rate)|lr0|blr",
    "weight decay": r"(?:\w+_)?(?:weight_decay|wd)|l2(?:_\w+)?",
    "momentum": r"(?:sgd_|optimizer_|optim_|nesterov_)?momentum|(?:adam_)?(?:beta_?[12]|b[12])",
    "dropout": r"(?:\w+_)?dropout(?:_rate|_prob|_probability|_p)?|p_dropout|drop(?:_path)?(?:_rate|_prob)?|droppath",
    "label smoothing": r"label_smoothing|smoothing|ls_alpha",
    "warmup": r"(?:num_|lr_)?warmup(?:_steps|_epochs|_iters|_ratio|_fraction|_proportion)?",
    "width": r"(?:\w+_)?(?:hidden_(?:size|dim|units|features|channels)|width|d_model|n_embd|embed_dim)|hidden|units",
    "layers": r"(?:num_|n_)?(?:hidden_)?layers?|(?:num_|n_)blocks|depth|nlayers",
    "activation": r"activation(?:_fn|_function)?|act(?:_fn)?|nonlinearity",
}
_LEAST = 1e-12  # of a rate or a decay that is one
_MOST = 10**9  # of a size, or of steps
BETAS = r"(?:adam_)?betas"


@dataclass(frozen=True)
class Guess:
    """A hyperparameter with its first domain, as a space has it; `value`: the script's default, if there is one."""

    name: str
    family: Family
    domain: Domain
    value: Value | None
    why: str

    @property
    def ranged(self) -> bool:
        """Whether it is a range of numbers."""
        return "low" in self.domain


def guesses_of(argument: Argument, name: str, steps: int) -> list[Guess] | str:
    """The hyperparameters that an argument is; else why it is none, empty where its name says nothing.

    A pair of betas is two. `steps`: how long a trial is, in what the script counts.
    """
    if argument.count == 2 and re.fullmatch(BETAS, name):
        return _betas(argument, name)
    family = next((f for f, pattern in _NAMES.items() if re.fullmatch(pattern, name)), None)
    if family is None:
        return ""
    if not argument.single:
        return "it takes several values"
    value = argument.default
    if argument.count == 1 and isinstance(value, tuple) and len(value) == 1:
        (value,) = value
    if value is UNREAD:
        return "its default is computed when the script runs"
    if value is None and not argument.required:
        return "its default is None, so the script itself decides"
    if argument.choices is not None:
        return _listed(argument, name, family, value)
    if family == "activation" or argument.kind == "str":
        return "its choices are not written out" if family == "activation" else "it has no type, so it would get a text"
    whole = argument.kind == "int"
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"its default is no number ({value!r})"
    domain = _DOMAINS[family](value, whole, steps)
    if domain is None and value is None:
        return f"a {family} cannot be guessed without a default"
    if domain is None:
        return f"its default {show(value)} is unusual for a {family}"
    if whole and family in ("learning rate", "weight decay", "momentum", "dropout", "label smoothing"):
        return f"its values are whole numbers, which is unusual for a {family}"
    said = "the name" if value is None else f"the name and the default {show(value)}"
    value = value if value is None or whole else float(value)
    return [Guess(name, family, domain, value, f"guessed from {said}")]


def _betas(argument: Argument, name: str) -> list[Guess] | str:
    values = argument.default
    if argument.kind != "float" or not isinstance(values, tuple) or len(values) != 2:
        return "its default is no pair of numbers"
    made = [(f"beta{i}", v, _momentum(v, False, 0) if isinstance(v, float) else None) for i, v in enumerate(values, 1)]
    if any(domain is None for _, _, domain in made):
        return f"its default {values} is unusual for a pair of betas"
    return [Guess(n, "momentum", d or {}, v, f"guessed from {name} and the default {show(v)}") for n, v, d in made]


def _listed(argument: Argument, name: str, family: Family, value: Any) -> list[Guess] | str:
    """A domain from the choices that the script itself allows."""
    choices = argument.choices or ()
    if value is not None and value not in choices:
        return "its default is none of its choices"
    if len(choices) < 2 or len(set(choices)) < len(choices):
        return "there is nothing to choose"
    if family == "activation":
        plain = all(isinstance(c, str) and _is_word(c) for c in choices)
        domain: Domain = {"choices": list(choices)}
    else:
        plain = all(isinstance(c, int | float) and not isinstance(c, bool) for c in choices)
        domain = {"values": sorted(choices) if plain else []}
    return (
        [Guess(name, family, domain, value, "the script's own choices")] if plain else "its choices are of another kind"
    )


def _is_word(text: str) -> bool:
    """Whether a text means itself wherever it is written: in YAML and on a command line."""
    return text.isprintable() and text not in ("", "???", "***") and not text.startswith("-") and "${" not in text


def _log(value: float | None, usual: tuple[float, float], most: float) -> Domain | None:
    """From a tenth to ten times the value; the usual range where there is none, or it is 0."""
    if value is None or value == 0:
        return {"low": usual[0], "high": usual[1], "scale": "log"}
    return (
        {"low": _rounded(value / 10), "high": _rounded(value * 10), "scale": "log"} if _LEAST < value <= most else None
    )


def _rate(value: float | None, whole: bool, steps: int) -> Domain | None:
    return None if value == 0 else _log(value, (1e-4, 1e-1), 1e3)


def _decay(value: float | None, whole: bool, steps: int) -> Domain | None:
    return _log(value, (1e-6, 1e-2), 10)


def _momentum(value: float | None, whole: bool, steps: int) -> Domain | None:
    """One minus the momentum from a tenth to twice of what it is."""
    rest = 1 - (0.9 if value is None else value)
    if not 0 < rest <= 1:
        return None
    return {"low": max(0.0, _rounded(1 - 2 * rest)), "high": _rounded(1 - rest / 10) if rest < 0.9 else 0.9}


def _share(usual: float, most: float) -> Callable[[float | None, bool, int], Domain | None]:
    """The domain of a share that is usually at most `usual`, and never above `most`."""

    def domain(value: float | None, whole: bool, steps: int) -> Domain | None:
        share = value or 0.0
        return {"low": 0.0, "high": _rounded(max(usual, min(1.6 * share, most)))} if 0 <= share < most else None

    return domain


def _warmup(value: float | None, whole: bool, steps: int) -> Domain | None:
    """Up to a quarter of the training, or twice of what it is."""
    if not 0 <= (value or 0) <= _MOST or (not whole and not 0 <= (value or 0) < 1):
        return None
    if whole:
        return {"low": 0, "high": int(max(steps // 4, 2 * (value or 0), 1)), "type": "int"}
    return {"low": 0.0, "high": _rounded(max(0.25, min(2 * (value or 0), 0.9)))}


def _size(value: float | None, whole: bool, steps: int) -> Domain | None:
    """Half, once and twice the value."""
    if value is None or not whole or not 2 <= value <= _MOST:
        return None
    return {"values": sorted({int(value) // 2, int(value), 2 * int(value)})}


def _count(value: float | None, whole: bool, steps: int) -> Domain | None:
    """One less, the value and one more; half and twice of what are many."""
    if value is None or not whole or not 1 <= value <= _MOST:
        return None
    near = {int(value) - 1, int(value), int(value) + 1} if value < 6 else {int(value) // 2, int(value), 2 * int(value)}
    return {"values": sorted(near - {0})}


def _rounded(value: float) -> float:
    """To four significant digits: a bound need not be exact."""
    return float(f"{value:.4g}")


_DOMAINS: Mapping[Family, Callable[[Any, bool, int], Domain | None]] = {
    "learning rate": _rate,
    "weight decay": _decay,
    "momentum": _momentum,
    "dropout": _share(0.5, 0.95),
    "label smoothing": _share(0.2, 0.6),
    "warmup": _warmup,
    "width": _size,
    "layers": _count,
}
