"""`Promotion`: what a round would make the incumbent; of a kind without a gate, what it measured."""

from typing import Final

from tasks.answers import Answer
from tasks.promote.comparison import Comparison
from tasks.record import Frozen, Value
from tasks.scope.goal import BUDGET, WORKLOAD
from tasks.scope.roles import Scope
from tasks.text import point_text

_PREFIXES: Final = {"budget": BUDGET, "workload": WORKLOAD}


class Promotion(Frozen):
    """A configuration that is to be the incumbent: its point, with the settings that hold from then on.

    `study` and `trial` selected it; empty where it was measured. `gain`: over the incumbent, in the metric's unit; None
    where nothing was compared. `reasons` and `comparisons`: what it stands on.
    """

    study: str = ""
    trial: str = ""
    point: dict[str, Value]
    settings: dict[str, Value]
    gain: float | None = None
    reasons: tuple[str, ...]
    comparisons: tuple[Comparison, ...] = ()


def measured_settings(scope: Scope, answer: Answer) -> dict[str, Value]:
    """The settings that the answer comes to, of those that goals of its kind promote; empty where it is open."""
    prefix = _PREFIXES.get(scope.goal.facts.promotes)
    if prefix is None or not answer.conclusive:
        return {}
    return {name: value for name, value in answer.settings.items() if name.startswith(prefix)}


def measured(scope: Scope, answer: Answer) -> Promotion | None:
    """The incumbent with what was measured in place of its own settings; None where it has these settings already.

    Playbook: G9
    """
    found = measured_settings(scope, answer)
    now = scope.incumbent
    if not found or all(now.settings.get(name) == value for name, value in found.items()):
        return None
    return Promotion(
        point=now.point,
        settings={**now.settings, **found},
        reasons=(f"Measured: {point_text(found)}, in place of what holds so far.",),
    )
