"""A configuration may name the project's workloads and the user's own functions, and nothing else may be called."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.scope.error import InputError
from tasks.trials.target import bound, call_recipe, resolve, targets_in

OWN = """
import os
from os import system as borrowed

def train(trial):
    return "trained"

class Model:
    def __init__(self, width=1):
        self.width = width
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "of_my_own.py").write_text(OWN)
    (tmp_path / "falls_over.py").write_text("import no_such_library\n")
    yield str(tmp_path)
    sys.modules.pop("of_my_own", None)
    sys.path[:] = [p for p in sys.path if p != str(tmp_path)]


def test_a_function_or_class_of_the_users_own_folder_is_found(own: str) -> None:
    assert resolve("of_my_own.train", own)(None) == "trained"
    assert resolve("of_my_own.Model", own)(width=3).width == 3


def test_the_projects_own_loop_and_workloads_are_found() -> None:
    assert resolve("tasks.trials.supervised", None).__name__ == "supervised"
    assert resolve("tasks.trials.workloads.synthetic.synthetic", None).__name__ == "synthetic"


FOREIGN = [
    "os.system",
    "torch.load",
    "builtins.eval",
    "subprocess.run",
    "of_my_own.os.system",
    "of_my_own.borrowed",
    "of_my_own.train.__globals__",
    "of_my_own.nothing",
    "of_my_own",
    "tasks.trials.forkserver.serve",
    "tasks.trials.training.train",
    "tasks.ledger.open_ledger",
    "..of_my_own.train",
    "of_my_own/../train.x",
    "",
]


@pytest.mark.parametrize("target", FOREIGN)
def test_anything_else_is_refused_in_one_sentence(own: str, target: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve(target, own)
    assert "\n" not in str(refused.value)
    assert "--config-dir" in str(refused.value)


def test_a_foreign_module_is_refused_before_it_is_imported(own: str) -> None:
    sys.modules.pop("antigravity", None)
    with pytest.raises(InputError):
        resolve("antigravity.geohash", own)
    assert "antigravity" not in sys.modules


def test_a_module_that_needs_what_is_not_installed_says_what(own: str) -> None:
    with pytest.raises(InputError, match="no_such_library"):
        resolve("falls_over.train", own)


def test_every_nested_target_is_found() -> None:
    tree = {"a": [{"_target_": "x.y", "b": {"_target_": "z.w"}}], "c": {"d": ({"_target_": "u.v"},)}}
    assert sorted(targets_in(tree)) == ["u.v", "x.y", "z.w"]


def test_a_recipe_makes_what_it_names_with_its_own_arguments_and_the_callers(own: str) -> None:
    recipe = bound({"_target_": "of_my_own.Model"}, own)
    assert call_recipe(recipe, width=5).width == 5
    assert bound({"plain": [1, {"two": 2}]}, own) == {"plain": [1, {"two": 2}]}
