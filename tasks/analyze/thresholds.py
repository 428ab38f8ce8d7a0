"""The thresholds that checks and reviews declare, collected from the registry, and the policy that sets them."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from tasks.analyze import analysis
from tasks.analyze.checks.check import Check
from tasks.analyze.reviews.review import Review
from tasks.record import Frozen
from tasks.scope.arms import listing
from tasks.scope.error import InputError
from tasks.scope.policy import Policy

BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


def declarations() -> tuple[type[Frozen], ...]:
    """The types in which the registry's checks and reviews declare thresholds, each once, in their order."""
    registry: tuple[Check | Review, ...] = (*analysis.CHECKS, *analysis.REVIEWS)
    return tuple(dict.fromkeys(kind for asked in registry for kind in asked.thresholds))


def declared_thresholds() -> dict[str, FieldInfo]:
    """Every threshold that the registry declares, by name.

    Raises:
        ValueError: two declarations of one name, or of a name that every policy has.
    """
    found: dict[str, FieldInfo] = {}
    for kind in declarations():
        twice = [name for name in kind.model_fields if name in found or name in Policy.model_fields]
        if twice:
            raise ValueError(f"{kind.__name__}.{twice[0]}: a threshold of that name is declared elsewhere")
        found |= kind.model_fields
    return found


def default_thresholds() -> dict[str, Any]:
    """The defaults of every threshold that the registry declares, by name."""
    return {name: field.default for name, field in declared_thresholds().items()}


def policy_from_tree(tree: Mapping[str, Any]) -> Policy:
    """The policy that a mapping of names to values says, the other thresholds of the checks at their defaults.

    Raises:
        InputError: there is no such threshold, or its value will not do; the one sentence to show.
        ValidationError: what the fields of `Policy` have against a value.
    """
    declared = declared_thresholds()
    known = {*declared, *Policy.model_fields}
    for name in tree:
        if name not in known:
            raise InputError(_unknown(str(name), known))
    values: dict[str, Any] = {}
    for kind in declarations():
        values |= _checked(kind, {n: v for n, v in tree.items() if n in kind.model_fields})
    return Policy.model_validate({**tree, **values})


def bounds_text(field: FieldInfo) -> str:
    """The bounds of a threshold in words: `above 0 and below 0.5`."""
    return " and ".join(_bounds(field)) or "any number"


def _checked(kind: type[Frozen], given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return kind.model_validate(given).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        field = kind.model_fields[name]
        what = "a whole number" if field.annotation is int else "a number"
        raise InputError(
            f"policy.{name}: {first['input']!r} will not do: it must be {what}, {bounds_text(field)}."
        ) from None


def _bounds(field: FieldInfo) -> Iterator[str]:
    for constraint in field.metadata:
        for name, words in BOUNDS.items():
            if (value := getattr(constraint, name, None)) is not None:
                yield f"{words} {value}"


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=3, cutoff=0.65)
    hint = f"nearest are {listing(near)}" if near[1:] else f"nearest is {near[0]}" if near else "none is near"
    return f"policy.{name}: there is no such threshold; {hint}; --cfg job --package policy shows all."
