"""Schedules, and which update rule stands behind each optimizer's name."""

import itertools
import math
import subprocess
import sys

import pytest
import torch

from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.names.optimizers import OPTIMIZERS
from tasks.trials.checkpoints.loadable import refuse_objects
from tasks.trials.supervised.optimization import SCHEDULES, Schedule, learning_rate, optimizer_at, update_rule


def rates(kind: str, warmup: int = 0, steps: int = 20) -> list[float]:
    """The learning rate of every step, from the first to the last."""
    schedule = Schedule(kind=kind, base=0.5, decay_steps=steps, warmup_steps=warmup)
    return [schedule.at(step) for step in range(1, schedule.total_steps + 1)]


def updated(point: dict[str, Value], gradients: list[float]) -> list[float]:
    """A parameter that begins at 1 after each update with the gradients given, at the point's learning rate."""
    parameter = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = optimizer_at(point, [parameter])
    values = []
    for gradient in gradients:
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        values.append(parameter.item())
    return values


def test_a_constant_schedule_stays_and_the_others_fall_from_the_base_towards_zero() -> None:
    assert rates("constant") == [0.5] * 20
    for kind in ("linear", "cosine"):
        decay = rates(kind)
        assert decay[0] == 0.5
        assert all(a > b for a, b in itertools.pairwise(decay))
        assert 0 < decay[-1] < 0.03


def test_half_way_linear_and_cosine_stand_at_half_the_base() -> None:
    assert rates("linear")[10] == pytest.approx(0.25)
    assert rates("cosine")[10] == pytest.approx(0.25)


@pytest.mark.playbook("I8", case="shows")
def test_a_warmup_ramps_from_zero_to_the_base_and_then_holds_it() -> None:
    assert rates("constant", warmup=4, steps=8) == [0.125, 0.25, 0.375, 0.5] + [0.5] * 8


@pytest.mark.playbook("I10", case="shows")
@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_warmup_is_put_in_front_and_leaves_the_decay_as_it_was(kind: str) -> None:
    warmed = rates(kind, warmup=5)
    assert len(warmed) == 25
    assert warmed[5:] == rates(kind)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "cosin"}, "schedule: 'cosin' is unknown; allowed are constant, linear, cosine"),
        ({"base": math.inf}, "learning_rate"),
        ({"base": -0.1}, "learning_rate"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"decay_steps": 0}, "max_train_steps"),
    ],
)
@pytest.mark.prose
def test_a_schedule_that_cannot_be_is_refused_by_name(change: dict[str, object], named: str) -> None:
    sound: dict[str, object] = {"kind": "linear", "base": 0.1, "decay_steps": 10, "warmup_steps": 2}
    Schedule(**sound)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=named):
        Schedule(**(sound | change))  # type: ignore[arg-type]


@pytest.mark.playbook("C10", case="shows")
def test_an_optimizers_own_hyperparameter_stands_before_the_bare_one() -> None:
    point: dict[str, Value] = {"optimizer": "adam", "learning_rate": 0.1, "sgd.learning_rate": 0.2}
    assert learning_rate(point) == 0.1
    assert learning_rate(point | {"adam.learning_rate": 0.3}) == 0.3


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_listed_optimizer_takes_each_of_its_hyperparameters_from_the_point(name: str) -> None:
    given = {"learning_rate": 0.3, "one_minus_momentum": 0.2, "one_minus_beta1": 0.25, "one_minus_beta2": 0.5}
    point: dict[str, Value] = {f"{name}.{k}": v for k, v in given.items()}
    point |= {"optimizer": name, f"{name}.epsilon": 0.01, "weight_decay": 0.001}
    group = optimizer_at(point, [torch.nn.Parameter(torch.ones(1))]).param_groups[0]
    found = {k: group[k] for k in ("lr", "momentum", "nesterov", "betas", "eps", "weight_decay") if k in group}
    assert found["lr"] == 0.3
    assert found["weight_decay"] == 0.001
    if name in ("adam", "adamw"):
        assert found["betas"] == (0.75, 0.5)
        assert found["eps"] == 0.01
    else:
        assert found["momentum"] == (0 if name == "sgd" else 0.8)
        assert found["nesterov"] == (name == "nesterov")


@pytest.mark.playbook("J20", case="shows")
def test_adam_corrects_each_moment_and_adds_epsilon_after_both_corrections() -> None:
    point: dict[str, Value] = {"optimizer": "adam", "learning_rate": 0.1, "one_minus_beta1": 0.1}
    point |= {"one_minus_beta2": 0.001, "epsilon": 1.0}
    gradient = 2.0
    first, second = updated(point, [gradient, gradient])
    assert first == pytest.approx(1 - 0.1 * gradient / (gradient + 1.0))
    assert second == pytest.approx(1 - 2 * 0.1 * gradient / (gradient + 1.0))


