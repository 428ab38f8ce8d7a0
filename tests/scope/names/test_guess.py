"""What is guessed of the space of trials that ran elsewhere, and what is not guessed because somebody said it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tasks.record import Point
from tasks.scope.error import InputError
from tasks.scope.names.guess import guessed_space
from tasks.scope.policy import Policy

POLICY = Policy.model_validate(yaml.safe_load(Path("conf/policy/default.yaml").read_text()))


def guessed(points: Sequence[Point], domains: Any = None, wishes: Any = None) -> tuple[dict[str, Any], tuple[str, ...]]:
    space, said = guessed_space(points, domains or {}, wishes or {}, POLICY)
    return space.as_tree(), said


@pytest.mark.playbook("D11", case="shows")
@pytest.mark.prose
def test_a_wide_positive_range_is_on_a_log_scale_and_a_narrow_one_is_not() -> None:
    points = [{"lr": 10.0**-i, "dropout": 0.1 * i} for i in range(1, 12)]
    space, said = guessed(points)
    assert space["lr"] == {"low": 1e-11, "high": 0.1, "scale": "log", "type": "float"}
    assert space["dropout"]["scale"] == "linear"
    assert said[0] == "The space of lr is guessed from its trials: 1e-11 to 0.1, log."


def test_an_even_spread_that_happens_to_begin_near_zero_is_no_log_scale() -> None:
    even = [{"dropout": 0.8 * (i + 0.01) / 1000} for i in range(1000)]
    assert guessed(even)[0]["dropout"]["scale"] == "linear"
    wide = [{"dropout": 8e-6 * 10 ** (5 * i / 999)} for i in range(1000)]
    assert guessed(wide)[0]["dropout"]["scale"] == "log"


def test_few_values_that_come_back_are_an_order_and_texts_are_choices() -> None:
    points = [{"batch": 2 ** (4 + i % 3), "name": "ab"[i % 2], "on": i % 2 == 0} for i in range(12)]
    space, _ = guessed(points)
    assert space == {
        "batch": {"values": [16, 32, 64]},
        "name": {"choices": ["a", "b"]},
        "on": {"choices": [True, False]},
    }


@pytest.mark.prose
def test_what_only_some_trials_have_belongs_to_the_choice_that_tells_which() -> None:
    points: list[Point] = [{"opt": "sgd", "momentum": 0.05 * i} if i % 2 else {"opt": "adam"} for i in range(20)]
    space, said = guessed(points)
    assert space["momentum"]["when"] == {"opt": ["sgd"]}
    assert said[-1] == "momentum is taken to exist where opt is sgd: so it was."
    points[0] = {"opt": "adam", "momentum": 0.5}  # now no choice tells
    assert "when" not in guessed(points)[0]["momentum"]


@pytest.mark.prose
def test_what_the_source_says_is_not_guessed_and_what_the_user_says_counts_most() -> None:
    points = [{"lr": 0.01 * i} for i in range(1, 12)]
    source = {"lr": {"low": 1e-4, "high": 1.0, "type": "float", "scale": "log"}}
    space, said = guessed(points, source)
    assert space == source
    assert said == ()
    assert guessed(points, source, {"lr": {"high": 2.0}})[0]["lr"]["high"] == 2.0
    assert guessed(points, source, {"lr": {"values": [0.01, 0.02]}})[0] == {"lr": {"values": [0.01, 0.02]}}
    assert guessed(points, wishes={"lr": {"scale": "log"}})[0]["lr"]["scale"] == "log"
    with pytest.raises(InputError, match=r"space\.lr\.scale: 'cubic' is not linear or log"):
        guessed(points, wishes={"lr": {"scale": "cubic"}})


def test_one_value_is_a_constant() -> None:
    space, _ = guessed_space([{"batch": 128}, {"batch": 128}], {}, {}, POLICY)
    assert space["batch"].constant
