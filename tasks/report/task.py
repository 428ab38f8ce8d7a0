"""The door of report: the Prefect task around `write_report`."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.report.write import write_report

write_report_task = task(name="write report", cache_policy=NO_CACHE, persist_result=False)(write_report)
