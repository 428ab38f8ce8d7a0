"""A user's project whose packages are called `tasks`, `flows`, or both, with a workload of each kind."""

from pathlib import Path

PACKAGES = {"tasks": ("tasks", "tasks"), "flows": ("flows", "flows"), "both": ("tasks", "flows"), "src": ("kit", "kit")}
KINDS = ("function", "supervised", "command")
SMALL = (
    *("space=my", "goal=my", "orchestrate=off", "tracking.enabled=false", "budget.trials=6", "budget.retrains=2"),
    *("budget.max_train_steps=20", "budget.eval_every_steps=5", "acknowledge={E7: 'the question is small'}"),
)

SURFACE = """
def loss(point, seed, step):
    worth = {"a": 1.0, "b": 0.7}[point["switch"]]
    noise = (seed % 1000) * 1e-5
    return worth + noise + (point["x"] - 0.5) ** 2 + 2.0 ** -(step / 5)
"""
TRAIN = """
from SECOND.surface import loss
from tunebook import Infeasible

def train(trial):
    if trial.point["x"] > 2:
        raise Infeasible("x is above 2")
    for step in range(5, trial.max_train_steps + 1, 5):
        trial.report(step, loss=loss(trial.point, trial.seed, step))
"""
NETS = """
import torch
from torch import nn
from SECOND.surface import loss
from tunebook import Data, Labelled

def blobs(count=120):
    inputs = torch.linspace(-1, 1, count).reshape(-1, 1)[torch.randperm(count, generator=torch.manual_seed(0))]
    part = Labelled(inputs=inputs, labels=(inputs[:, 0] > 0).long())
    return Data(train=part, valid=part, test=part, classes=2)

def net(*, point, data):
    loss(point, 0, 1)
    return nn.Sequential(nn.Linear(1, 4), {"a": nn.ReLU, "b": nn.Tanh}[point["switch"]](), nn.Linear(4, data.classes))
"""
SCRIPT = """
import argparse, json, os
from SECOND.surface import loss
from FIRST import train

parser = argparse.ArgumentParser()
for name in ("--x", "--switch", "--seed"):
    parser.add_argument(name, type=str if name == "--switch" else float)
args = parser.parse_args()
with open(os.environ["TUNEBOOK_METRICS"], "a") as lines:
    for step in (5, 10, 15, 20):
        point = {"x": args.x, "switch": args.switch}
        lines.write(json.dumps({"step": step, "loss": loss(point, int(args.seed), step)}) + "\\n")
"""
SUPERVISED = """
_target_: tasks.trials.supervised
data: {_target_: FIRST.nets.blobs}
model: {_target_: FIRST.nets.net}
batch_size: 16
eval_batch_size: 60
schedule: constant
objective: {metric: valid_loss, direction: minimize}
baseline: {x: 0.2, switch: a, optimizer: sgd, sgd: {learning_rate: 0.1}}
"""
FILES = {
    "workload/function.yaml": (
        "_target_: FIRST.train.train\nobjective: {metric: loss, direction: minimize}\nbaseline: {x: 0.2, switch: a}\n"
    ),
    "workload/supervised.yaml": SUPERVISED,
    "workload/command.yaml": (
        '_target_: tasks.trials.command\nargv: [python, SCRIPT, --x, "{x}", --switch, "{switch}", --seed, "{seed}"]\n'
        "objective: {metric: loss, direction: minimize}\nbaseline: {x: 0.2, switch: a}\n"
    ),
    "space/my.yaml": "x: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n",
    "goal/my.yaml": "question: Is b better than a?\nkind: improve\nscientific: {switch: [a, b]}\n",
}
CODE = {
    "FIRST/__init__.py": "",
    "SECOND/__init__.py": "",
    "SECOND/surface.py": SURFACE,
    "FIRST/train.py": TRAIN,
    "FIRST/nets.py": NETS,
    "script.py": SCRIPT,
}


def write_project(own: Path, packages: str, code: Path | None = None) -> Path:
    """The folder, with its packages of these names; `code`: another folder for the Python, such as `src`."""
    first, second = PACKAGES[packages]
    place = code or own
    script = "script.py" if place == own else str(place / "script.py")
    texts = {own / name: text for name, text in FILES.items()} | {place / name: text for name, text in CODE.items()}
    for path, text in texts.items():
        path = Path(str(path).replace("FIRST", first).replace("SECOND", second))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("FIRST", first).replace("SECOND", second).replace("SCRIPT", script))
    return own
