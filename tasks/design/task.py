"""The door of design."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.design.study import Round, design
from tasks.scope.roles import Scope


@task(name="design round", cache_policy=NO_CACHE, persist_result=False)
def design_round(scope: Scope) -> Round:
    """The studies of the round, points and all; nothing is run."""
    return design(scope)
