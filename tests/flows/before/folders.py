"""Users' folders with small programs of which each has one fault, or none."""

from pathlib import Path

HEAD = "import random\n\n\n"
CLEAN = """
def train(trial):
    draw = random.Random(trial.seed)
    x, y = trial.point["x"], trial.point["y"]
    for step in range(1, trial.max_train_steps + 1):
        loss = (x - 0.3) ** 2 + 0.1 * y + 1 / step + 0.01 * draw.gauss(0, 1)
        if step % trial.eval_every_steps == 0:
            trial.report(step, loss=loss)
"""
# by name, the function with one fault
FUNCTIONS = {
    "clean": CLEAN,
    "ignores_seed": CLEAN.replace("random.Random(trial.seed)", "random.Random(0)"),
    "unread": CLEAN.replace('x, y = trial.point["x"], trial.point["y"]', 'x, y = trial.point["x"], 0.5'),
    "no_effect": CLEAN.replace("0.1 * y", "0.1 * min(y, 0)"),
    "drifts": CLEAN.replace("random.Random(trial.seed)", "random.SystemRandom()"),
    "fails": CLEAN.replace("draw = random.Random(trial.seed)", 'raise ValueError("no data here")'),
    "deaf": CLEAN.replace("trial.max_train_steps + 1", "61"),
    "coarse": CLEAN.replace("loss=loss", "loss=round(loss)"),
}
GOAL = "question: Where is the loss least?\nkind: improve\nscientific: {switch: [a, b]}\n"
SPACE = "x: {low: 0.0, high: 1.0}\ny: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n"
SWITCH = '    x += {"a": 0.0, "b": 0.1}[trial.point["switch"]]\n'
BUDGET = ("budget.max_train_steps=40", "budget.eval_every_steps=5", "budget.trials=8", "budget.retrains=5")
SCRIPT = """
import json, os, random, sys

x, seed, steps, every = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
draw = random.Random(seed)
with open(os.environ["TUNEBOOK_METRICS"], "a") as file:
    for step in range(1, steps + 1):
        loss = (x - 0.3) ** 2 + 1 / step + 0.01 * draw.gauss(0, 1)
        if step % every == 0:
            file.write(json.dumps({"step": step, "loss": loss}) + "\\n")
"""
ARGV = '[python, script.py, "{x}", "{seed}", "{max_train_steps}", "{eval_every_steps}"]'


def write(folder: Path, files: dict[str, str]) -> Path:
    """The folder with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def functions(folder: Path) -> Path:
    """A folder with a workload for each of `FUNCTIONS`."""
    files = {"goal/my.yaml": GOAL, "space/my.yaml": SPACE}
    for name, text in FUNCTIONS.items():
        lines = text.splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if "x, y =" in line) + 1
        files[f"{name}.py"] = HEAD + "".join([*lines[:at], SWITCH, *lines[at:]])
        files[f"workload/{name}.yaml"] = (
            f"_target_: {name}.train\nobjective: {{metric: loss, direction: minimize}}\n"
            "baseline: {x: 0.5, y: 0.5, switch: a}\n"
        )
    return write(folder, files)


def program(folder: Path, argv: str = ARGV, script: str = SCRIPT) -> Path:
    """A folder with a program as its workload, `script.py`, of which x is tuned."""
    workload = "_target_: tasks.trials.command\nobjective: {metric: loss, direction: minimize}\nbaseline: {x: 0.5}\n"
    files = {
        "workload/program.yaml": f"{workload}argv: {argv}\n",
        "space/my.yaml": "x: {low: 0.0, high: 1.0}\n",
        "goal/my.yaml": "question: Which x?\nkind: understand\nscientific: {x: range}\n",
        "script.py": script,
    }
    return write(folder, files)


def said(folder: Path, workload: str, *more: str) -> list[str]:
    """The words of a round of the workload, in a store beside the folder."""
    store = f"tracking.root={folder.parent / 'store'}"
    return ["--config-dir", str(folder), f"workload={workload}", "space=my", "goal=my", *BUDGET, store, *more]
