"""The grid: for one or two hyperparameters, from end to end, and refused for more."""

from typing import Any

import pytest

from tasks.design.samplers.grid import Grid
from tasks.design.samplers.sampler import Search
from tasks.record import Point
from tasks.scope.error import InputError
from tasks.scope.space import space_from_tree

RATE = {"low": 1e-4, "high": 1e-1, "scale": "log"}
MOMENTUM = {"low": 0.0, "high": 1.0}


def grid(count: int, **tree: Any) -> tuple[Point, ...]:
    """The grid's points over such a space."""
    return Grid(Search(space=space_from_tree(tree), held={}, seed=0, count=count)).suggest(1000, ())


@pytest.mark.playbook("D7", case="shows")
def test_one_range_is_tried_from_end_to_end_in_its_own_scale() -> None:
    assert [p["rate"] for p in grid(4, rate=RATE)] == [1e-4, pytest.approx(1e-3), pytest.approx(1e-2), 1e-1]


@pytest.mark.playbook("D7", case="shows")
@pytest.mark.parametrize(
    ("count", "levels"), [(24, (6, 4)), (16, (4, 4)), (23, (5, 4)), (2, (2, 1)), (1, (1, 1)), (100, (10, 10))]
)
def test_two_ranges_share_the_trials_and_neither_has_more_than_twice_the_levels(
    count: int, levels: tuple[int, int]
) -> None:
    points = grid(count, rate=RATE, momentum=MOMENTUM)
    assert tuple(len({p[name] for p in points}) for name in ("rate", "momentum")) == levels
    assert len(points) == levels[0] * levels[1] <= count


def test_a_listed_parameter_and_few_whole_numbers_have_all_their_values_and_the_other_what_is_left() -> None:
    listed = grid(24, rate=RATE, activation={"choices": ["relu", "gelu", "tanh"]})
    whole = grid(24, layers={"low": 1, "high": 3, "type": "int"}, rate=RATE)
    assert {(len({p["rate"] for p in points}), len(points)) for points in (listed, whole)} == {(8, 24)}


def test_a_point_without_the_conditional_parameter_is_there_once() -> None:
    tree = {"on": {"choices": ["no", "yes"]}, "dropout": {"rate": {"low": 0.0, "high": 0.8, "when": {"on": "yes"}}}}
    points = grid(8, **tree)
    assert sorted(len(p) for p in points) == [1, 2, 2, 2, 2]


@pytest.mark.playbook("D7", case="fires")
def test_three_dimensions_are_refused_with_a_way_out_and_a_constant_is_none() -> None:
    with pytest.raises(InputError) as raised:
        grid(27, rate=RATE, momentum=MOMENTUM, decay=RATE)
    assert all(word in str(raised.value) for word in ("D7", "decay", "sampler=halton"))
    assert len(grid(24, rate=RATE, momentum=MOMENTUM, decay={"low": 0.1, "high": 0.1})) == 24


def test_more_listed_values_than_trials_are_refused_and_as_many_are_not() -> None:
    listed = {"a": {"choices": [1, 2, 3]}, "b": {"choices": [1, 2, 3]}}
    with pytest.raises(InputError, match=r"9 points, and budget\.trials is 6"):
        grid(6, **listed)
    assert len(grid(9, **listed)) == 9
