"""The step of report: `record.json` and `report.html`, written into the round's folder."""

import os
from pathlib import Path

from tasks.files import write_atomically
from tasks.record import Record
from tasks.report.page.page import page
from tasks.trials.stored import read_curves


def write_report(record: Record, folder: Path) -> Path:
    """`record.json` and `report.html` in the round's folder; both can be made again from the ledger.

    Playbook: F15
    """
    write_atomically(folder / "record.json", record.model_dump_json(by_alias=True, indent=1))
    path = folder / "report.html"
    here = os.path.relpath(folder) if folder.is_relative_to(Path.cwd()) else str(folder)
    write_atomically(path, page(record, read_curves(folder / record.curves), folder=here))
    return path
