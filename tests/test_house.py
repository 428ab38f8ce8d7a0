"""The laws of the house hold everywhere, and each of them would notice: every law meets its breach and its twin."""

import statistics
from pathlib import Path

import pytest

from tests.house import laws as house
from tests.house.harmless import harmless
from tests.house.laws import HouseLaw, Law
from tests.house.module import Module, length, modules
from tests.house.words import kinds_are_facts, no_words_of_others

ROOT = Path(__file__).resolve().parent.parent
MODULES = modules(ROOT)
LAWS = (*house.LAWS, no_words_of_others, kinds_are_facts)
TESTS = modules(ROOT, "tests")


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_whole_house_keeps_the_law(law: Law) -> None:
    assert [breach for module in MODULES for breach in law(module)] == []


@pytest.mark.parametrize("law", house.HOUSE_LAWS, ids=lambda law: law.__name__)
def test_the_house_as_a_whole_keeps_the_law(law: HouseLaw) -> None:
    assert [*law(MODULES)] == []


def test_the_tests_are_small_and_few_to_a_folder_too() -> None:
    assert [breach for module in TESTS for breach in house.small(module)] == []
    assert [*house.few_to_a_folder(TESTS)] == []


def test_the_house_is_looked_at_as_a_whole() -> None:
    paths = {m.path for m in MODULES}
    assert {"tasks/record.py", "tasks/scope/goal.py", "flows/round.py"} <= paths
    assert all(f"tasks/{room}/task.py" in paths for room in house.ROOMS)
    assert not any("__pycache__" in p for p in paths)


def test_the_tests_do_nothing_either_that_they_forbid() -> None:
    tests = [m for m in TESTS if m.path not in ("tests/house/harmless.py", "tests/test_house.py")]
    assert [breach for module in tests for breach in harmless(module)] == []


def test_the_median_function_has_fewer_than_ten_lines() -> None:
    lengths = [length(f) for m in MODULES for f in m.functions]
    assert statistics.median(lengths) < 10


