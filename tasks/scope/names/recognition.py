"""Which hyperparameter a name is: `recognise` normalises it, and reads its namespace, the dictionary and its values."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

from tasks.record import Frozen
from tasks.scope.names.dictionary import architecture, optimization, regularization, training
from tasks.scope.names.dictionary.entry import Family, Rule, Spelling, spellings_in
from tasks.scope.names.namespaces import EVALUATION, INSIDE, SAYS_NOTHING, namespace_kind
from tasks.scope.names.optimizers import names_optimizers, words

TABLES = (optimization.TABLES, regularization.TABLES, architecture.TABLES, training.TABLES)
SPELLINGS: tuple[Spelling, ...] = tuple(s for tables in TABLES for s in spellings_in(tables))
# Of these the name may say the value itself or one minus it; here they are called by the latter.
COMPLEMENTS = frozenset({"one_minus_momentum", "one_minus_beta1", "one_minus_beta2", "one_minus_rho"})

_OWN_PARTS = frozenset({"regularizer", "augmentation", "architecture", "clipping", "accumulation"})
_SWITCH = re.compile(r"^(?:use|with|enable|apply|do|no|disable|add|has|is)_|_(?:enabled?|on|flag)$")
_INDEX = re.compile(r"_?l?\d+$|(?<=[a-z])_[a-d]$")
_ACTIVATIONS = words("relu gelu tanh silu swish elu selu leaky_relu sigmoid mish prelu")


class Known(Frozen):
    """What a name was recognised as.

    `meaning`: the hyperparameter's name here. `exact`: it is that and no part of it (`head_lr` is not exact). `direct`:
    of a momentum or a beta, that the name stands for itself and not for one minus it. `switch`: the name says that it
    turns something on or off. `told`: the user said so.
    """

    meaning: str
    family: Family
    exact: bool = True
    direct: bool = False
    switch: bool = False
    told: bool = False


def segments(name: str) -> tuple[str, ...]:
    """A name's parts in lower case with underscores: `("optimizer", "weight_decay")` of `optimizer.weightDecay`."""
    parts = (re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", part).lower() for part in re.split(r"[./:]+", name.strip()))
    return tuple(word for part in parts if (word := re.sub(r"[^a-z0-9]+", "_", part).strip("_")))


def recognise(name: str, values: Sequence[object] = (), having: Collection[str] = ()) -> Known | None:
    """What the name stands for; None where neither it nor its values say.

    `values`: those that it can take, where they are known. `having`: the hyperparameters of the optimizers that are
    known to be in use: `eps` is one of an optimizer only where that has one.
    """
    texts = [v for v in values if isinstance(v, str)]
    if names_optimizers(texts):
        return Known(meaning="optimizer", family="optimizer choice")
    found = _by_name(name, frozenset(having))
    if found and found.meaning == "learning_rate" and texts and len(texts) == len(values):
        return Known(meaning="scheduler", family="schedule")  # scikit-learn's learning_rate=adaptive
    if found is None and len({t.lower() for t in texts} & _ACTIVATIONS) > 1:
        return Known(meaning="activation", family="architecture")
    return found


@lru_cache(maxsize=4096)
def _by_name(name: str, having: frozenset[str]) -> Known | None:
    *parents, leaf = segments(name) or ("",)
    near = next((p for p in reversed(parents) if p not in SAYS_NOTHING), None)
    kind = None if near is None else namespace_kind(near, _written(near, name))
    said = _leaf(leaf, parents[-1] if parents else None, kind, having)
    if said is None and near is not None:
        said = _part_of(near, kind)
    about = {*parents} if said and said.exact else {*parents, *leaf.split("_")}
    if said and about & EVALUATION and said.family != "evaluation batch size":
        batch = said.family == "batch size"
        return Known(meaning="evaluation_batch_size", family="evaluation batch size", exact=False) if batch else None
    return said


def _written(near: str, name: str) -> str:
    """The namespace as it stands in the name."""
    return next((part for part in name.split(".") if segments(part) == (near,)), near)


def _part_of(near: str, kind: str | None) -> Known | None:
    """A name within a regularizer, an augmentation or a layer is of the same: `dropout.rate`, `mixup.alpha`."""
    if kind in ("augmentation", "regularizer"):
        return Known(meaning=kind, family=kind, exact=False)  # type: ignore[arg-type]
    found = _leaf(near, None, None, frozenset()) if kind == "foreign" else None
    return found.model_copy(update={"exact": False}) if found and found.family in _OWN_PARTS else None


def _leaf(leaf: str, parent: str | None, kind: str | None, having: frozenset[str]) -> Known | None:
    """What the last part of a name says: as a whole, by its end, its beginning, without a switch, without a number."""
    for text in (f"{parent}.{leaf}", leaf):
        found = [s for s in _WHOLE.get(text, ()) if _admits(s, kind, having)]
        if found:
            return _known(min(found, key=lambda s: _preferred(s, kind)), exact=True)
    parts, switches = leaf.split("_"), bool(_SWITCH.search(leaf))
    for i in range(1, len(parts)):
        if ending := _BY_RULE["ends"].get("_".join(parts[i:])):
            return _known(ending, exact=False, switch=switches)
    for i in range(len(parts) - 1, 0, -1):
        if beginning := _BY_RULE["starts"].get("_".join(parts[:i])):
            return _known(beginning, exact=False, switch=switches)
    for pattern, switch in ((_SWITCH, True), (_INDEX, False)):
        shorter = pattern.sub("", leaf, count=1)
        if shorter and shorter != leaf and (found_ := _leaf(shorter, parent, kind, having)):
            return found_.model_copy(update={"exact": False, "switch": switch or found_.switch})
    return None


def _admits(s: Spelling, kind: str | None, having: frozenset[str]) -> bool:
    """Whether the spelling is recognised in a namespace of this kind."""
    if s.rule in ("ends", "starts", "whole") or kind in INSIDE.get(s.family, ()):
        return True
    return kind is None and (s.rule == "alone" or (s.rule == "known" and s.meaning in having))


def _preferred(s: Spelling, kind: str | None) -> int:
    """Among several, what its namespace is about first, then what needs an optimizer that is known to be in use."""
    return 0 if kind in INSIDE.get(s.family, ()) else 1 if s.rule == "known" else 2


def _known(s: Spelling, *, exact: bool, switch: bool = False) -> Known:
    direct = s.meaning in COMPLEMENTS and "one_minus" not in s.text
    return Known(meaning=s.meaning, family=s.family, exact=exact, direct=direct, switch=switch)


def _whole() -> dict[str, tuple[Spelling, ...]]:
    found: dict[str, tuple[Spelling, ...]] = {}
    for s in SPELLINGS:
        found[s.text] = (*found.get(s.text, ()), s)
    return found


def _ending(rules: tuple[Rule, ...]) -> Iterator[tuple[str, Spelling]]:
    yield from ((s.text, s) for s in SPELLINGS if s.rule in rules)


_WHOLE: Mapping[str, tuple[Spelling, ...]] = _whole()
_BY_RULE: Mapping[str, Mapping[str, Spelling]] = {
    "ends": dict(_ending(("ends", "starts"))),
    "starts": dict(_ending(("starts",))),
}
