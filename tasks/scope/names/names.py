"""`Names`: what the names of one round stand for, the user's own word first, then the dictionary."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.record import Frozen
from tasks.scope.error import InputError
from tasks.scope.names.dictionary.entry import Family
from tasks.scope.names.optimizers import optimizer_hyperparameters, optimizer_key
from tasks.scope.names.recognition import COMPLEMENTS, SPELLINGS, Known, recognise, segments
from tasks.scope.space import Parameter

OTHER = "other"
_FAMILIES: Mapping[str, tuple[str, Family]] = {
    "length": ("max_train_steps", "length"),
    "schedule": ("scheduler", "schedule"),
    "architecture": ("architecture", "architecture"),
    OTHER: (OTHER, "other"),
}
# What `workload.names` can call a hyperparameter: its name here, what it is one minus of, or its family.
KEYS: Mapping[str, tuple[str, Family]] = {
    **{s.meaning: (s.meaning, s.family) for s in SPELLINGS},
    **{s.meaning.removeprefix("one_minus_"): (s.meaning, s.family) for s in SPELLINGS if s.meaning in COMPLEMENTS},
    **_FAMILIES,
}
REGULARIZING: tuple[Family, ...] = ("regularizer", "augmentation")
_NUMBERS = frozenset({"warmup", "warmup_learning_rate", "min_learning_rate", "decay_steps", "decay_rate"})
_BETAS = ("one_minus_beta1", "one_minus_beta2", "betas")  # without a word on the optimizer, these show an Adam
# Around each optimizer hyperparameter's usual value: what a remedy offers where there is no range yet.
USUAL_VALUES: Mapping[str, str] = {
    "learning_rate": "[0.0001,0.001,0.01,0.1,1.0]",
    "one_minus_momentum": "[0.003,0.01,0.03,0.1,0.3]",
    "one_minus_beta1": "[0.01,0.03,0.1,0.3]",
    "one_minus_beta2": "[0.0001,0.001,0.01,0.1]",
    "epsilon": "[1e-10,1e-8,1e-6,1e-4,1e-2]",
    "weight_decay": "[1e-6,1e-5,1e-4,1e-3,1e-2]",
    "one_minus_rho": "[0.001,0.01,0.1]",
    "momentum_decay": "[0.001,0.004,0.016]",
    "initial_accumulator_value": "[0.001,0.01,0.1,1.0]",
}


class Names(Frozen):
    """What each name of a round was recognised as; `setting`: where the user says of the others what they are."""

    known: dict[str, Known] = {}
    setting: str = "workload.names"

    def of(self, name: str) -> Known | None:
        """What the name was recognised as, None where it was not."""
        return self.known[name] if name in self.known else recognise(name)

    def family(self, name: str) -> Family | None:
        """The family of a hyperparameter, or None where nothing says; `dropout.rate` is a regularizer's."""
        found = self.of(name)
        return found.family if found else None

    def meaning(self, name: str) -> str | None:
        """The hyperparameter that it is, or a part of: `learning_rate` for `backbone_lr`."""
        found = self.of(name)
        return found.meaning if found else None

    def bare(self, name: str) -> str:
        """The name without its parents, in this project's spelling where it is known: `learning_rate` for `adam.lr`."""
        found = self.of(name)
        plain = found is not None and found.exact and found.family in ("optimizer", "regularizer")
        return found.meaning if found and plain else (segments(name) or (name,))[-1]

    def direct(self, name: str) -> bool:
        """Whether it is a momentum or a beta itself, and not one minus it."""
        found = self.of(name)
        return found is not None and found.direct

    def is_switch(self, parameter: Parameter) -> bool:
        """Whether a regularizer's parameter turns it on and off, or picks one: choices do, a range is a strength."""
        found = self.of(parameter.name)
        if found is None or found.family not in REGULARIZING:
            return False
        listed = parameter.type == "choice" or any(isinstance(v, bool | str) for v in parameter.values)
        ends = set(parameter.values) if not parameter.numeric else {parameter.low, parameter.high}
        return listed or (found.switch and ends == {0, 1} and parameter.type != "float")

    def tuned_by_rule(self, name: str) -> bool:
        """Whether the playbook counts it among the optimizer's hyperparameters: a number of its schedule is one too."""
        found = self.of(name)
        return found is not None and (found.family == "optimizer" or found.meaning in _NUMBERS)

    def say(self, key: str, name: str = "NAME") -> str:
        """How the user tells which name is `key`: `workload.names={batch_size: NAME}`."""
        return f"{self.setting}={{{key}: {name}}}"

    def ask(self, key: str, name: str) -> str:
        """How the user tells whether a name is `key` or none of what guards ask about."""
        return f"{self.setting}={{{key}: {name}}} says so. The contrary is said by {{other: {name}}}"


def told_names(tree: Mapping[str, Any], where: str) -> dict[str, str]:
    """`{name: key}` from what the user says, `{key: name}` or `{key: [name, name]}`.

    Raises:
        InputError: a key that means nothing, a value that is no name, or a name that stands under two keys.
    """
    found: dict[str, str] = {}
    for key, value in tree.items():
        if key not in KEYS:
            raise InputError(f"{where}.{key}: unknown; allowed are {', '.join(sorted(KEYS))}.")
        for name in value if isinstance(value, list | tuple) else [value]:
            if not isinstance(name, str) or not name:
                raise InputError(
                    f"{where}.{key}: {name!r} is no name; write the hyperparameter's name, or a list of names."
                )
            if found.get(name, key) != key:
                raise InputError(f"{where}.{key}: {name!r} stands under {found[name]} too; it can be one thing only.")
            found[name] = key
    return found


def told_by_key(told: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """`{key: names}` of what the user said, as a workload holds it."""
    return {key: tuple(name for name, meant in told.items() if meant == key) for key in dict.fromkeys(told.values())}


def names_of(told: Mapping[str, str], values: Mapping[str, Sequence[object]], setting: str) -> Names:
    """What each name stands for; `values`: of every name of the round what it can be, as far as that is known.

    First without, then with what the optimizers that are in use are known to have.
    """
    said = {name: _told(key, name) for name, key in told.items()}
    first = {name: said.get(name) or recognise(name, v) for name, v in values.items()}
    having = frozenset(_having(first, values))
    known = {name: said.get(name) or recognise(name, v, having) for name, v in values.items()}
    return Names(known={**said, **{name: k for name, k in known.items() if k}}, setting=setting)


def _told(key: str, name: str) -> Known:
    meaning, family = KEYS[key]
    return Known(meaning=meaning, family=family, direct=meaning in COMPLEMENTS and key != meaning, told=True)


def _having(known: Mapping[str, Known | None], values: Mapping[str, Sequence[object]]) -> Iterator[str]:
    """The hyperparameters of the optimizers that names and values of a round show to be in use."""
    choices = [name for name, found in known.items() if found and found.meaning == "optimizer"]
    keys = [key for name in choices for key in map(optimizer_key, values.get(name, ())) if key]
    for key in keys:
        yield from optimizer_hyperparameters(key)
    if not keys and any(found and found.meaning in _BETAS for found in known.values()):
        yield "epsilon"
