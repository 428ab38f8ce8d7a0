"""What all tests share: their markers, property tests that fail for what they find and never for being slow, which
tests run in one worker, and the warm process.

The two cores of CI are busy all the time: what counts is CPU, not waiting. tests/README.md has the budget, and says
what to do when a test needs a process.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tasks.record import Finding
from tasks.scope import finding
from tasks.trials.local import server_link
from tests.faults.prefect.api import serving
from tests.processes.forked import put, servers_of, start_servers_by
from tests.processes.warm import Warm
from tests.scope.headlines import begins_short

settings.register_profile("tunebook", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tunebook")

CASES = ("fires", "silent", "shows")
PROSE = "the test holds the wording of a sentence; change it together with the words"
LONG_NAMES = "the names in the test are longer than anybody's, so a finding may begin with a long sentence"
HERE = Path(__file__).parent
# Rooms whose tests start processes and wait for them. A module of theirs is a group: its fixtures are made once, by one
# worker. What shares more than that is one group of several modules.
PROCESSES = ("faults", "flows", "ledger", "processes", "tracking", "trials")
TOGETHER = {
    "faults/kill": "the reference round",  # `rounds`, and all that is asked of it
    "faults/prefect": "a Prefect server",  # `api`: it takes long to start
    "flows/test_serve.py": "a Prefect server",
    "flows/prefect": "a Prefect server",
    "faults/mlflow": "a round that MLflow never heard of",  # `reference`, and MLflow's stores
    "flows/test_sync.py": "a round that MLflow never heard of",
    "tracking": "one MLflow store",
    "ledger": "children that know the ledger",
    "faults/ledger": "children that know the ledger",
    "report/page/test_page_in_browser.py": "a browser",
}
# The groups that take longest, in this order before all others: the short ones fill what is left of each worker.
LONGEST = (
    *("the reference round", "a Prefect server", "a round that MLflow never heard of", "flows/test_round.py"),
    *("trials/command/test_examples.py", "flows/test_closed_loop.py", "faults/security/test_secrets.py"),
    *("flows/session/test_kept.py", "flows/test_round_again.py", "faults/rounds/test_fingerprint_rounds.py"),
    *("faults/rounds/test_signals.py", "faults/rounds/test_real_trials.py", "faults/storage/test_full_disk.py"),
)


def group_of(path: str) -> str | None:
    """The group of a test module, by its path in this folder; None where any worker may take any of its tests."""
    for place, name in TOGETHER.items():
        if path == place or path.startswith(f"{place}/"):
            return name
    return path if path.partition("/")[0] in PROCESSES else None


def rank(group: str | None) -> int:
    """Where a group's tests stand: the longest first, then the other groups, then tests of no group."""
    if group is None:
        return len(LONGEST) + 1
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole groups, in our order.

    Not by the marker `xdist_group`: pytest 9.2 made ids that xdist 3.8 cannot add a group to, and it says nothing; each
    test then went to any worker, and both made every fixture.
    """
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class InGroups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.partition("::")[0].removeprefix(f"{HERE.name}/")) or nodeid

    config.option.loadscopereorder = False
    return InGroups(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers here too, so that tests run from any folder and with any configuration."""
    config.addinivalue_line("markers", f"playbook(*rows, case): evidence for rows; case is one of {', '.join(CASES)}")
    config.addinivalue_line("markers", f"prose: {PROSE}")
    config.addinivalue_line("markers", f"long_names: {LONG_NAMES}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups first; refuse a marker without row or case: docs/playbook.md would leave the test out."""
    items.sort(key=lambda item: rank(group_of(item.path.relative_to(HERE).as_posix())))
    for item in items:
        for marker in item.iter_markers("playbook"):
            rows, case = marker.args, marker.kwargs.get("case")
            if not rows or not all(re.fullmatch(r"[A-K]\d{1,2}", str(r)) for r in rows) or case not in CASES:
                raise pytest.UsageError(f"{item.nodeid}: playbook{rows} case={case!r}; name rows and one of {CASES}")


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """The process from which others are forked; it starts when the first is asked for."""
    with closing(Warm()) as warm:
        yield warm


@pytest.fixture(scope="session", autouse=True)
def trials_are_forked_from_the_warm_process(warm: Warm) -> Iterator[None]:
    """Fork servers are forks of the warm process, which has torch; tests/trials/local has them as they are."""
    start_servers_by(servers_of(warm))
    yield
    put(server_link, subprocess=subprocess)


@pytest.fixture(scope="session")
def findings_made() -> Iterator[list[Finding]]:
    """The findings that this process makes, without those that it reads from a record."""
    made: list[Finding] = []

    def noted(**fields: Any) -> Finding:
        made.append(Finding(**fields))
        return made[-1]

    put(finding, Finding=noted)
    yield made
    put(finding, Finding=Finding)


@pytest.fixture(autouse=True)
def findings_begin_with_a_short_sentence(
    findings_made: list[Finding], request: pytest.FixtureRequest
) -> Iterator[None]:
    """Fail the test that made a finding whose first sentence is too long for a table or the terminal.

    Tests with names longer than anybody's are marked `long_names`.
    """
    yield
    long = [f.evidence for f in findings_made if not begins_short(f)]
    findings_made.clear()
    assert not long or request.node.get_closest_marker("long_names"), f"shorten the first sentence: {long[0]}"


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of this process write reports without pictures, which take a second each: for tests of what they conclude.

    That a round draws its report, and that this changes nothing, is seen in tests/flows/test_round.py and tests/faults.
    """
    monkeypatch.setattr("tasks.report.write.page", lambda record, curves, folder: record.digest)


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The home and the address of a real Prefect server, which nobody kills: it takes long to start."""
    home = tmp_path_factory.mktemp("prefect")
    with serving(home) as url:
        yield home, url
