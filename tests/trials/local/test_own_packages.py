"""A user's packages may be called `tasks` and `flows`: in a trial's process these names are theirs."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.compose.config import CONF
from tasks.scope.error import InputError
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.imports import check_imports
from tasks.trials.trial import Trial
from tests.trials.example_trials import PATIENT, execution, plan

FILES = {
    "tasks/__init__.py": "",
    "tasks/record.py": "LOSS = 0.25\n",
    "tasks/train.py": """
import json, multiprocessing, os, sys
import flows.net
from tasks.record import LOSS
from tunebook import Infeasible

def train(trial):
    trial.report(3, loss=LOSS, depth=flows.net.DEPTH)
    trial.save(3, {"w": [1.0]})

def resumes(trial):
    step, state = trial.resume()
    trial.report(step + 3, loss=LOSS)
    trial.save(step + 3, {"w": [1.0]})

def wide(trial):
    raise Infeasible("too wide")

def spawned(trial):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        trial.report(3, loss=pool.apply(worth, (2,)))

def worth(x):
    return x * LOSS

def pools(trial):
    import pickle
    from concurrent.futures import ProcessPoolExecutor
    for way in ("fork", "spawn"):
        with ProcessPoolExecutor(1, multiprocessing.get_context(way)) as pool:
            assert pool.submit(sorted, trial.point).result() == sorted(trial.point)
            try:
                pool.submit(refuses, dict(trial.point)).result()
            except Infeasible as error:
                said = str(error)
    assert pickle.loads(pickle.dumps(trial.point)) == dict(trial.point)
    trial.report(3, loss=1.0)
    raise Infeasible(said)

def late(trial):
    from tunebook import Data  # which no trial of this workload has imported
    from tunebook import Infeasible as again
    assert again is Infeasible
    raise again(Data.__name__)

def refuses(point):
    raise Infeasible(f"too wide: {point['width']}")

def programs(trial):
    import subprocess
    said = subprocess.run([sys.executable, "-c", "import kit.text, tasks.record; print(tasks.record.LOSS)"],
                          capture_output=True, text=True, check=True)
    trial.report(3, loss=float(said.stdout))

def looks(trial):
    names = sorted(n for n in sys.modules if n.partition(".")[0] in ("tasks", "flows"))
    here = os.environ["TUNEBOOK_FOLDER"]
    ours = [n for n in names if not str(sys.modules[n].__file__ or here).startswith(here)]
    print(json.dumps({"ours": ours, "path": sys.path[:2], "PYTHONPATH": os.environ["PYTHONPATH"]}))
    trial.report(3, loss=float(len(ours)))

from tasks.trials.supervised import DEEP

def deep(trial):
    trial.report(3, loss=DEEP)
""",
    "tasks/trials/supervised/__init__.py": "DEEP = 0.5\n",
    "flows/net.py": "DEPTH = 3\n",  # a namespace package
    "src/kit/text.py": "def train(trial):\n    trial.report(3, loss=0.75)\n",
    "broken.py": "import os\n\nfrom no_such_library_of_anybody.layers import Dense\n",
    "dies.py": "import os\nprint('goodbye', flush=True)\nos._exit(7)\n",
    "cached.py": """
import pickle
import torch
from tunebook import Data, Labelled

def train(trial):
    part = Labelled(inputs=torch.zeros(2, 1), labels=torch.zeros(2).long())
    again = pickle.loads(pickle.dumps(Data(train=part, valid=part, test=part, classes=2)))
    assert isinstance(again, Data) and isinstance(again.train, Labelled)
    trial.report(3, loss=0.125)
""",
    "wordy.py": "raise ValueError('first\\n' + 'second \\x1b[31m\\n' * 400)\n",
    "parses.py": "import argparse\nargparse.ArgumentParser(prog='theirs').parse_args(['--frob'])\n",
    "leaves.py": "import sys\nsys.exit('not now')\n",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The user's folder."""
    folder = tmp_path_factory.mktemp("own")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return str(folder)


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """One server for the module."""
    with ForkServer(PATIENT, preload=("tasks.trials.local.child",)) as server:
        yield server


