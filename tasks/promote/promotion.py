"""`Promotion`: what a round would make the incumbent; of a kind without a gate, what it measured."""

from collections.abc import Iterable
from typing import Final

from tasks.answers import Answer
from tasks.promote.comparison import Comparison
from tasks.record import Frozen, Value
from tasks.scope.goal import BUDGET, WORKLOAD, in_force
from tasks.scope.roles import Scope
from tasks.text import point_text

_PREFIXES: Final = {"budget": BUDGET, "workload": WORKLOAD}


class Promotion(Frozen):
    """A configuration that is to be the incumbent: its point, with the settings that hold from then on.

    `study` and `trial` selected it; empty where it was measured. `gain`: over the incumbent, in the metric's unit; None
    where nothing was compared. `reasons` and `comparisons`: what it stands on. `in_writing`: the rows that would have
    kept it from being promoted had nobody acknowledged them, with what was written.
    """

    study: str = ""
    trial: str = ""
    point: dict[str, Value]
    settings: dict[str, Value]
    gain: float | None = None
    reasons: tuple[str, ...]
    comparisons: tuple[Comparison, ...] = ()
    in_writing: dict[str, str] = {}


def measured_settings(scope: Scope, answer: Answer) -> dict[str, Value]:
    """The settings that the answer comes to, of those that goals of its kind promote; empty where it is open.

    Raises:
        InputError: a value that no budget can have.
    """
    prefix = _PREFIXES.get(scope.goal.facts.promotes)
    if prefix is None or not answer.conclusive:
        return {}
    found = {name: value for name, value in answer.settings.items() if name.startswith(prefix)}
    scope.budget.with_settings(found)
    return found


def measured(scope: Scope, answer: Answer) -> Promotion | None:
    """The incumbent with what was measured beside its other settings; None where the round ran on these values already.

    Playbook: G9
    """
    found = measured_settings(scope, answer)
    held = {name: in_force(name, scope.budget, {}) for name in found if name.startswith(BUDGET)} | scope.settings
    if not found or all(held.get(name) == value for name, value in found.items()):
        return None
    return Promotion(
        point=scope.incumbent.point,
        settings={**scope.settings, **found},
        reasons=(f"Measured: {point_text(found)}, in place of what holds so far.",),
    )


def moved(of: Scope, now: Scope, measured: Iterable[str] = ()) -> bool:
    """Whether the incumbent's settings, but for those that are `measured`, are others than those of the round's trials.

    Of a goal without a gate, whether its point is another, too: nothing was retrained at it.
    """
    before, after = of.incumbent, now.incumbent
    names = {*before.settings, *after.settings} - set(measured)
    other = any(before.settings.get(name) != after.settings.get(name) for name in names)
    return other or (not of.goal.facts.gate and before.point != after.point)
