"""The door of promote: the Prefect task around `promote_config`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.promote.race import promote_config

promote_config_task = task(name="promote config", cache_policy=NO_CACHE, persist_result=False)(promote_config)