HEAD = '"""A module."""\n'
DEF = HEAD + 'def f() -> int:\n    """An int."""\n'
LONG = DEF + "    x = 1\n" * 58 + "    return x\n"
BREACHES = [
    (house.flows_one_way, "tasks/scope/a.py", "from tasks.design.study import Study"),
    (house.flows_one_way, "tasks/scope/a.py", "from tasks import design"),
    (house.flows_one_way, "tasks/design/a.py", "import tasks.trials.trial"),
    (house.flows_one_way, "tasks/analyze/a.py", "def f() -> None:\n    from tasks.promote import gate"),
    (house.flows_one_way, "tasks/analyze/a.py", "import tasks.ledger"),
    (house.flows_one_way, "tasks/analyze/a.py", "from tasks.tracking import Tracking"),
    (house.flows_one_way, "tasks/analyze/a.py", "from tasks.report.trials import feasible"),
    (house.flows_one_way, "tasks/promote/race.py", "from tasks.ledger import Ledger"),
    (house.flows_one_way, "tasks/text.py", "from tasks.scope.roles import Scope"),
    (house.flows_one_way, "tasks/record.py", "from tasks.text import number"),
    (house.flows_one_way, "tasks/ledger/a.py", "from tasks.scope.goal import Goal"),
    (house.flows_one_way, "tasks/ledger/a.py", "from tasks.tracking import store"),
    (house.flows_one_way, "tasks/record.py", "from tasks.scope.error import InputError"),
    (house.flows_one_way, "tasks/promote/task.py", "from flows.compose.compose import CONF"),
    (house.flows_one_way, "flows/round.py", "from tests.house.module import Module"),
    (house.flows_one_way, "tasks/scope/a.py", "from . import goal"),
    (house.each_library_in_its_place, "tasks/scope/a.py", "import prefect"),
    (house.each_library_in_its_place, "flows/tune.py", "from prefect import flow"),
    (house.each_library_in_its_place, "flows/session/site.py", "def f() -> None:\n    import prefect.context"),
    (house.each_library_in_its_place, "tasks/trials/run.py", "from prefect.task_runners import ThreadPoolTaskRunner"),
    (house.each_library_in_its_place, "tasks/trials/run.py", "import optuna"),
    (house.each_library_in_its_place, "tasks/report/page/page.py", "from matplotlib.figure import Figure"),
    (house.each_library_in_its_place, "tasks/trials/a.py", "from prefect.cache_policies import NO_CACHE"),
    (house.each_library_in_its_place, "flows/round.py", "from hydra import compose"),
    (house.each_library_in_its_place, "flows/round.py", "import omegaconf"),
    (house.each_library_in_its_place, "tasks/analyze/task.py", "import mlflow"),
    (house.each_library_in_its_place, "flows/round.py", "def f() -> None:\n    import mlflow.entities"),
    (house.each_library_in_its_place, "tasks/tracking/store.py", "import sqlalchemy as sa"),
    (house.each_library_in_its_place, "flows/audit.py", "import sqlite3"),
    (house.each_library_in_its_place, "tasks/analyze/a.py", "from torch import Tensor"),
    (house.each_library_in_its_place, "tasks/report/page/page.py", "import matplotlib.pyplot as plt"),
    (house.small, "tasks/scope/a.py", HEAD + "x = 1\n" * 300),
    (house.small, "tasks/scope/a.py", LONG.replace("return", "x = 2\n    return")),
    (house.typed, "tasks/scope/a.py", "def f(x: int):\n    return x"),
    (house.typed, "tasks/scope/a.py", "class A:\n    async def f(self):\n        def g(): pass"),
    (house.documented, "tasks/scope/a.py", "x = 1"),
    (house.documented, "tasks/scope/a.py", HEAD + "def f() -> int:\n    return 1"),
    (house.documented, "tasks/scope/a.py", HEAD + "class A:\n    x = 1"),
    (
        house.documented,
        "tasks/scope/a.py",
        HEAD + 'class A:\n    """An A."""\n    def f(self) -> int:\n        return 1',
    ),
    (house.plainly_named, "tasks/utils/a.py", ""),
    (house.plainly_named, "tasks/scope/helpers.py", ""),
    (house.plainly_named, "tasks/scope/a.py", "class TrialManager:\n    pass"),
    (house.annotated_at_once, "flows/round.py", "from __future__ import annotations"),
    (kinds_are_facts, "tasks/promote/a.py", 'if scope.goal.kind == "improve": pass'),
    (kinds_are_facts, "tasks/report/a.py", 'x = record.goal.kind in ("improve", "understand")'),
    (kinds_are_facts, "tasks/report/a.py", 'x = goal.facts.name == "improve"'),
    (kinds_are_facts, "tasks/report/a.py", 'def f() -> None:\n    kind = goal.kind\n    x = kind == "improve"'),
    (kinds_are_facts, "tasks/report/a.py", 'match scope.goal.kind:\n    case "improve": pass'),
    (kinds_are_facts, "tasks/report/a.py", 'x = record.answer.kind != "improve"'),
    (no_words_of_others, "tasks/report/a.py", 'x = any("baseline" in r for r in verdict.reasons)'),
    (no_words_of_others, "tasks/report/a.py", 'for r in verdict.reasons:\n    r.startswith("The finalist")'),
    (no_words_of_others, "tasks/report/a.py", 'def f() -> None:\n    e = found.evidence\n    x = "edge" in e'),
    (no_words_of_others, "tasks/report/a.py", 'def f() -> None:\n    n = found.numbers\n    x = n["share"]'),
    (no_words_of_others, "tasks/report/a.py", 'x = {v for k, v in found.numbers.items() if k == "share"}'),
    (no_words_of_others, "tasks/report/a.py", 'if "edge" in found.evidence: pass'),
    (no_words_of_others, "tasks/report/a.py", 'x = [f for f in fs if "edge" not in f.evidence.lower()]'),
    (no_words_of_others, "tasks/promote/a.py", 'verdict.reasons[0].startswith("The finalist")'),
    (no_words_of_others, "flows/history.py", 'import re\nre.search("baseline", finding.evidence)'),
    (no_words_of_others, "tasks/report/a.py", "PATTERN.sub(said, ' '.join(record.verdict.reasons))"),
    (no_words_of_others, "tasks/promote/a.py", 'x = found.numbers["standard_error"]'),
    (no_words_of_others, "tasks/promote/a.py", 'x = found.numbers.get("standard_error")'),
    (no_words_of_others, "tasks/report/a.py", 'x = verdict.noise[f"{arm}.3.z"]'),
    (no_words_of_others, "tasks/report/a.py", "import json\nids = json.loads(str(f.numbers))"),
    (harmless, "tasks/trials/a.py", "import pickle\npickle.load(f)"),
    (harmless, "tasks/trials/a.py", "from pickle import loads as read\nread(b)"),
    (harmless, "tasks/trials/a.py", "import torch\ntorch.load(f)"),
    (harmless, "tasks/trials/a.py", "import torch as t\nt.load(f, weights_only=False)"),
    (harmless, "tasks/trials/a.py", "import torch\ntorch.load(f, weights_only=trusted)"),
    (harmless, "tasks/trials/a.py", "import numpy as np\nnp.load(f, allow_pickle=True)"),
    (harmless, "tasks/trials/a.py", "import yaml\nyaml.load(text, Loader=yaml.Loader)"),
    (harmless, "tasks/trials/a.py", "import subprocess\nsubprocess.run(line, shell=True)"),
    (harmless, "tasks/trials/a.py", "import subprocess\nsubprocess.run(line, shell=wanted)"),
    (harmless, "tasks/trials/a.py", "import os\nos.system(line)"),
    (harmless, "tasks/trials/a.py", "import numpy as np\nnp.load(f, allow_pickle=trusted)"),
    (harmless, "tasks/trials/a.py", "import torch\ntorch.hub.load(where, name)"),
    (harmless, "tasks/trials/a.py", "import zipfile\nzipfile.ZipFile(f).extract(name)"),
    (harmless, "tasks/trials/a.py", "import shutil\nshutil.unpack_archive(f)"),
    (harmless, "tasks/tracking/a.py", "import mlflow\nmlflow.pytorch.load_model(uri)"),
    (harmless, "tasks/tracking/a.py", "from mlflow.pyfunc import load_model\nload_model(uri)"),
    (harmless, "flows/compose/compose.py", "import hydra\nhydra.main(config_name='round')"),
    (harmless, "flows/compose/compose.py", "from hydra.utils import instantiate\ninstantiate(tree)"),
    (harmless, "tasks/trials/a.py", "eval(text)"),
    (harmless, "tasks/trials/a.py", "def f() -> None:\n    exec(text)"),
    (harmless, "tasks/trials/a.py", "archive.extractall()"),
    (harmless, "tasks/trials/a.py", "import tarfile\ntarfile.open(f).extractall(folder)"),
    (harmless, "flows/prefect/server.py", 'HOST = "0.0.0.0"'),
    (harmless, "flows/prefect/server.py", 'url = f"http://0.0.0.0:{port}"'),
]
TWINS = [
    (house.flows_one_way, "tasks/analyze/a.py", "from tasks.trials.trial import Trial\nfrom tasks.record import Point"),
    (house.flows_one_way, "tasks/analyze/task.py", "import tasks.ledger\nfrom tasks import tracking"),
    (house.flows_one_way, "tasks/ledger/a.py", "from tasks.ledger.tables import ROUNDS\nfrom tasks import record"),
    (house.flows_one_way, "tasks/record.py", "import json\nfrom pydantic import BaseModel"),
    (house.flows_one_way, "tasks/tracking/a.py", "from tasks.text import number\nfrom tasks.files import replaced"),
    (house.flows_one_way, "tasks/report/a.py", "from tasks.promote.gate import gate"),
    (
        house.flows_one_way,
        "flows/round.py",
        "from tasks.promote.gate import gate\nfrom flows.compose.compose import CONF",
    ),
    (house.flows_one_way, "tasks/scope/a.py", "import scopes\nfrom designs.study import Study"),
    (house.each_library_in_its_place, "tasks/scope/task.py", "from prefect import task"),
    (house.each_library_in_its_place, "flows/steps.py", "def f() -> None:\n    from prefect import Task"),
    (house.each_library_in_its_place, "flows/prefect/flow.py", "from prefect import flow"),
    (house.each_library_in_its_place, "tasks/trials/imported/optuna.py", "import optuna"),
    (house.each_library_in_its_place, "flows/compose/compose.py", "import hydra\nfrom omegaconf import OmegaConf"),
    (house.each_library_in_its_place, "tasks/tracking/store.py", "import mlflow"),
    (house.each_library_in_its_place, "tasks/ledger/store.py", "import sqlite3\nfrom sqlalchemy import Table"),
    (house.each_library_in_its_place, "tasks/trials/workloads/models.py", "import torch"),
    (house.each_library_in_its_place, "tasks/report/plots/axis.py", "from matplotlib.figure import Figure"),
    (house.small, "tasks/scope/a.py", HEAD + "x = 1\n" * 299),
    (house.small, "tasks/scope/a.py", LONG.replace('"""An int."""', '"""An int.\n\n    Told at length.\n    """')),
    (house.typed, "tasks/scope/a.py", "def f(x: int) -> int:\n    return (lambda y: y)(x)"),
    (
        house.documented,
        "tasks/scope/a.py",
        HEAD + "def _f() -> int:\n    return 1\nclass _A:\n    def g(self) -> int: ...",
    ),
    (house.documented, "tasks/scope/a.py", HEAD + 'class A:\n    """An A."""\n    def __len__(self) -> int: ...'),
    (house.plainly_named, "tasks/scope/score.py", "class Handled:\n    pass"),
    (house.annotated_at_once, "flows/round.py", "from typing import Any"),
    (kinds_are_facts, "tasks/promote/a.py", "if scope.goal.facts.baseline and scope.goal.kind in OWN: pass"),
    (no_words_of_others, "tasks/report/a.py", 'if f.reason == "best_at_edge": print(f.evidence.rstrip("."))'),
    (no_words_of_others, "tasks/report/a.py", "for name, value in f.numbers.items(): print(name, value)"),
    (no_words_of_others, "tasks/report/a.py", "for sentence in record.verdict.reasons[:3]: print(sentence)"),
    (no_words_of_others, "tasks/analyze/a.py", 'numbers["trials"] = 3\nlow = numbers["low"]'),
    (no_words_of_others, "tasks/report/a.py", 'import json\ntree = json.loads(text)\n"a" in trial.reason'),
    (no_words_of_others, "tasks/upgrade.py", 'x = verdict.noise["finalist-incumbent.3.z"]'),
    (harmless, "tasks/trials/a.py", "import torch\ntorch.load(f, weights_only=True)\nmodel.eval()"),
    (harmless, "tasks/trials/a.py", "import json, yaml\njson.load(f)\nyaml.safe_load(f)"),
    (harmless, "tasks/trials/a.py", "import numpy as np\nnp.load(f, allow_pickle=False)\nnp.load(f)"),
    (harmless, "tasks/trials/a.py", "import subprocess\nsubprocess.run([program], shell=False)"),
    (harmless, "tasks/tracking/a.py", "import mlflow\nmlflow.artifacts.download_artifacts(uri)"),
    (harmless, "flows/compose/compose.py", "from hydra import compose\ncompose('round')"),
    (harmless, "flows/prefect/server.py", '"""Never 0.0.0.0."""\nHOST = "127.0.0.1"'),
]


