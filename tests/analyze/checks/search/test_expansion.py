"""How far a side moves outward, in its own scale and up to its natural limit."""

from collections.abc import Mapping
from typing import Any

import pytest

from tasks.analyze.checks.search.expansion import expansion, natural_limit
from tests.analyze.checks.search.test_edge import one
from tests.analyze.planted import policy


@pytest.mark.playbook("E4", case="shows")
@pytest.mark.parametrize(
    ("name", "node", "side", "override"),
    [
        ("learning_rate", {"low": 1e-4, "high": 1e-1, "scale": "log"}, "high", "space.learning_rate.high=1"),
        ("learning_rate", {"low": 1e-4, "high": 1e-1, "scale": "log"}, "low", "space.learning_rate.low=1e-05"),
        ("weight", {"low": 1.0, "high": 3.0}, "high", "space.weight.high=4"),
        ("weight", {"low": 0.5, "high": 3.0}, "low", "space.weight.low=0"),
        ("dropout_rate", {"low": 0.0, "high": 0.8}, "high", "space.dropout_rate.high=0.9"),
        ("dropout_rate", {"low": 0.0, "high": 0.8}, "low", None),
        ("one_minus_momentum", {"low": 1e-3, "high": 0.5, "scale": "log"}, "high", "space.one_minus_momentum.high=1"),
        ("one_minus_momentum", {"low": 1e-3, "high": 1.0, "scale": "log"}, "high", None),
        ("layers", {"low": 1, "high": 6, "type": "int"}, "low", None),
        ("layers", {"low": 2, "high": 6, "type": "int"}, "low", "space.layers.low=1"),
        ("layers", {"low": 1, "high": 6, "type": "int"}, "high", "space.layers.high=9"),
        ("width", {"low": 32, "high": 128, "type": "int", "scale": "log"}, "high", "space.width.high=512"),
        ("width", {"values": [64, 128, 256]}, "low", "space.width.values=[32,64,128,256]"),
        ("depth", {"values": [2, 4, 6]}, "high", "space.depth.values=[2,4,6,8]"),
        ("size", {"values": ["small", "large"]}, "high", None),
    ],
)
def test_a_side_moves_in_its_own_scale_and_stops_at_its_natural_limit(
    name: str, node: Mapping[str, Any], side: Any, override: str | None
) -> None:
    assert expansion(one({name: node}, name), side, policy()) == override


def test_a_learning_rate_is_no_share_and_has_no_limit_above() -> None:
    assert natural_limit(one({"learning_rate": {"low": 0.01, "high": 0.99}}, "learning_rate"), "high") is None
    assert natural_limit(one({"dropout_rate": {"low": 0.0, "high": 0.99}}, "dropout_rate"), "high") is not None
