"""What all tests share: the marker that says which rows of the playbook a test is evidence for, and property tests
that fail for what they find and never for being slow."""

import os
import re

import pytest
from hypothesis import settings

settings.register_profile("tunebook", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tunebook")

CASES = ("fires", "silent", "shows")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker here too, so that tests run from any folder and with any configuration."""
    config.addinivalue_line("markers", f"playbook(*rows, case): evidence for rows; case is one of {', '.join(CASES)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a marker that names no row or no case: docs/playbook.md would silently leave the test out."""
    for item in items:
        for marker in item.iter_markers("playbook"):
            rows, case = marker.args, marker.kwargs.get("case")
            if not rows or not all(re.fullmatch(r"[A-J]\d{1,2}", str(r)) for r in rows) or case not in CASES:
                raise pytest.UsageError(f"{item.nodeid}: playbook{rows} case={case!r}; name rows and one of {CASES}")
