"""Rulers and ticks: all values in sight but outliers, bounds shown, and labels that can be told apart."""

import numpy as np
import pytest

from tasks.report.plots.rulers import category_ruler, linear_ticks, log_ticks, objective_ruler, parameter_ruler
from tasks.scope.space import Parameter


def test_one_outlier_becomes_a_caret_and_does_not_squeeze_the_others() -> None:
    values = np.append(np.linspace(0.10, 0.12, 30), 50.0)
    axis = objective_ruler(values, minimize=True, strip=False)
    shown, clipped = axis.shown(values)
    assert clipped.tolist() == [False] * 29 + [True] * 2 or clipped.tolist() == [False] * 30 + [True]
    assert axis.ruler.limits[1] < 0.2
    assert shown[-1] <= axis.ruler.limits[1]


def test_values_without_an_outlier_are_all_in_sight() -> None:
    values = np.linspace(0.1, 0.2, 40)
    for minimize in (True, False):
        assert not objective_ruler(values, minimize=minimize, strip=True).shown(values)[1].any()


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-12, 1e9])
def test_equal_values_make_an_axis_with_a_width(value: float) -> None:
    axis = objective_ruler([value] * 10, minimize=True, strip=True)
    assert axis.ruler.limits[0] < axis.ruler.limits[1]
    assert axis.ruler.ticks


def test_the_axis_of_a_log_parameter_is_a_log_axis_with_its_bounds() -> None:
    axis = parameter_ruler(Parameter(name="lr", low=1e-4, high=1e-1, scale="log"), [1e-3])
    assert axis.bounds == (-4.0, -1.0)
    assert axis.labels == ("10⁻⁴", "10⁻³", "10⁻²", "10⁻¹")
    assert axis.at([1e-3]).tolist() == [-3.0]


def test_a_trial_outside_the_bounds_is_in_sight() -> None:
    axis = parameter_ruler(Parameter(name="x", low=0.0, high=1.0), [0.5, 3.0])
    assert axis.limits[1] > 3.0
    assert axis.bounds == (0.0, 1.0)


def test_listed_values_have_a_place_each_and_one_and_true_are_two() -> None:
    axis = category_ruler([1, True, "1", 1.0])
    assert len(axis.categories) == 3
    assert [axis.cell(v) for v in (1, True, "1", "x")] == [0, 1, 2, None]


@pytest.mark.parametrize(("low", "high"), [(-6.2, 2.1), (-1.1, -0.4), (0.301, 0.398), (-3.0, -1.2)])
def test_log_ticks_lie_inside_and_are_at_least_two(low: float, high: float) -> None:
    ticks, labels = log_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert all(low - 1e-6 <= t <= high + 1e-6 for t in ticks)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0431, 0.0437), (-5, 1e6), (1e-9, 3e-9), (100.0, 100.1)])
def test_linear_ticks_lie_inside_and_can_be_told_apart(low: float, high: float) -> None:
    ticks, labels = linear_ticks(low, high, 4)
    assert 2 <= len(ticks) <= 8
    assert len(set(labels)) == len(labels)
    assert all(low - 1e-9 <= t <= high * (1 + 1e-9) for t in ticks)
