"""Settings that were promoted (a budget's value, a workload's argument), put into the configuration of a round."""

from collections.abc import Mapping
from typing import Any

from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.compose.overrides import key_of_override
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import BUDGET, WORKLOAD, Budget, Incumbent
from tasks.text import show


def with_settings(config: RoundConfig, settings: Mapping[str, Value]) -> RoundConfig:
    """The configuration with the promoted settings in place of what the YAML says; what was typed stays.

    Raises:
        InputError: a setting of something that the budget or the workload does not have.
    """
    typed = {key_of_override(override) for override in config.overrides}
    for key, value in settings.items():
        if key not in typed:
            config = _set(config, key, value)
    return config


def outranked(config: RoundConfig, settings: Mapping[str, Value]) -> tuple[str, ...]:
    """A sentence for each promoted setting that an override replaces with another value."""
    typed = {key_of_override(override) for override in config.overrides}
    both = ((key, value, _get(config, key)) for key, value in settings.items() if key in typed)
    return tuple(
        f"{key} = {show(own)} as typed, where {show(value)} was promoted." for key, value, own in both if own != value
    )


def settled_config(config: RoundConfig, incumbent: Incumbent) -> RoundConfig:
    """The configuration that the round runs on, once it was told which promoted settings count in it."""
    settled = with_settings(config, incumbent.settings)
    for key, value in incumbent.settings.items():
        if (before := _get(config, key)) != _get(settled, key):
            tell(f"{key} = {show(value)} as promoted (generation {incumbent.generation}), where {show(before)} stood")
    for sentence in outranked(settled, incumbent.settings):
        tell(f"warning: {sentence}")
    return settled


def _set(config: RoundConfig, key: str, value: Value) -> RoundConfig:
    if key.startswith(BUDGET):
        name = key.removeprefix(BUDGET)
        if name not in Budget.model_fields:
            raise InputError(f"incumbent.settings: {key} is promoted, and a budget has no {name}; remove it.")
        return config.model_copy(update={"budget": Budget.model_validate({**config.budget.model_dump(), name: value})})
    if key.startswith(WORKLOAD):
        arguments = config.workload.arguments_with({key: value})
        return config.model_copy(update={"workload": config.workload.model_copy(update={"arguments": arguments})})
    raise InputError(f"incumbent.settings: {key} is promoted, and is neither of the budget nor of the workload.")


def _get(config: RoundConfig, key: str) -> Any:
    """What the configuration has for the setting; None where it has nothing."""
    if key.startswith(BUDGET):
        return getattr(config.budget, key.removeprefix(BUDGET), None)
    found: Any = config.workload.arguments
    for name in key.removeprefix(WORKLOAD).split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
