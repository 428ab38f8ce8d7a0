"""The door of scope: the Prefect task around `scope_goal`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.scope.scope import scope_goal

scope_goal_task = task(name="scope goal", cache_policy=NO_CACHE, persist_result=False)(scope_goal)
