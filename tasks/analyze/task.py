"""The door of analyze: the Prefect task around `analyze`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.analyze.analysis import analyze

analyze_task = task(name="analyze", cache_policy=NO_CACHE, persist_result=False)(analyze)
