"""A round with `orchestrate=off` needs no Prefect: nothing of it is imported, from the first check to the last file."""

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


def imported(*overrides: str, code: str = ROUND) -> bool:
    """Whether a whole round in a process of its own has imported Prefect by its end."""
    command = [sys.executable, "-c", code, *SMALL, "budget.eval_every_steps=5", *overrides]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True)
    return done.stdout.splitlines()[-1] == "True"


def test_a_whole_round_without_orchestration_imports_no_prefect_and_its_twin_does(tmp_path: Path) -> None:
    plain = ["orchestrate=off", f"tracking.root={tmp_path}"]
    assert not imported(*plain)
    asked = ROUND.replace("assert main", "from flows.steps import orchestrated\n\norchestrated()\nassert main")
    assert imported(*plain, "tracking.enabled=false", code=asked)
