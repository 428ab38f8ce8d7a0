"""The doors of analyze: the checks and what was learned, and the report."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.analyze.checks import Analysis, analyze
from tasks.analyze.evidence import Evidence
from tasks.analyze.report import page
from tasks.record import Record
from tasks.trials.checkpoints import write_atomically
from tasks.trials.stored import read_curves


@task(name="analyze", cache_policy=NO_CACHE, persist_result=False)
def analyze_round(evidence: Evidence) -> Analysis:
    """The playbook's questions, asked of the round's trials before the round's own question is answered."""
    return analyze(evidence)


@task(name="write report", cache_policy=NO_CACHE, persist_result=False)
def write_report(record: Record, folder: Path) -> Path:
    """`record.json` and `report.html` in the round's folder; both can be made again from the ledger.

    Playbook: F15
    """
    write_atomically(folder / "record.json", record.model_dump_json(by_alias=True, indent=1))
    path = folder / "report.html"
    write_atomically(path, page(record, read_curves(folder / record.curves)))
    return path
