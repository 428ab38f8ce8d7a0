"""The door of design: the Prefect task around `design`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.design.study import design

design_task = task(name="design round", cache_policy=NO_CACHE, persist_result=False)(design)
