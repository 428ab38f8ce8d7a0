"""What all tests share: which rows of the playbook a test is evidence for, which hold a wording, property tests that
fail for what they find and never for being slow, and which tests may run side by side."""

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

from tasks.trials.local import server_link
from tests.processes.forked import servers_of, start_servers_by
from tests.processes.warm import Warm

settings.register_profile("tunebook", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tunebook")

CASES = ("fires", "silent", "shows")
PROSE = "the test holds the wording of a sentence; change it together with the words"
HERE = Path(__file__).parent
# Rooms whose tests start processes, kill them and wait for them. One module is one group: its fixtures are made once,
# by one worker. Those that share more are one group together, the costly first: what is left over fills the gaps.
PROCESSES = ("faults", "flows", "ledger", "tracking", "trials")
TOGETHER = {
    "faults/kill": "the reference round",  # `rounds`, and all that is asked of it: the longest of all
    "faults/prefect": "a Prefect server",  # `api`: 15 s to start
    "flows/test_serve.py": "a Prefect server",
    "faults/mlflow": "a round that MLflow never heard of",  # `reference`, and stores of MLflow
    "flows/test_sync.py": "a round that MLflow never heard of",
    "tracking": "one MLflow store",
    "ledger": "children of the ledger",
    "faults/ledger": "children of the ledger",
}


def group_of(path: str) -> str | None:
    """The group of a test module, by its path in this folder; None for what only computes: any worker has any test."""
    if path.partition("/")[0] not in PROCESSES:
        return None
    return next((name for place, name in TOGETHER.items() if path == place or path.startswith(f"{place}/")), path)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers here too, so that tests run from any folder and with any configuration."""
    config.addinivalue_line("markers", f"playbook(*rows, case): evidence for rows; case is one of {', '.join(CASES)}")
    config.addinivalue_line("markers", f"prose: {PROSE}")
    config.addinivalue_line("markers", "xdist_group(name): tests of one group run in one worker")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in a hook of the same name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group what starts processes; refuse a marker without row or case: docs/playbook.md would leave the test out."""
    for item in items:
        if group := group_of(item.path.relative_to(HERE).as_posix()):
            item.add_marker(pytest.mark.xdist_group(group))
        for marker in item.iter_markers("playbook"):
            rows, case = marker.args, marker.kwargs.get("case")
            if not rows or not all(re.fullmatch(r"[A-J]\d{1,2}", str(r)) for r in rows) or case not in CASES:
                raise pytest.UsageError(f"{item.nodeid}: playbook{rows} case={case!r}; name rows and one of {CASES}")


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """The process from which others are forked; it starts when the first is asked for."""
    with closing(Warm()) as warm:
        yield warm


@pytest.fixture(scope="session", autouse=True)
def trials_are_forked_from_the_warm_process(warm: Warm) -> Iterator[None]:
    """Fork servers are forks of the warm process, which has torch; tests/trials/local has them as they are."""
    real = server_link.subprocess
    start_servers_by(servers_of(warm))
    yield
    server_link.subprocess = real
