"""The goal that is named as next is one that no guard refuses."""

from pathlib import Path

import pytest

from flows.compose.compose import from_overrides, goals_for
from flows.session.closing import askable
from tasks.record import Value
from tasks.scope.goal import Incumbent

OWN = ("workload=digits", "space=digits", "budget=quick", "goal=optimizer")
POINT: dict[str, Value] = {"optimizer": "nesterov", "nesterov.learning_rate": 0.1, "nesterov.one_minus_momentum": 0.1,
         "regularizer": "none", "weight_decay": 1e-4, "layers": 2, "width": 64, "activation": "relu"}  # fmt: skip
NOW = Incumbent(generation=1, point=POINT, source="round r")


@pytest.mark.playbook("G9", case="silent")
def test_a_goal_that_a_guard_would_refuse_is_not_named_as_next() -> None:
    config = from_overrides(OWN)
    assert "synthetic" in goals_for(config)  # it speaks of a regularizer alone, and would tune the choice of optimizer
    left = askable(config, OWN, {"depth", "dropout"}, NOW)
    assert next(g for g in left if g not in {"depth", "dropout", "optimizer"}) == "weight_decay"


def test_a_goal_of_ones_own_that_contradicts_the_space_is_not_named_either(tmp_path: Path) -> None:
    (tmp_path / "goal").mkdir()
    (tmp_path / "goal/aaa.yaml").write_text("question: q\nkind: improve\nscientific: {layers: [1, 77]}\n")
    config = from_overrides(OWN, str(tmp_path))
    assert next(iter(goals_for(config))) == "aaa"
    assert "aaa" not in askable(config, OWN, set(), NOW)


def test_what_can_be_asked_stays_in_its_order() -> None:
    config = from_overrides(OWN)
    assert list(askable(config, OWN, set(), NOW)) == list(goals_for(config))
