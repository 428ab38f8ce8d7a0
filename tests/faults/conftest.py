"""What the fault tests share: how many times to inject, and the tally from which docs/reliability.md is made.

`TUNEBOOK_FAULTS=full` injects every fault as often as docs/reliability.md says (`make faults`); otherwise a spread of
them that fits into the ordinary tests. `TUNEBOOK_FAULTS_TALLY` names a file that gets a line for each tally.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.kill.rounds import Bench, bench
from tests.processes.warm import Warm

Times = Callable[[int, int], int]
Tally = Callable[[str, str, int, int], None]


@pytest.fixture
def times() -> Times:
    """`times(quick, full)`: how often to inject, by the tier that runs."""
    return lambda quick, full: full if os.environ.get("TUNEBOOK_FAULTS") == "full" else quick


@pytest.fixture
def as_from_a_terminal() -> Iterator[None]:
    """Signals are heard here and by what is started here, also where a shell in the background has them ignored."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def rounds(warm: Warm) -> Iterator[Bench]:
    """The reference round, and two lanes in which processes run it: seconds to start, so that all tests share it."""
    with bench(2, warm, ["tests.faults.kill.parts", "tests.faults.kill.mutants"]) as started:
        yield started


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """`tally("B8", "bit flips of a checkpoint", runs, violations)`: notes what was injected, and wants 0 violations.

    The first word is the fault's id of the fault model; several, separated by spaces, may share a line.
    """

    def note(fault: str, what: str, runs: int, violations: int) -> None:
        path = os.environ.get("TUNEBOOK_FAULTS_TALLY")
        if path:
            row = {"fault": fault, "what": what, "runs": runs, "violations": violations, "test": request.node.nodeid}
            with Path(path).open("a") as file:
                file.write(json.dumps(row) + "\n")
        assert runs > 0, f"fault-{fault}: nothing was injected"
        assert violations == 0, f"fault-{fault}: {violations} of {runs} {what} went wrong"

    return note
