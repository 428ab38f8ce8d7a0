"""The step of scope: one question, with every hyperparameter in one role and what the guards say of it."""

from collections.abc import Mapping

from tasks.scope.goal import Budget, Goal, Incumbent, Workload
from tasks.scope.guards.question import guarded
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope, scope_of
from tasks.scope.space import Space


def scope_goal(
    goal: Goal,
    space: Space,
    workload: Workload,
    budget: Budget,
    policy: Policy,
    incumbent: Incumbent,
    *,
    sampler: str,
    seed: int,
    acknowledged: Mapping[str, str],
) -> Scope:
    """The scope of the round, with what the guards found.

    Raises:
        InputError: as `scope_of`.

    Playbook: B1
    """
    scope = scope_of(
        goal, space, workload, budget, policy, incumbent, sampler=sampler, seed=seed, acknowledged=acknowledged
    )
    return guarded(scope)
