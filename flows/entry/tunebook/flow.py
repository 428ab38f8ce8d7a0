"""The flow `tune-round` as a process that Prefect starts imports it: by a name that no package of the user's has."""

from tunebook import bind

bind()

from flows.compose.called import CONSOLE, called_as  # noqa: E402 - ours only now
from flows.prefect.flow import tune_round  # noqa: E402

called_as(CONSOLE)

__all__ = ["tune_round"]
