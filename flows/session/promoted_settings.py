"""Settings that were promoted (a budget's value, a workload's argument), put into the configuration of a round."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from flows.compose.config import RoundConfig
from flows.compose.messages import tell, validation_sentence
from tasks.promote.next import override_key
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import BUDGET, WORKLOAD, Budget, Incumbent, in_force
from tasks.text import as_yaml, point_text, show


def with_settings(config: RoundConfig, settings: Mapping[str, Value]) -> RoundConfig:
    """The configuration with the promoted settings in place of what the YAML says; what was typed stays.

    A typed `workload.curve={...}` says what is in it, too; the choice of a YAML (`budget=quick`) is no value. Where a
    promoted length is shorter than the steps between two evaluations, there is one at its end.

    Raises:
        InputError: a setting of something that the budget or the workload does not have, or that does not fit.
    """
    own = {key: value for key, value in settings.items() if not _typed(config, key)}
    strange = next((key for key in own if not _known(key)), None)
    if strange is not None:
        raise InputError(f"incumbent.settings: {strange} is promoted, and is no setting of the budget or the workload.")
    try:
        budget = config.budget.with_settings(own, shorten=not _typed(config, f"{BUDGET}eval_every_steps"))
        arguments = config.workload.arguments_with(own)
    except (InputError, ValidationError) as error:
        said = validation_sentence(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"incumbent.settings: {point_text(settings)} is promoted and does not fit: {said}") from None
    workload = config.workload.model_copy(update={"arguments": arguments})
    return config.model_copy(update={"budget": budget, "workload": workload})


def settled_config(config: RoundConfig, incumbent: Incumbent) -> RoundConfig:
    """The configuration that the round runs on, once it was told which promoted settings count in it."""
    settled = with_settings(config, incumbent.settings)
    for key, value in incumbent.settings.items():
        if (before := _get(config, key)) != _get(settled, key):
            there = as_yaml(before)
            tell(f"{key} = {show(value)} as promoted (generation {incumbent.generation}), where {there} stood")
    return settled


def without(overrides: Iterable[str], settings: Mapping[str, Value]) -> tuple[str, ...]:
    """The overrides but for those that say one of these settings, or what it is within, and would win over it.

    Where a length is among the settings, a longer distance between two evaluations would not fit it and goes, too.
    """
    every, length = f"{BUDGET}eval_every_steps", settings.get(f"{BUDGET}max_train_steps")
    keys = {*settings, *([every] if length is not None else [])}
    return tuple(o for o in overrides if not any(_says(o, key) for key in keys))


def _typed(config: RoundConfig, key: str) -> bool:
    """Whether an override says the value, or that of something which it is within."""
    return any(_says(override, key) for override in config.overrides)


def _says(override: str, key: str) -> bool:
    name = override_key(override)
    return key == name or ("." in name and key.startswith(f"{name}."))


def _known(key: str) -> bool:
    return key.startswith(WORKLOAD) or (key.removeprefix(BUDGET) in Budget.model_fields and key.startswith(BUDGET))


def _get(config: RoundConfig, key: str) -> Any:
    return in_force(key, config.budget, config.workload.arguments)
