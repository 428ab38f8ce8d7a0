"""Real torch trials under `kill -9`: the same curve and the same weights to the last bit, or the tests would say so."""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.trials.local.forkserver import ForkServer
from tasks.trials.settings import RunnerSettings
from tasks.trials.workloads import mnist1d
from tests.faults.conftest import Tally, Times
from tests.faults.rounds.real_trials import EVERY, PRELOAD, TRIALS, Range, after, saved, wrong

DROPPED = ("rng", "optimizer", "schedule", "data position", "batch norm buffers")
KILLED = "killed by SIGKILL"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """One server for the module, with a cache of data of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        mnist1d.arrays()
        with ForkServer(RunnerSettings(), preload=PRELOAD) as server:
            yield server


@pytest.fixture
def range_(server: ForkServer, tmp_path: Path) -> Range:
    """A place to run and kill trials."""
    return Range(server, tmp_path)


@pytest.fixture(scope="module")
def whole(server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, float]]:
    """Of each kind of trial one that nobody touched: its folder, and how many seconds it took."""
    range_ = Range(server, tmp_path_factory.mktemp("whole"))
    untouched = {name: range_.run(name, name) for name in TRIALS}
    assert all(trial.feasible for _, trial in untouched.values())
    return {name: (folder, trial.seconds) for name, (folder, trial) in untouched.items()}


@pytest.mark.playbook("J12", case="shows")
def test_a_real_trial_that_is_killed_at_any_moment_ends_as_if_nothing_had_happened(
    range_: Range, whole: dict[str, tuple[Path, float]], times: Times, tally: Tally
) -> None:
    draw, said, kills, late = random.Random(0), list[str](), 0, 0
    for i in itertools.count():
        if kills >= times(6, 30):
            break
        trial = list(TRIALS)[i % len(TRIALS)]
        reference, seconds = whole[trial]
        moments, folder, killed = [draw.uniform(0, seconds) for _ in range(3 if i % 3 == 0 else 1)], Path(), 0
        for moment in moments:
            folder, ended = range_.run(f"t{i}", trial, after(moment))
            killed += ended.reason == KILLED
            late += ended.reason == KILLED and (folder / "checkpoints").exists()
        if not ended.feasible:  # the last moment was before its end, as it should be
            folder, ended = range_.run(f"t{i}", trial)
        said += [f"{trial}, seed {i}: {what}" for what in wrong(folder, reference, killed)]
        kills += killed
    assert late > 0, "no trial was killed after its first checkpoint"
    tally("A3", "kills of real torch trials at a random moment", kills, len(said))


@pytest.mark.prose
def test_whatever_is_dropped_from_what_is_put_back_is_detected_and_nothing_else_is(
    range_: Range, whole: dict[str, tuple[Path, float]], tally: Tally
) -> None:
    trial = next(iter(TRIALS))
    found = {}
    for drop in ("", *DROPPED):
        _, cut = range_.run(f"drop {drop}", trial, saved(5 * EVERY), drop)
        assert cut.reason == KILLED
        folder, ended = range_.run(f"drop {drop}", trial, drop=drop)
        assert ended.feasible
        found[drop] = list(wrong(folder, whole[trial][0], 1))
    assert found[""] == []
    missed = [drop for drop in DROPPED if not any(what.startswith("another curve") for what in found[drop])]
    tally("T3", "negative controls: not put back, and missed: " + ", ".join(DROPPED), len(DROPPED), len(missed))
