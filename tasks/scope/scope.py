"""The step of scope: one question, with every hyperparameter in one role and what the guards say of it."""

from pydantic import Field

from tasks.record import Frozen
from tasks.scope.goal import Budget, Goal, Incumbent, Sampling, Workload
from tasks.scope.guards.all import guarded
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope, scope_of
from tasks.scope.space import Space


class Asked(Frozen):
    """What a person asks: a goal, of a workload and a space, for a budget, judged by a policy.

    `acknowledge`: the rows of findings that may stand, each with why. `lag`: how many of the latest trials an adaptive
    sampler does without, so that so many more can run side by side. `sampling`: what is known of the sampler.
    """

    goal: Goal
    space: Space
    workload: Workload
    budget: Budget
    policy: Policy
    sampler: str
    lag: int = Field(default=0, ge=0)
    sampling: Sampling | None = None
    seed: int = Field(ge=0)
    acknowledge: dict[str, str]


def scope_goal(asked: Asked, incumbent: Incumbent) -> Scope:
    """The scope of the round, with what the guards found.

    Raises:
        InputError: as `scope_of`.

    Playbook: B1
    """
    scope = scope_of(
        asked.goal,
        asked.space,
        asked.workload,
        asked.budget,
        asked.policy,
        incumbent,
        sampler=asked.sampler,
        seed=asked.seed,
        lag=asked.lag,
        sampling=asked.sampling,
        acknowledged=asked.acknowledge,
    )
    return guarded(scope)
