"""What every sampler keeps to: those that are shipped, and one that is built here."""

from pathlib import Path

import numpy as np
import pytest

from tasks.design.samplers.all import SAMPLERS
from tasks.design.samplers.sampler import Observation, Sampler, Search
from tasks.record import Point, Record, Value
from tasks.scope.space import space_from_tree
from tests.processes.warm import Warm
from tests.seams.rounds import attempts, played
from tests.seams.toys.climb import Climb
from tests.seams.toys.lattice import Lattice

COUNT = 12
HELD: dict[str, Value] = {"width": 64}
TREE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
    "regularizer": {"choices": ["none", "dropout"]},
    "dropout": {"rate": {"low": 0.0, "high": 0.8, "when": {"regularizer": "dropout"}}},
}
FLAT = {name: TREE[name] for name in ("learning_rate", "regularizer")}  # a grid has at most two dimensions
EVERY: dict[str, type[Sampler]] = {**SAMPLERS, "climb": Climb, "lattice": Lattice}


def made(name: str, seed: int = 3) -> Sampler:
    """The sampler over a conditional space; a grid over two of its parameters."""
    space = space_from_tree(FLAT if name == "grid" else TREE)
    points: tuple[dict[str, Value], ...] = tuple({"learning_rate": 0.01 * (i + 1)} for i in range(COUNT))
    return EVERY[name](Search(space=space, held=HELD, seed=seed, count=COUNT, points=points))


def observed(points: tuple[Point, ...]) -> list[Observation]:
    """A history: the first trial is infeasible, the last one pending, and the others have results."""
    last = len(points) - 1
    return [
        Observation(
            point=dict(point),
            value=None if i in (0, last) else abs(float(np.log10(float(point["learning_rate"]))) + 2),
            infeasible=i == 0,
            pending=i == last,
        )
        for i, point in enumerate(points)
    ]


def walked(name: str, seed: int = 3, *, anew: bool = False) -> tuple[Point, ...]:
    """All points, suggested one at a time, each from the history before it; `anew`: each by another sampler."""
    points: tuple[Point, ...] = ()
    sampler = made(name, seed)
    while len(points) < COUNT and (more := sampler.suggest(1, observed(points))):
        points += more
        sampler = made(name, seed) if anew else sampler
    return points


@pytest.mark.parametrize("name", EVERY)
def test_equal_histories_give_equal_points_from_the_same_sampler_and_from_a_new_one(name: str) -> None:
    assert walked(name) == walked(name) == walked(name, anew=True)


@pytest.mark.parametrize("name", [n for n, s in EVERY.items() if not s.adaptive])
def test_a_fixed_design_goes_on_at_the_length_of_the_history_whatever_its_results(name: str) -> None:
    whole = made(name).suggest(COUNT, ())
    assert walked(name) == whole
    assert made(name).suggest(COUNT, observed(whole[:5]))[: len(whole) - 5] == whole[5:]


@pytest.mark.parametrize("name", [n for n, s in EVERY.items() if s.adaptive])
def test_an_adaptive_one_does_not_only_look_at_the_length_of_the_history(name: str) -> None:
    points = walked(name)
    turned = [o.model_copy(update={"value": None if o.value is None else -o.value}) for o in observed(points[:8])]
    assert made(name).suggest(1, turned) != made(name).suggest(1, observed(points[:8]))


@pytest.mark.parametrize("name", EVERY)
def test_every_point_keeps_what_is_held_and_has_a_child_where_its_parent_calls_for_it(name: str) -> None:
    for point in walked(name):
        assert point["width"] == 64
        if "regularizer" in point and name != "grid":
            assert ("dropout.rate" in point) == (point["regularizer"] == "dropout")


@pytest.mark.parametrize("name", ["halton", "sobol", "random", "climb", "lattice"])
def test_another_seed_is_another_design(name: str) -> None:
    assert walked(name, seed=4) != walked(name, seed=3)


ROUND = (
    *('acknowledge={D5: "the seam is what is tested"}', "budget.trials=7", "lag=2"),
    "workload.wall={parameter: learning_rate, at: 0.03}",  # beyond it a trial is infeasible
)


@pytest.fixture(scope="module", params=[name for name, sampler in EVERY.items() if sampler.adaptive])
def search(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What is typed for a search by each sampler that adapts."""
    return (*ROUND, f"sampler={request.param}")


@pytest.fixture(scope="module")
def whole(warm: Warm, search: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A round of an adaptive search, one trial at a time and never interrupted."""
    return played(warm, tmp_path_factory.mktemp("whole"), *search, "runner.workers=1")


def test_an_adaptive_search_meets_what_its_suite_is_about(whole: Record) -> None:
    searched = [t for t in whole.trials if t.purpose == "search"]
    assert [len(s.trials) for s in whole.studies] == [7, 7]
    assert {t.status for t in searched} == {"complete", "infeasible"}
    assert any("dropout.rate" in t.point for t in searched)
    assert any("dropout.rate" not in t.point for t in searched)


@pytest.mark.parametrize("workers", [2, 4])
def test_an_adaptive_search_has_the_same_points_and_digest_whatever_the_workers(
    warm: Warm, tmp_path: Path, search: tuple[str, ...], whole: Record, workers: int
) -> None:
    found = played(warm, tmp_path, *search, f"runner.workers={workers}")
    assert [t.point for t in found.trials] == [t.point for t in whole.trials]
    assert found.digest == whole.digest


@pytest.mark.parametrize("kill_at", range(1, 16, 2))
def test_an_adaptive_search_that_is_killed_goes_on_to_the_same_points_and_digest(
    warm: Warm, tmp_path: Path, search: tuple[str, ...], whole: Record, kill_at: int
) -> None:
    found = played(warm, tmp_path, *search, "runner.workers=2", kills=[kill_at])
    assert [t.point for t in found.trials] == [t.point for t in whole.trials]
    assert found.digest == whole.digest
    assert max(attempts(tmp_path).values()) <= 2


def test_a_lag_is_another_search_and_is_what_decides_how_many_may_run_at_once(
    warm: Warm, tmp_path: Path, search: tuple[str, ...], whole: Record
) -> None:
    found = played(warm, tmp_path, *search, "lag=0", "runner.workers=4")
    assert [t.point for t in found.trials] != [t.point for t in whole.trials]


def test_a_new_sampler_that_does_not_adapt_is_as_good_as_those_that_ship(warm: Warm, tmp_path: Path) -> None:
    record = played(warm, tmp_path, "sampler=lattice", "budget.trials=6")
    reasons = {f.row: (f.level, f.reason) for f in record.findings}
    assert reasons["D5"] == ("ok", "independent")
    assert reasons["E6"] == ("ok", "independent")
    assert {s.sampler for s in record.studies} == {"lattice"}
