"""Twenty mistakes of a newcomer with a program of their own: a folder each, and what is to be changed.

Each is a small project that is right but for the one mistake. `right`: what a reader of the screen should say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

TRAIN = """\
import math
import random


def train(trial):
    luck = random.Random(trial.seed)
    lr, width = trial.point["learning_rate"], trial.point["width"]
    floor = 0.1 + 0.02 * (math.log10(lr) + 2) ** 2 - 0.01 * (trial.point["activation"] == "gelu") + 0.1 / width
    for step in range(1, trial.max_train_steps + 1):
        if step % trial.eval_every_steps == 0:
            error = floor + 0.3 * math.exp(-step / 10) + luck.gauss(0, 0.003)
            trial.report(step, valid_error=error, train_loss=2 * error)
"""
SCRIPT = """\
import argparse
import json
import math
import os
import random

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float)
parser.add_argument("--width", type=int, default=128)
parser.add_argument("--activation", default="relu")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
luck = random.Random(args.seed)
floor = 0.1 + 0.02 * (math.log10(args.learning_rate) + 2) ** 2 - 0.01 * (args.activation == "gelu") + 0.1 / args.width
with open(os.environ["TUNEBOOK_METRICS"], "a") as metrics:
    for step in range(10, 101, 10):
        error = floor + 0.3 * math.exp(-step / 10) + luck.gauss(0, 0.003)
        print(json.dumps({"step": step, "valid_error": error}), file=metrics, flush=True)
"""
FILES = {
    "mine.py": TRAIN,
    "train.py": SCRIPT,
    "workload/my.yaml": """\
_target_: mine.train
objective: {metric: valid_error, direction: minimize}
baseline: {learning_rate: 0.01, width: 128, activation: relu}
""",
    "space/my.yaml": """\
learning_rate: {low: 1e-4, high: 1e-1, scale: log}
width:         {values: [64, 128, 256]}
activation:    {choices: [relu, gelu]}
""",
    "goal/my.yaml": """\
question: Does GELU lower the validation error?
kind: improve
scientific: {activation: [relu, gelu]}
fixed: {width: {value: 128, reason: "one architecture at a time"}}
""",
}
COMMAND = """\
_target_: tasks.trials.command
argv: [python, train.py, --learning-rate, "{learning_rate}", --width, "{width}",
       --activation, "{activation}", --seed, "{seed}"]
objective: {metric: valid_error, direction: minimize}
baseline: {learning_rate: 0.01, width: 128, activation: relu}
"""
WORDS = ("--config-dir", "mine", "workload=my", "space=my", "goal=my")


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A project with one mistake: the files that differ, or `(file, from, to)` within one; and the words typed."""

    name: str
    right: str
    files: Mapping[str, str] = field(default_factory=dict)
    edits: tuple[tuple[str, str, str], ...] = ()
    words: tuple[str, ...] = WORDS

    def written(self) -> dict[str, str]:
        """The project's files by their paths.

        Raises:
            ValueError: an edit that changes nothing.
        """
        found = {**FILES, **self.files}
        for path, before, after in self.edits:
            if before not in found[path]:
                raise ValueError(f"{self.name}: {path} has no {before!r}")
            found[path] = found[path].replace(before, after)
        return found


