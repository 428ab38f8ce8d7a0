"""The pure rooms import where Prefect, MLflow and Hydra are not installed, most of them without torch and plots too."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUND = ("tasks.record", "tasks.text", "tasks.files")
ORCHESTRA = ("prefect", "mlflow", "hydra", "omegaconf")
HEAVY = ("torch", "matplotlib", "sqlalchemy", "sklearn", "mnist1d")

# Imports each module named by its second argument while the libraries of its first are as good as not installed.
SCRIPT = """
import importlib, json, sys
blocked, names = json.loads(sys.argv[1]), json.loads(sys.argv[2])

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"{name} is not installed", name=name)

sys.meta_path.insert(0, Blocker())
failed = {}
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
print(json.dumps(failed))
"""


def failed_imports(blocked: tuple[str, ...], names: list[str]) -> dict[str, str]:
    """`{module: error}` of the modules that cannot be imported without the blocked libraries."""
    line = [sys.executable, "-c", SCRIPT, json.dumps(blocked), json.dumps(names)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def pure_modules(*rooms: str) -> list[str]:
    """The modules of the rooms, without their doors."""
    files = [p for room in rooms for p in sorted((ROOT / "tasks" / room).rglob("*.py")) if p.name != "task.py"]
    return [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in files]


def test_every_pure_module_imports_without_prefect_mlflow_and_hydra() -> None:
    names = [*GROUND, *pure_modules("scope", "design", "trials", "analyze", "promote", "report", "ledger")]
    assert len(names) > 100
    assert failed_imports(ORCHESTRA, names) == {}


def test_scope_design_analysis_and_promotion_import_without_torch_plots_and_sql() -> None:
    names = [*GROUND, *pure_modules("scope", "design", "analyze", "promote")]
    assert failed_imports(ORCHESTRA + HEAVY, names) == {}


def test_a_door_does_need_prefect_so_the_block_is_real() -> None:
    failed = failed_imports(ORCHESTRA, ["tasks.scope.task", "tasks.scope.roles"])
    assert set(failed) == {"tasks.scope.task"}
    assert "prefect" in failed["tasks.scope.task"]
