"""Points: quasi-random, seeded, extendable without moving, and evenly dealt where values are listed."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc  # type: ignore[import-untyped]

from tasks.design.cube import coordinates, from_unit, to_unit
from tasks.design.samplers.all import SAMPLERS, sampler_of
from tasks.design.samplers.sampler import Search
from tasks.design.samplers.sequence import PointSequence, Unit
from tasks.record import Point, Value
from tasks.scope.error import InputError
from tasks.scope.space import Parameter, Scale, Space, space_from_tree

SEQUENCES = [name for name, sampler in SAMPLERS.items() if issubclass(sampler, PointSequence)]
SCALES: tuple[Scale, ...] = ("linear", "log")
SPACE = space_from_tree(
    {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
        "layers": {"low": 1, "high": 6, "type": "int"},
        "activation": {"choices": ["relu", "gelu", "tanh"]},
        "regularizer": {"choices": ["none", "dropout"]},
        "dropout": {"rate": {"low": 0.0, "high": 0.8, "when": {"regularizer": "dropout"}}},
    }
)


def search(space: Space, seed: int, held: Mapping[str, Value] | None = None, count: int = 0) -> Search:
    """What a sampler of the space is made from."""
    return Search(space=space, held=dict(held or {}), seed=seed, count=count)


def points_in(
    space: Space, count: int, seed: int, name: str, held: Mapping[str, Value] | None = None, dealt: Iterable[str] = ()
) -> tuple[Point, ...]:
    """The first points of a sampler."""
    return sampler_of(name, search(space, seed, held, count), dealt).suggest(count, ())


def unit_points(count: int, dimensions: int, seed: int, name: str) -> Unit:
    """The first points of a sequence in the unit cube."""
    space = Space(parameters=tuple(Parameter(name=f"x{i}", low=0.0, high=1.0) for i in range(dimensions)))
    sampler = SAMPLERS[name](search(space, seed))
    assert isinstance(sampler, PointSequence)
    return sampler.rows(count)


@pytest.mark.playbook("D6", "D7", case="shows")
@pytest.mark.parametrize("sampler", SEQUENCES)
@given(n=st.integers(0, 40), more=st.integers(0, 90), seed=st.integers(0, 2**63 - 1))
def test_more_points_keep_the_first_ones_bit_for_bit(sampler: str, n: int, more: int, seed: int) -> None:
    short, long = (points_in(SPACE, k, seed, sampler) for k in (n, n + more))
    assert long[:n] == short


@pytest.mark.playbook("D6", case="shows")
@pytest.mark.parametrize("sampler", SEQUENCES)
def test_the_first_half_of_64_points_is_the_design_of_32(sampler: str) -> None:
    assert np.array_equal(unit_points(64, 4, 7, sampler)[:32], unit_points(32, 4, 7, sampler))


@pytest.mark.playbook("D6", case="shows")
@pytest.mark.parametrize("sampler", SEQUENCES)
def test_a_seed_is_a_design_of_its_own_and_the_same_each_time(sampler: str) -> None:
    assert np.array_equal(unit_points(16, 3, 5, sampler), unit_points(16, 3, 5, sampler))
    assert not np.any(unit_points(16, 3, 5, sampler) == unit_points(16, 3, 6, sampler))


@pytest.mark.playbook("D6", case="shows")
@pytest.mark.parametrize("sampler", ["halton", "sobol"])
def test_quasi_random_points_are_five_times_more_even_than_random_ones(sampler: str) -> None:
    def evenness(name: str) -> float:
        """The median over 20 seeds of the centred L2 discrepancy of 64 points in 4 dimensions."""
        return float(np.median([qmc.discrepancy(unit_points(64, 4, seed, name)) for seed in range(20)]))

    assert evenness(sampler) <= evenness("random") / 5


@pytest.mark.prose
def test_an_unknown_sampler_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(InputError, match="'tpe' is unknown; allowed are halton, sobol, random, grid, points"):
        points_in(SPACE, 4, 0, "tpe")


@pytest.mark.playbook("C10", case="shows")
def test_a_child_exists_at_exactly_the_points_whose_parent_calls_for_it() -> None:
    points = points_in(SPACE, 32, 3, "halton")
    assert {p["regularizer"] for p in points} == {"none", "dropout"}
    assert all(("dropout.rate" in p) == (p["regularizer"] == "dropout") for p in points)


@pytest.mark.playbook("C10", case="shows")
def test_a_childs_parent_may_be_held_and_the_child_moves_no_other_value() -> None:
    rest = Space(parameters=tuple(p for p in SPACE if p.name != "regularizer"))
    on, off = (points_in(rest, 16, 3, "halton", {"regularizer": r}) for r in ("dropout", "none"))
    assert all("dropout.rate" in p for p in on)
    assert [{k: v for k, v in p.items() if k not in ("dropout.rate", "regularizer")} for p in on] == [
        {k: v for k, v in p.items() if k != "regularizer"} for p in off
    ]


@pytest.mark.playbook("D3", "D4", case="shows")
@pytest.mark.parametrize("sampler", SEQUENCES)
@given(n=st.integers(1, 60), seed=st.integers(0, 1000))
def test_listed_values_get_equal_counts_to_one_at_any_length(sampler: str, n: int, seed: int) -> None:
    points = points_in(SPACE, n, seed, sampler, dealt=("activation", "regularizer"))
    counts = Counter((p["activation"], p["regularizer"]) for p in points)
    assert len(counts) == min(n, 6)
    assert max(counts.values()) - min(counts.values()) <= (0 if n % 6 == 0 else 1)
    longer = points_in(SPACE, n + 7, seed, sampler, dealt=("activation", "regularizer"))
    assert longer[:n] == points


@pytest.mark.playbook("D3", "D4", case="shows")
@pytest.mark.parametrize(("sampler", "values"), [*itertools.product(["halton", "sobol"], [2, 3, 5, 7, 8, 9, 16])])
def test_each_dealt_value_sees_the_nuisances_more_evenly_than_at_random(sampler: str, values: int) -> None:
    listed = Parameter(name="k", type="choice", values=tuple(range(values)))
    others = tuple(Parameter(name=f"x{i}", low=0.0, high=1.0) for i in range(4))
    space = Space(parameters=(listed, *others))
    discrepancies = []
    for seed in range(10):
        points = points_in(space, 12 * values, seed, sampler, dealt=("k",))
        seen = [[[float(p[x.name]) for x in others] for p in points if p["k"] == v] for v in range(values)]
        assert [len(s) for s in seen] == [12] * values
        discrepancies += [qmc.discrepancy(np.array(s)) for s in seen]
    random = np.median([qmc.discrepancy(unit_points(12, 4, seed, "random")) for seed in range(50)])
    assert np.median(discrepancies) < 0.8 * random


@st.composite
def ranges(draw: st.DrawFn) -> Parameter:
    """Any range of floats or ints, linear or log."""
    whole, scale = draw(st.booleans()), draw(st.sampled_from(SCALES))
    if whole:
        a, b = sorted(draw(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6))))
        return Parameter(name="p", type="int", low=a, high=b, scale=scale)
    low, high = sorted(draw(st.tuples(st.floats(1e-12, 1e12), st.floats(1e-12, 1e12))))
    return Parameter(name="p", low=low, high=high, scale=scale)


@given(ranges(), st.floats(0, 1))
def test_every_coordinate_is_a_value_of_the_range_and_values_come_back(parameter: Parameter, u: float) -> None:
    value = from_unit(parameter, u)
    assert parameter.holds(value)
    assert isinstance(value, int if parameter.type == "int" else float)
    again = from_unit(parameter, to_unit(parameter, value))
    assert again == (value if parameter.type == "int" else pytest.approx(value, rel=1e-9))


@given(st.floats(0, 1))
def test_a_float_range_gives_back_its_coordinate(u: float) -> None:
    for name in ("learning_rate", "dropout.rate"):
        assert to_unit(SPACE[name], from_unit(SPACE[name], u)) == pytest.approx(u, abs=1e-9)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=9, unique=True), st.floats(0, 1))
def test_listed_values_own_equal_cells_and_come_back_from_their_middles(values: list[int], u: float) -> None:
    parameter = Parameter(name="p", type="ordered", values=tuple(values))
    assert from_unit(parameter, u) == values[min(int(u * len(values)), len(values) - 1)]
    assert [from_unit(parameter, to_unit(parameter, v)) for v in values] == values


def test_both_ends_of_an_int_are_as_likely_as_its_middle() -> None:
    layers = SPACE["layers"]
    counts = Counter(from_unit(layers, (i + 0.5) / 600) for i in range(600))
    assert counts == dict.fromkeys(range(1, 7), 100)


def test_coordinates_are_nan_where_a_parameter_does_not_exist_and_outside_for_what_lies_outside() -> None:
    points: tuple[Point, ...] = (
        {"regularizer": "none", "learning_rate": 1.0},
        {"regularizer": "dropout", "dropout.rate": 0.4},
        {"learning_rate": 0.0},
    )
    table = coordinates(SPACE, points)
    rate, child = SPACE.names.index("learning_rate"), SPACE.names.index("dropout.rate")
    assert math.isnan(table[0, child])
    assert table[1, child] == 0.5
    assert table[0, rate] > 1
    assert table[2, rate] == -math.inf


@pytest.mark.prose
def test_a_value_that_is_not_listed_has_no_coordinate() -> None:
    with pytest.raises(ValueError, match="activation has no value 'elu'"):
        to_unit(SPACE["activation"], "elu")
