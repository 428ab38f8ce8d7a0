"""A third kind of goal for the tests of the seam: how many steps a trial needs, at the incumbent's point.

A probe without baseline and gate: each of its trials brings its own steps and runs alone, and what it promotes is a
value of the budget.
"""

from flows.own import OWN, Own
from tasks.analyze.analysis import unanswered
from tasks.analyze.study.evidence import Evidence
from tasks.answers import Answer
from tasks.design.study import Study, derived_seed
from tasks.record import hash_of
from tasks.scope.goal import BUDGET
from tasks.scope.kinds import KINDS, Kind
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter, Space

STEPS = f"{BUDGET}max_train_steps"
LENGTHS = (4, 8, 16, 32, 64)
ENOUGH = 0.02  # of the best loss: so much more is as good
LENGTH = Kind(
    name="length",
    compares=False,
    baseline=False,
    gate=False,
    purpose="probe",
    alone=True,
    own_steps=True,
    promotes="budget",
)


class Needed(Answer, kinds=("length",)):
    """The fewest steps with which the loss is as good as with the most."""

    steps: int | None = None
    loss: float | None = None


def lengths(scope: Scope) -> tuple[Study, ...]:
    """One study: the incumbent's point, at each of the lengths."""
    return (
        Study(
            id="s-" + hash_of([scope.seed, scope.goal.name, "lengths"], 8),
            scientific={},
            space=Space(parameters=(Parameter(name=STEPS, type="ordered", values=LENGTHS),)),
            sampler="grid",
            seed=derived_seed(scope.seed, "lengths"),
            count=len(LENGTHS),
            trials=(),
        ),
    )


def fewest_steps(evidence: Evidence, blocked: bool) -> Needed:
    """The answer; the steps are what it would have the budget be."""
    sign = evidence.round.scope.objective.sign
    ended = (t for t in evidence.trials.values() if t.best_value is not None)
    found = [(t.planned.max_train_steps, sign * (t.best_value or 0.0)) for t in ended]
    if not found:
        return Needed(kind="length")
    best = min(loss for _, loss in found)
    steps, loss = next((steps, loss) for steps, loss in sorted(found) if loss <= best + ENOUGH * abs(best))
    return Needed(kind="length", steps=steps, loss=sign * loss, conclusive=not blocked, settings={STEPS: steps})


def register() -> None:
    """One line in each of two registries; and a kind that runs nothing."""
    KINDS["length"] = LENGTH
    OWN["length"] = Own(design=lengths, answer=fewest_steps)
    KINDS["silent"] = LENGTH.model_copy(update={"name": "silent"})
    OWN["silent"] = Own(design=lambda scope: (), answer=unanswered)