@pytest.mark.playbook("J20", case="shows")
def test_nesterov_looks_ahead_along_a_velocity_that_is_not_dampened() -> None:
    point: dict[str, Value] = {"optimizer": "nesterov", "learning_rate": 0.1, "one_minus_momentum": 0.2}
    first, second = updated(point, [1.0, 3.0])
    assert first == pytest.approx(1 - 0.1 * (1.0 + 0.8 * 1.0))
    velocity = 0.8 * 1.0 + 3.0
    assert second == pytest.approx(first - 0.1 * (3.0 + 0.8 * velocity))


@pytest.mark.playbook("J20", case="shows")
def test_weight_decay_is_decoupled_in_adamw_alone() -> None:
    point: dict[str, Value] = {"learning_rate": 0.1, "weight_decay": 0.5}
    assert updated(point | {"optimizer": "sgd"}, [0.0]) == pytest.approx([1 - 0.1 * 0.5])
    assert updated(point | {"optimizer": "adamw"}, [0.0]) == pytest.approx([1 - 0.1 * 0.5])
    penalty_as_gradient = [1 - 0.1]  # Adam divides it by its own size
    assert updated(point | {"optimizer": "adam"}, [0.0]) == pytest.approx(penalty_as_gradient, rel=1e-6)


def test_nesterov_without_momentum_is_plain_gradient_descent() -> None:
    point: dict[str, Value] = {"optimizer": "nesterov", "learning_rate": 0.1, "one_minus_momentum": 1.0}
    assert updated(point, [1.0, 3.0]) == pytest.approx([0.9, 0.6])


@pytest.mark.parametrize(
    ("point", "named"),
    [
        ({"optimizer": "lion", "learning_rate": 0.1}, "optimizer: 'lion' is unknown; allowed are sgd, momentum"),
        ({"learning_rate": 0.1}, "optimizer: '' is unknown"),
        ({"optimizer": "adam"}, "adam.learning_rate: the point has no value"),
        ({"optimizer": "sgd", "learning_rate": "fast"}, "learning_rate: 'fast' is no finite number"),
        ({"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": math.nan}, "weight_decay"),
    ],
)
@pytest.mark.prose
def test_a_point_that_makes_no_optimizer_is_refused_by_name(point: dict[str, Value], named: str) -> None:
    with pytest.raises(InputError, match=named):
        optimizer_at(point, [torch.nn.Parameter(torch.ones(1))])


def test_the_first_optimizer_of_a_forked_trial_imports_nothing() -> None:
    program = (
        "import sys, torch; from tasks.trials.supervised.optimization import optimizer_at; before = set(sys.modules); "
        "optimizer_at({'optimizer': 'sgd', 'learning_rate': 0.1}, [torch.nn.Parameter(torch.ones(1))]).step(); "
        "print(len(set(sys.modules) - before))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert int(said) < 10  # without the import at the top of the module there are some 800


@pytest.mark.playbook("J20", case="shows")
@pytest.mark.parametrize(
    ("name", "implementation", "decoupled"),
    [
        ("sgd", "torch.optim.sgd.SGD", False),
        ("nesterov", "torch.optim.sgd.SGD", False),
        ("adam", "torch.optim.adam.Adam", False),
        ("adamw", "torch.optim.adamw.AdamW", True),
    ],
)
def test_what_was_built_is_named_by_its_class_version_and_options(
    name: str, implementation: str, decoupled: bool
) -> None:
    point: dict[str, Value] = {"optimizer": name, "learning_rate": 0.1, "weight_decay": 1e-3}
    told = update_rule(optimizer_at(point, [torch.nn.Parameter(torch.ones(1))]))
    assert (told["implementation"], told["version"]) == (implementation, f"torch {torch.__version__}")
    assert told["options"].get("nesterov", False) == (name == "nesterov")
    assert told["rule"]["weight decay"].startswith("decoupled" if decoupled else "an L2 penalty")
    assert ("epsilon" in told["rule"]) == name.startswith("adam")
    refuse_objects(told)  # a checkpoint can hold it


@pytest.mark.playbook("J20", case="shows")
def test_epsilon_here_is_the_playbooks_times_the_root_of_the_correction() -> None:
    point: dict[str, Value] = {"optimizer": "adam", "learning_rate": 0.1, "one_minus_beta1": 0.1}
    point |= {"one_minus_beta2": 0.01, "epsilon": 0.5}
    gradient, (beta1, beta2) = 2.0, (0.9, 0.99)
    (after,) = updated(point, [gradient])
    m, v = (1 - beta1) * gradient, (1 - beta2) * gradient**2
    scaled = 0.5 * math.sqrt(1 - beta2)  # what the playbook's formula must be given to make the same step
    assert after == pytest.approx(1 - 0.1 * m / (math.sqrt(v) + scaled) * math.sqrt(1 - beta2) / (1 - beta1))
