"""The door of scope."""

from collections.abc import Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.scope.goal import Budget, Goal, Incumbent, Workload
from tasks.scope.guards import guarded
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope, scope_of
from tasks.scope.space import Space


@task(name="scope goal", cache_policy=NO_CACHE, persist_result=False)
def scope_goal(
    goal: Goal,
    space: Space,
    workload: Workload,
    budget: Budget,
    policy: Policy,
    incumbent: Incumbent,
    sampler: str,
    seed: int,
    acknowledged: Mapping[str, str],
) -> Scope:
    """The scope of the round, with what the guards found.

    Playbook: B1
    """
    scope = scope_of(
        goal, space, workload, budget, policy, incumbent, sampler=sampler, seed=seed, acknowledged=acknowledged
    )
    return guarded(scope)
