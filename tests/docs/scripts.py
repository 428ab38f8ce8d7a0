"""The blocks of Python as programs: forked from the warm process, and with small rounds."""

import ast
import os
import runpy
from pathlib import Path

from tests.docs.blocks import Block
from tests.processes.forked import Forked, start_servers_by
from tests.processes.warm import Warm

SMALL = (  # a round of seconds
    *("budget.trials=3", "budget.retrains=1", "budget.finalists=1"),
    *("budget.max_train_steps=60", "budget.eval_every_steps=10"),
)


def scripted(block: Block, folder: Path, warm: Warm) -> None:
    """Run a block of Python as a program of its own; a round that it runs is made small."""
    file = folder / "script.py"
    file.write_text(small(block.text))
    said = {"path": str(file)}
    process = warm.start("tests.docs.scripts:run_file", said, environment=os.environ, cwd=folder, printed=True)
    if process.wait(300):
        raise AssertionError(f"{block.place}: {process.said.strip()}")
    if not process.said:
        raise AssertionError(f"{block.place}: it prints nothing, so that its reader sees nothing")


def small(code: str) -> str:
    """The code with a small budget as the last words of each call of `tune`."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tune":
            node.args += [ast.Constant(word) for word in (*SMALL, "tracking.enabled=false")]
    return ast.unparse(tree)


def run_file(path: str) -> int:
    """Run a file as a program, in this process and for good."""
    start_servers_by(Forked)
    runpy.run_path(path, run_name="__main__")
    return 0
