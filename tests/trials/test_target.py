"""Targets: a configuration may name the project's workloads and the user's own code, and nothing else can be run."""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tasks.scope.error import InputError
from tasks.trials import target
from tasks.trials.supervised.training import train as supervised
from tasks.trials.target import bound, call_recipe, place_of, resolve, targets_at, targets_in
from tasks.trials.workloads.synthetic import synthetic

MINE = """
import json
import os
import os as tools
from functools import partial
from os import system
from subprocess import Popen as starter

made = partial(os.system, "true")
table = {}

def train(trial, **arguments):
    return trial, arguments

class Model:
    class Deep:
        @staticmethod
        def build(width=1):
            return width
    def __init__(self, width=1):
        self.width = width

class Encoder(json.JSONEncoder):
    pass

loud = Model
"""

Write = Callable[[str, str], None]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[str]:
    """A user's folder with `mine.py` and a package; what was imported from it is forgotten afterwards."""
    folder = tmp_path / "own"
    (folder / "kit" / "deep").mkdir(parents=True)
    (folder / "goal").mkdir()
    (folder / "goal" / "mine.yaml").touch()
    (folder / "mine.py").write_text(MINE)
    (folder / "kit" / "__init__.py").write_text("def top(trial): pass")
    (folder / "kit" / "deep" / "nets.py").write_text("def build(depth=2): return depth")
    before, path = set(sys.modules), list(sys.path)
    yield str(folder)
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("mine", "kit", "uses", "installed", "linked", "broken"):
            del sys.modules[name]


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that exists only if code ran that must not run."""
    return tmp_path / "canary"


def test_the_projects_own_callables_are_found_without_a_users_folder() -> None:
    assert resolve("tasks.trials.supervised", None) is supervised
    assert resolve("tasks.trials.workloads.synthetic.synthetic", None) is synthetic


@pytest.mark.parametrize(
    "address", ["mine.train", "mine.Model", "mine.Model.Deep.build", "mine.loud", "kit.top", "kit.deep.nets.build"]
)
def test_what_is_defined_in_the_users_folder_is_found_at_any_depth(address: str, own: str) -> None:
    place_of(address, own)
    assert callable(resolve(address, own))


@pytest.mark.parametrize(
    "address",
    [
        *("os.system", "posix.system", "builtins.eval", "builtins.exec", "torch.load", "pickle.loads", "numpy.load"),
        *("subprocess.Popen", "importlib.import_module", "hydra.utils.instantiate", "tasks", "tasks.trials", "train"),
        *("tasks.trials.local.forkserver.os.system", "tasks.trials.local.reaper.kill", "tasks.trials.target.resolve"),
        *("tasks.trials.supervised.__globals__", "tasks.trials.workloads", "tasks.trials.workloads.synthetic"),
        *("tasks.trials.workloads.synthetic.np.load", "tasks.trials.workloads.synthetic.RunningTrial"),
        *(
            "tasks.trials.workloads.synthetic.synthetic.__globals__.get",
            "tasks.trials.workloadsx.f",
            "flows.round.main",
        ),
        *(
            "",
            ".",
            "..",
            "mine.",
            ".mine.train",
            "mine..train",
            "../mine.train",
            "/etc/passwd",
            "mine:train",
            "mine train",
        ),
        *("mine", "mine.os.system", "mine.tools.system", "mine.system", "mine.starter", "mine.made", "mine.table.get"),
        *("mine.Encoder.encode", "mine.Model.__subclasses__", "mine.train.__globals__.get", "mine.train.__call__"),
        *("mine.nothing", "goal.mine", "kit.deep", "kit.os.system", "kit.deep.nets", "mine.made.func"),
        *("\u202emine.train", "mine.train\n", "mine.train\0"),
    ],
)
def test_anything_else_is_refused_in_one_sentence_that_names_it(address: str, own: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve(address, own)
    said = str(refused.value)
    assert repr(address) in said
    assert said.startswith("_target_: ")
    assert said.rstrip().endswith(".")
    assert "\n" not in said


@pytest.mark.prose
def test_a_refused_address_is_never_imported(tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = f"import pathlib; pathlib.Path({str(canary)!r}).touch()\ndef f(): pass"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "trap.py").write_text(trap)
    (tmp_path / "own").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    for own in (None, str(tmp_path / "own")):
        with pytest.raises(InputError, match="is not allowed in a configuration"):
            resolve("trap.f", own)
    assert not canary.exists()
    importlib.import_module("trap")
    assert canary.exists()  # the trap works


@pytest.mark.prose
def test_the_project_is_no_users_folder_even_where_it_is_named_as_one(own: str) -> None:
    root = str(Path(target.__file__).parents[2])
    for address in ("tasks.trials.local.reaper.kill", "tasks.trials.target.check_target"):
        with pytest.raises(InputError, match="is not allowed in a configuration"):
            resolve(address, root)
    assert resolve("tasks.trials.supervised", root) is supervised


@pytest.mark.prose
def test_a_link_out_of_the_users_folder_is_refused_before_it_is_imported(
    own: str, tmp_path: Path, canary: Path
) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text(f"import pathlib; pathlib.Path({str(canary)!r}).touch()\ndef f(): pass")
    (Path(own) / "linked.py").symlink_to(outside)
    with pytest.raises(InputError, match="is a link to elsewhere"):
        resolve("linked.f", own)
    assert not canary.exists()


@pytest.mark.parametrize("library", ["subprocess.getoutput", "yaml.load", "os.popen"])
def test_a_src_folder_that_is_a_link_to_libraries_holds_no_code_of_the_users(library: str, own: str) -> None:
    for place in (Path(os.__file__).parent, Path(pytest.__file__).parents[1]):
        (Path(own) / "src").symlink_to(place)
        with pytest.raises(InputError):
            resolve(library, own)
        (Path(own) / "src").unlink()


def test_what_is_installed_is_no_code_of_the_users_by_whatever_name_it_stands_on_pythonpath(
    own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "elsewhere" / "site-packages"
    site.mkdir(parents=True)
    (site / "libx.py").write_text("def call(trial): pass")
    (tmp_path / "link").symlink_to(site)
    stdlib = Path(os.__file__).parent
    for entry in (site, tmp_path / "link", stdlib, stdlib / "unittest", Path(pytest.__file__).parents[1]):
        monkeypatch.setenv("PYTHONPATH", str(entry))
        for address in ("libx.call", "subprocess.getoutput", "mock.patch", "yaml.load"):
            with pytest.raises(InputError):
                place_of(address, own)
    plain = tmp_path / "lib"
    plain.mkdir()
    (plain / "libx.py").write_text("def call(trial): pass")
    monkeypatch.setenv("PYTHONPATH", f"{plain}{os.pathsep}")
    assert place_of("libx.call", own).folder == plain


@pytest.mark.prose
def test_packages_installed_inside_the_users_folder_are_not_the_users_code(own: str) -> None:
    site = Path(own) / ".venv" / "site-packages"
    site.mkdir(parents=True)
    (site / "installed.py").write_text("def payload(): pass")
    (Path(own) / "uses.py").write_text("from installed import payload\ndef honest(trial): payload()")
    sys.path.insert(0, str(site))
    with pytest.raises(InputError, match=r"is installed.payload by another name"):
        resolve("uses.payload", own)
    assert callable(resolve("uses.honest", own))


@pytest.mark.prose
def test_a_module_with_the_name_of_another_library_must_be_renamed(own: str) -> None:
    (Path(own) / "json.py").write_text("def train(trial): pass")
    with pytest.raises(InputError, match=r"the name json belongs to .*json/__init__.py; rename"):
        resolve("json.train", own)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def f(:", "SyntaxError"),
        ("import no_such_library", "No module named 'no_such_library'"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("1 / 0", "division by zero"),
    ],
)
@pytest.mark.prose
def test_a_module_that_cannot_be_imported_is_one_sentence_with_the_cause(code: str, said: str, own: str) -> None:
    (Path(own) / "broken.py").write_text(code)
    with pytest.raises(InputError, match=f"importing broken from .* failed with .*{said}"):
        resolve("broken.f", own)


def test_the_users_folder_may_be_reached_through_a_link(own: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(own)
    assert callable(resolve("mine.train", str(tmp_path / "link")))


def test_the_folder_may_be_named_from_where_one_stands(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(own).parent)
    assert callable(resolve("mine.train", "own"))


def test_every_target_in_a_tree_is_found_once_however_deep() -> None:
    tree = {"_target_": "a", "x": [{"_target_": "b", "y": ({"_target_": "c"},)}, 3, "_target_"], "z": {"w": None}}
    assert list(targets_in(tree)) == ["a", "b", "c"]
    assert list(targets_in({"_target_": {"_target_": "os.system"}})) == ["{'_target_': 'os.system'}"]
    assert [place for place, _ in targets_at(tree, "workload")] == ["workload", "workload.x.0", "workload.x.0.y.0"]


def test_a_bound_tree_calls_nothing_until_it_is_called_and_then_with_what_the_caller_adds(own: str) -> None:
    tree: dict[str, Any] = {
        "model": {"_target_": "mine.Model", "width": 3},
        "list": [{"_target_": "kit.deep.nets.build"}],
        "plain": 1,
    }
    made = bound(tree, own)
    assert made["plain"] == 1
    assert made["list"][0](depth=5) == 5
    assert call_recipe(made["model"]).width == 3
    assert call_recipe(tree["model"], own, width=4).width == 4


@pytest.mark.prose
def test_a_recipe_within_a_recipe_is_checked_and_bound_too(own: str) -> None:
    assert (
        call_recipe({"_target_": "mine.train", "net": {"_target_": "kit.deep.nets.build"}}, own, trial=1)[1]["net"]()
        == 2
    )
    with pytest.raises(InputError, match=r"'os\.system' is not allowed"):
        bound({"_target_": "mine.train", "net": [{"_target_": "os.system", "command": "true"}]}, own)


@pytest.mark.parametrize("word", ["_partial_", "_args_"])
@pytest.mark.prose
def test_words_of_hydras_own_are_refused_rather_than_passed_on(word: str, own: str) -> None:
    with pytest.raises(InputError, match=f"{word}: has no meaning in 'mine.train'"):
        bound({"_target_": "mine.train", word: True}, own)


def test_the_rule_is_no_object_that_a_configuration_could_change() -> None:
    assert isinstance(target.EXACT, MappingProxyType)
    assert isinstance(target.OURS, str)
    assert os.sep not in target.OURS