def ended(server: ForkServer, own: str, target: str, folder: Path, **arguments: Any) -> Trial:
    """How a trial of the target ended."""
    return run_trial(plan(), execution(target, own=own, **arguments), server, folder, "cpu")


@pytest.mark.parametrize(
    ("target", "loss"),
    [
        *(("tasks.train.train", 0.25), ("tasks.train.resumes", 0.25), ("tasks.train.spawned", 0.5)),
        *(
            ("tasks.train.programs", 0.25),
            ("tasks.train.looks", 0.0),
            ("tasks.train.deep", 0.5),
            ("kit.text.train", 0.75),
        ),
        ("cached.train", 0.125),
    ],
)
def test_what_is_imported_by_these_names_is_the_users(
    target: str, loss: float, server: ForkServer, own: str, tmp_path: Path
) -> None:
    trial = ended(server, own, target, tmp_path)
    assert (trial.status, trial.reason, trial.best_value) == ("complete", "", loss), trial.log


def test_a_users_code_may_say_that_a_point_is_infeasible(server: ForkServer, own: str, tmp_path: Path) -> None:
    trial = ended(server, own, "tasks.train.wide", tmp_path / "here")
    assert (trial.status, trial.reason) == ("infeasible", "too wide")
    trial = ended(server, own, "tasks.train.late", tmp_path / "late")
    assert (trial.status, trial.reason) == ("infeasible", "Data"), trial.log
    trial = ended(server, own, "tasks.train.pools", tmp_path / "there")
    assert (trial.status, trial.reason) == ("infeasible", "too wide: 64"), trial.log


def test_our_own_workloads_are_found_by_their_exact_address_beside_them(
    server: ForkServer, own: str, tmp_path: Path
) -> None:
    bowls = {"learning_rate": {"optimum": 0.3, "curvature": 1.0}}
    trial = ended(server, own, "tasks.trials.workloads.synthetic.synthetic", tmp_path, bowls=bowls)
    assert "No module named" not in trial.reason
    assert trial.status == "complete", trial.log


def test_the_plan_accepts_what_can_be_imported_and_imports_nothing_here(own: str) -> None:
    import sys

    before = set(sys.modules)
    targets = [("workload", "tasks.train.train"), ("workload.net", "kit.text.train")]
    check_imports(targets, execution("tasks.train.train", own=own))
    assert not [n for n in set(sys.modules) - before if n.startswith(("tasks.train", "kit", "flows.net"))]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("broken.train", "No module named 'no_such_library_of_anybody'"),
        ("dies.train", "ended its process (exit code 7); it printed last: goodbye"),
        ("leaves.train", "SystemExit: not now"),
        ("parses.train", "unrecognized arguments: --frob"),
        ("wordy.train", "ValueError: first second"),
        ("tasks.train.nothing", "there is no callable at 'tasks.train.nothing'"),
        ("tasks.trials.local.reaper.kill", "there is no callable at"),  # in their package
        ("tasks.trials.workloads.nothing.here", "there is no callable at"),  # in ours
        ("flowsx.reaper.kill", "is not allowed in a configuration"),
    ],
)
@pytest.mark.prose
def test_the_plan_refuses_what_cannot_with_the_real_sentence_and_its_place(target: str, said: str, own: str) -> None:
    with pytest.raises(InputError) as refused:
        check_imports([("workload.model", target)], execution(target, own=own))
    assert str(refused.value).startswith("workload.model._target_: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 700


def test_nothing_that_runs_beside_a_users_code_imports_ours_later() -> None:
    """After `step_aside` an import of `tasks.…` within a function would find the user's package."""
    trials = CONF.parent / "tasks" / "trials"
    beside = ("checkpoints", "supervised", "workloads")
    places = [*trials.glob("*.py"), *(path for folder in beside for path in trials.glob(f"{folder}/*.py"))]
    late = [
        f"{path.name}:{inner.lineno}"
        for path in (*places, trials / "local" / "child.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.ImportFrom) and str(inner.module).startswith("tasks.")
    ]
    assert late == []
