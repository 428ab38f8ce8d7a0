"""What all tests share: which rows of the playbook a test is evidence for, which hold a wording, property tests that
fail for what they find and never for being slow, and which tests may run side by side."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("tunebook", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tunebook")

CASES = ("fires", "silent", "shows")
PROSE = "the test holds the wording of a sentence; change it together with the words"
HERE = Path(__file__).parent
# Rooms whose tests start processes, kill them and wait for them: with `-n` one worker has all of these, one after the
# other, so that no two of them fight for a server or for time; the other workers have what only computes.
PROCESSES = ("faults", "flows", "ledger", "tracking", "trials")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers here too, so that tests run from any folder and with any configuration."""
    config.addinivalue_line("markers", f"playbook(*rows, case): evidence for rows; case is one of {', '.join(CASES)}")
    config.addinivalue_line("markers", f"prose: {PROSE}")
    config.addinivalue_line("markers", "xdist_group(name): tests of one group run in one worker")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group what starts processes; refuse a marker without row or case: docs/playbook.md would leave the test out."""
    for item in items:
        if item.path.relative_to(HERE).parts[0] in PROCESSES:
            item.add_marker(pytest.mark.xdist_group("processes"))
        for marker in item.iter_markers("playbook"):
            rows, case = marker.args, marker.kwargs.get("case")
            if not rows or not all(re.fullmatch(r"[A-J]\d{1,2}", str(r)) for r in rows) or case not in CASES:
                raise pytest.UsageError(f"{item.nodeid}: playbook{rows} case={case!r}; name rows and one of {CASES}")
