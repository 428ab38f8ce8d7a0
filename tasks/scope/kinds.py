"""The kinds of goals: what each compares, what it runs, and what it may promote. One frozen value a kind.

Nobody asks for a kind by its name. What a kind does that others do not is a function in the room where it is done,
bound to the name in `flows/own.py`.
"""

from typing import Literal, Self

from pydantic import model_validator

from tasks.method import Mode
from tasks.record import Frozen, Purpose


class Kind(Frozen):
    """The facts of a kind of goal.

    `compares`: its goals have scientific values, or points, to compare. `baseline`: the first value of each is the arm
    without the change, which joins the gate, and the gate's retrains answer the question. `gate`: finalists are
    retrained against the incumbent. `purpose`: of the trials that it plans. `alone`: each of them runs with no other
    beside it. `own_steps`: a trial brings its own number of steps; otherwise all have the budget's. `promotes`: a
    whole point, a value of the budget, a setting of the workload, or nothing. `approval`: who accepts that unless the
    person says. `mode`: whether its rounds are for insight, as all are unless a kind says otherwise, or greedy.

    Playbook: B4
    """

    name: str
    compares: bool
    baseline: bool
    gate: bool
    purpose: Purpose
    alone: bool
    own_steps: bool
    promotes: Literal["point", "budget", "workload", "nothing"]
    approval: Literal["auto", "ask"] = "auto"
    mode: Mode = "exploration"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.gate != (self.promotes == "point"):
            raise ValueError(f"{self.name}: a point is promoted by the gate, and the gate promotes nothing else")
        if self.baseline and not (self.gate and self.compares):
            raise ValueError(f"{self.name}: a baseline is what the gate compares a change with")
        if self.own_steps and self.purpose != "probe":
            raise ValueError(f"{self.name}: only probes bring their own steps; trials that compete have equal ones")
        return self


IMPROVE = Kind(
    name="improve",
    compares=True,
    baseline=True,
    gate=True,
    purpose="search",
    alone=False,
    own_steps=False,
    promotes="point",
)
UNDERSTAND = IMPROVE.model_copy(update={"name": "understand", "baseline": False})

KINDS: dict[str, Kind] = {kind.name: kind for kind in (IMPROVE, UNDERSTAND)}