MISTAKES = (
    Mistake(
        name="metric by another name",
        right="report valid_error instead of val_error, or name val_error as the objective's metric",
        edits=(("mine.py", "valid_error=error", "val_error=error"),),
    ),
    Mistake(
        name="accuracy to be minimized",
        right="objective.direction must be maximize for an accuracy",
        edits=(
            ("mine.py", "valid_error=error", "valid_accuracy=1 - error"),
            ("workload/my.yaml", "metric: valid_error", "metric: valid_accuracy"),
        ),
    ),
    Mistake(
        name="hyperparameter by another name",
        right='the point has learning_rate, so trial.point["lr"] must be trial.point["learning_rate"]',
        edits=(("mine.py", 'trial.point["learning_rate"]', 'trial.point["lr"]'),),
    ),
    Mistake(
        name="never evaluates",
        right="the program evaluates every 1000 steps, and a trial has only 100: use trial.eval_every_steps",
        edits=(("mine.py", "step % trial.eval_every_steps", "step % 1000"),),
    ),
    Mistake(
        name="reports a list",
        right="report a number, not a list",
        edits=(("mine.py", "valid_error=error", "valid_error=[error]"),),
    ),
    Mistake(
        name="steps that go back",
        right="report steps that increase; here each epoch counts its steps from the beginning",
        edits=(("mine.py", "trial.report(step,", "trial.report(step % 50,"),),
    ),
    Mistake(
        name="a GPU that is not there",
        right="the code asks for a GPU and there is none: use trial.device",
        edits=(
            ("mine.py", "import random\n", "import random\n\nimport torch\n"),
            ("mine.py", "    luck =", '    torch.zeros(1).to("cuda")\n    luck ='),
        ),
    ),
    Mistake(
        name="data by a relative path",
        right="data.csv is looked for in the trial's own folder: build the path from __file__ (or TUNEBOOK_FOLDER)",
        files={"data.csv": "1,2\n"},
        edits=(("mine.py", "    luck =", '    open("data.csv").read()\n    luck ='),),
    ),
    Mistake(
        name="diverges everywhere",
        right="every trial diverged: the learning rates are far too high, lower the range",
        edits=(
            ("space/my.yaml", "low: 1e-4, high: 1e-1", "low: 10, high: 1000"),
            (
                "mine.py",
                "            trial.report",
                '            error = float("nan") if lr > 1 else error\n            trial.report',
            ),
        ),
    ),
    Mistake(
        name="evaluates the untrained model",
        right="the objective is the same number in every trial: what is evaluated is not what was trained",
        edits=(("mine.py", "valid_error=error,", "valid_error=0.9,"),),
    ),
    Mistake(
        name="hyperparameter read and not used",
        right="the activation has no effect (it is read and never used), so the comparison means nothing",
        edits=(("mine.py", '0.01 * (trial.point["activation"] == "gelu")', '0.0 * len(trial.point["activation"])'),),
    ),
    Mistake(
        name="seed set by hand",
        right="the program sets its own seed: pass trial.seed to it",
        edits=(("mine.py", "random.Random(trial.seed)", "random.Random(0)"),),
    ),
    Mistake(
        name="script by another name",
        right="there is no trian.py: it is train.py",
        files={"workload/my.yaml": COMMAND},
        edits=(("workload/my.yaml", "train.py", "trian.py"),),
    ),
    Mistake(
        name="argument by another name",
        right="the script has --learning-rate and no --lr",
        files={"workload/my.yaml": COMMAND},
        edits=(("workload/my.yaml", "--learning-rate", "--lr"),),
    ),
    Mistake(
        name="metrics printed and not written",
        right="write the JSON lines to the file that TUNEBOOK_METRICS names, not to the standard output",
        files={"workload/my.yaml": COMMAND},
        edits=(("train.py", ", file=metrics, flush=True", ""),),
    ),
    Mistake(
        name="argv as one text",
        right="argv must be a list of arguments, not one text",
        files={
            "workload/my.yaml": COMMAND.partition("argv: ")[0]
            + 'argv: "python train.py --learning-rate {learning_rate} --seed {seed}"\n'
            + COMMAND.partition("objective")[1]
            + COMMAND.partition("objective")[2]
        },
    ),
    Mistake(
        name="seed not passed",
        right="argv lacks --seed {seed}, so every trial runs on the script's default seed",
        files={"workload/my.yaml": COMMAND},
        edits=(("workload/my.yaml", ', --seed, "{seed}"]', "]"),),
    ),
    Mistake(
        name="log scale from zero",
        right="a log scale cannot begin at 0: give a low above 0",
        edits=(("space/my.yaml", "low: 1e-4", "low: 0"),),
    ),
    Mistake(
        name="baseline by another name",
        right="workload.baseline has learning_rte; the hyperparameter is learning_rate",
        edits=(("workload/my.yaml", "learning_rate: 0.01", "learning_rte: 0.01"),),
    ),
    Mistake(
        name="goal left out",
        right="goal=my (and space=my) is missing from the command",
        words=("--config-dir", "mine", "workload=my"),
    ),
)
