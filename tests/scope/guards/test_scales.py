"""D11: a rate, a decay, an epsilon and one minus a momentum are searched on a log scale, a momentum is not."""

import pytest

from tasks.record import Finding
from tasks.scope.guards.scales import log_scales
from tests.scope.example_scopes import BASELINE, DROPOUT, OPTIMIZERS, levels, scope


def only(findings: list[Finding], level: str) -> Finding:
    """The one finding, which must have that level."""
    assert levels(findings) == [level], findings
    return findings[0]


def space(name: str, **node: object) -> dict[str, object]:
    """A space of one parameter with this name."""
    tree: dict[str, object] = node
    for part in reversed(name.split(".")):
        tree = {part: tree}
    return tree


RATES = [
    "learning_rate",
    "weight_decay",
    "adam.epsilon",
    "one_minus_beta1",
    "adam.learning_rate",
    "optimizer.params.lr",
]


@pytest.mark.playbook("D11", case="fires")
@pytest.mark.parametrize(
    "name", [*RATES, "optimizer.params.lr", "training_args.lr", "adamw.weight_decay", "backbone_lr"]
)
def test_a_linear_range_over_decades_is_warned_of(name: str) -> None:
    found = only(log_scales(scope(space=space(name, low=1e-4, high=1e-1))), "warn")
    assert found.remedy == (f"space.{name}.scale=log",)


@pytest.mark.playbook("D11", case="fires")
def test_a_bare_epsilon_is_asked_for_its_scale_where_the_optimizer_has_one() -> None:
    node = space("epsilon", low=1e-10, high=1e-2)
    assert only(log_scales(scope(space=node, baseline=BASELINE | {"optimizer": "adam"})), "warn")
    assert only(log_scales(scope(space=node)), "na")  # Nesterov has none: it is somebody else's


@pytest.mark.playbook("D11", case="fires")
def test_a_range_from_zero_is_raised_before_it_is_made_logarithmic() -> None:
    found = only(log_scales(scope(space={"weight_decay": {"low": 0.0, "high": 0.1}})), "warn")
    assert found.remedy == ("space.weight_decay.low=0.0001", "space.weight_decay.scale=log")


@pytest.mark.playbook("D11", case="fires")
@pytest.mark.parametrize("name", ["momentum", "optimizer.momentum", "beta1", "adam_beta2", "sgd_momentum"])
@pytest.mark.parametrize(("low", "high"), [(0.5, 0.999), (0.0, 0.99), (0.9, 0.9999), (0.8, 1.0)])
def test_a_momentum_that_is_searched_close_to_one_is_warned_of(name: str, low: float, high: float) -> None:
    found = only(log_scales(scope(space=space(name, low=low, high=high))), "warn")
    assert (found.reason, found.where.parameter) == ("close_to_one", name)


def test_the_values_that_are_offered_are_even_in_the_log_of_one_minus_them() -> None:
    found = only(log_scales(scope(space=space("momentum", low=0.9, high=0.999))), "warn")
    assert found.remedy == ("~space.momentum", "++space.momentum={values:[0.9,0.9684,0.99,0.9968,0.999]}")


@pytest.mark.playbook("D11", case="silent")
@pytest.mark.parametrize("name", ["momentum", "beta1", "beta_2"])
def test_a_momentum_within_a_decade_and_listed_ones_are_fine(name: str) -> None:
    assert only(log_scales(scope(space=space(name, low=0.85, high=0.95))), "ok")
    listed = space(name, values=[0.9, 0.99, 0.999]) | {"lr": {"low": 0.01, "high": 0.1}}
    assert only(log_scales(scope(space=listed)), "ok")


@pytest.mark.playbook("D11", case="silent")
def test_log_ranges_narrow_linear_ones_and_other_hyperparameters_are_fine() -> None:
    assert only(log_scales(scope()), "ok")
    assert only(log_scales(scope(space=space("one_minus_momentum", low=0.001, high=0.5, scale="log"))), "ok")
    assert only(log_scales(scope(space={"learning_rate": {"low": 0.01, "high": 0.1}})), "ok")
    assert only(log_scales(scope(space=DROPOUT | {"eps": {"low": 0.1, "high": 9.0}})), "na")


def test_explicit_points_have_no_scale() -> None:
    one = scope({}, points=[{"one_minus_momentum": 0.1}, {"one_minus_momentum": 0.01}], baseline={"optimizer": "adam"})
    assert only(log_scales(one), "na").reason == "listed_points"
    assert only(log_scales(scope(OPTIMIZERS, space("gizmo", low=1e-4, high=1.0))), "na").reason == "not_recognised"
