"""A round from the shell imports nothing of Prefect, from the first check to the last file: Prefect is told of it."""

import os
import subprocess
import sys
from pathlib import Path

ROUND = """
import sys
from flows.round import main

assert main(sys.argv[1:]) == 0
print("prefect" in sys.modules)
"""
SMALL = ["workload=synthetic", "goal=synthetic", "budget.trials=6", "budget.retrains=3", "budget.max_train_steps=10"]


def imported(*overrides: str, code: str = ROUND, **environment: str) -> bool:
    """Whether a whole round in a process of its own has imported Prefect by its end."""
    command = [sys.executable, "-c", code, *SMALL, "budget.eval_every_steps=5", *overrides]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True, env=os.environ | environment
    )
    return done.stdout.splitlines()[-1] == "True"


def test_a_whole_round_imports_no_prefect_and_its_twin_does(tmp_path: Path) -> None:
    assert not imported(
        f"tracking.root={tmp_path}", PREFECT_API_URL="http://127.0.0.1:1/api", PREFECT_HOME=str(tmp_path)
    )
    plain = ["orchestrate=off", f"tracking.root={tmp_path}"]
    asked = ROUND.replace("assert main", "from flows.steps import orchestrated\n\norchestrated()\nassert main")
    assert imported(*plain, "tracking.enabled=false", code=asked)


LIGHT = """
import sys
import flows.round

heavy = {"pydantic", "hydra", "numpy", "sqlalchemy", "torch"} & set(sys.modules)
assert not heavy, heavy
from flows.compose import compose
import flows.session.plan
import flows.tune
import tasks.report.terminal

heavy = {"torch", "scipy.stats", "pandas", "matplotlib", "mlflow", "prefect", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""


def test_what_a_first_trial_does_not_need_is_imported_after_it() -> None:
    """Each of these takes a third of a second or more: docs/benchmarks.md has what a first trial is waited for."""
    subprocess.run([sys.executable, "-c", LIGHT], cwd=Path(__file__).parents[2], check=True)