@pytest.mark.parametrize(("law", "path", "source"), BREACHES)
def test_a_breach_is_noticed_and_says_where(law: Law, path: str, source: str) -> None:
    (first, *_) = [*law(Module(path=path, source=source))]
    assert first.startswith(path)


@pytest.mark.parametrize(("law", "path", "source"), TWINS)
def test_the_clean_twin_is_left_in_peace(law: Law, path: str, source: str) -> None:
    assert [*law(Module(path=path, source=source))] == []


FULL = {f"tasks/scope/m{i}.py": HEAD for i in range(15)}
HOUSES: list[tuple[HouseLaw, dict[str, str], dict[str, str]]] = [
    (
        house.no_circles,
        {"flows/a.py": "def f() -> None:\n    from flows import b", "flows/b.py": "from flows.a import f"},
        {"flows/a.py": "def f() -> None:\n    from flows import b", "flows/b.py": "import flows.c"},
    ),
    (
        house.no_circles,
        {"tasks/a.py": "import tasks.b", "tasks/b.py": "import tasks.c", "tasks/c.py": "from tasks.a import x"},
        {"tasks/a.py": "import tasks.b\nimport tasks.c", "tasks/b.py": "import tasks.c", "tasks/c.py": "x = 1"},
    ),
    (house.few_to_a_folder, FULL | {"tasks/scope/more.py": HEAD}, FULL | {"tasks/scope/__init__.py": HEAD}),
    (house.few_to_a_folder, FULL | {"tasks/scope/m.py": HEAD}, FULL | {"tasks/scope/names/more.py": HEAD}),
    (
        house.few_to_a_folder,
        dict.fromkeys(("tasks/a/plots_axis.py", "tasks/a/plots_curves.py", "tasks/a/plots_noise.py"), HEAD),
        dict.fromkeys(("tasks/a/plots_axis.py", "tasks/a/plots_curves.py", "tasks/a/plots/noise.py"), HEAD),
    ),
    (
        house.few_to_a_folder,
        dict.fromkeys(("tests/a/test_report_top.py", "tests/a/test_report_tables.py", "tests/a/report_page.py"), HEAD),
        dict.fromkeys(("tests/a/test_top.py", "tests/a/test_tables.py", "tests/a/test_page.py"), HEAD),
    ),
    (
        house.one_meaning_a_name,
        {"tasks/scope/a.py": "def wall() -> int: ...", "tasks/analyze/b.py": "class wall: ..."},
        {"tasks/scope/a.py": "def wall() -> int: ...", "tasks/analyze/b.py": "def _wall() -> int: ...\nWALL = 1"},
    ),
    (
        house.one_meaning_a_name,
        {"tasks/trials/a.py": "def main() -> int: ...", "tasks/trials/b.py": "def main() -> int: ..."},
        {"flows/round.py": "def main() -> int: ...", "flows/audit.py": "def main() -> int: ..."},
    ),
]


@pytest.mark.parametrize(("law", "breach", "twin"), HOUSES)
def test_a_breach_of_the_house_as_a_whole_is_noticed_and_its_twin_is_not(
    law: HouseLaw, breach: dict[str, str], twin: dict[str, str]
) -> None:
    assert [*law([Module(path=path, source=source) for path, source in breach.items()])]
    assert [*law([Module(path=path, source=source) for path, source in twin.items()])] == []


def test_every_law_has_a_breach_and_a_twin() -> None:
    assert {law for law, _, _ in BREACHES} == {law for law, _, _ in TWINS} == set(LAWS)
    assert {law for law, _, _ in HOUSES} == set(house.HOUSE_LAWS)
