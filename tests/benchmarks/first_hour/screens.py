"""What each of a newcomer's mistakes prints, how many trials it costs and with which exit code it ends.

    python -m tests.benchmarks.first_hour.screens CHECKOUT OUT [NAME …]

CHECKOUT has a `.venv`; each mistake is run there from a fresh folder, as it would be typed, with a small budget.
OUT gets a file a mistake with the screen, and `table.md`.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.first_hour.mistakes import MISTAKES, Mistake

SMALL = (
    *("budget.trials=24", "budget.retrains=6", "budget.max_train_steps=100", "budget.eval_every_steps=10"),
    *("orchestrate=off", "tracking.enabled=false", "runner.workers=2"),
)
PATIENCE = 600.0  # seconds


def run(mistake: Mistake, checkout: Path) -> tuple[str, int, int]:
    """`(screen, exit code, trials that were started)` of one mistake."""
    with TemporaryDirectory() as folder:
        for path, text in mistake.written().items():
            place = Path(folder, "mine", path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        command = [str(checkout / ".venv/bin/python"), "-m", "flows.round", *mistake.words, *SMALL]
        done = subprocess.run(
            command,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(checkout), "HOME": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        screen = done.stdout.replace(folder, ".").replace(str(checkout / ".venv/bin/python"), "python")
        return f"$ tunebook round {' '.join(mistake.words)}\n{screen}", done.returncode, started(Path(folder))


def started(folder: Path) -> int:
    """How many trials of any round were started there."""
    ledger = folder / "mlruns" / "ledger.db"
    if not ledger.exists():
        return 0
    with closing(sqlite3.connect(ledger)) as rows:
        return int(rows.execute("select count(distinct trial_id) from attempts").fetchone()[0])


def main(arguments: list[str]) -> None:
    """Run them all, or those that are named."""
    checkout, out, *names = arguments
    Path(out).mkdir(parents=True, exist_ok=True)
    rows = ["| mistake | exit code | trials | lines |", "|---|---:|---:|---:|"]
    for i, mistake in enumerate(MISTAKES, 1):
        if names and mistake.name not in names:
            continue
        screen, code, trials = run(mistake, Path(checkout).resolve())
        Path(out, f"{i:02}.txt").write_text(f"{screen}\n(exit code {code})\n")
        rows.append(f"| {mistake.name} | {code} | {trials} | {len(screen.splitlines())} |")
        print(rows[-1], flush=True)
    Path(out, "table.md").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
