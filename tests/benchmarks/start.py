"""How long a first trial is waited for: from the command's start until the trial's function is called.

    python tests/benchmarks/start.py [pairs]

`workload=digits goal=dropout budget=quick` as a command of its own, in turn with `python -c "import torch"`, so that a
busy machine is busy for both: with `orchestrate=off`, with a Prefect server that answers, and with none that does. The
round is stopped as soon as the function was called. The time of the call is noted by a `sitecustomize` in the process
that forks trials; nothing of the program is changed for it.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.faults.prefect.api import serving  # noqa: E402 - run as a file, the checkout is not on the path

ROUND = ("workload=digits", "goal=dropout", "budget=quick")
PATIENCE = 120.0
# Notes the time, once, when the function at the workload's `_target_` is called in a trial's process.
HOOK = """
import os, sys, time
from importlib.machinery import PathFinder

class Noting:
    def find_spec(self, name, path=None, target=None):
        if name != "tasks.trials.local.child":
            return None
        spec = PathFinder.find_spec(name, path)
        load = spec.loader.exec_module
        def noting(module):
            load(module)
            resolve = module.resolve
            def resolved(address, own):
                found = resolve(address, own)
                def called(trial, **arguments):
                    with open({file!r}, "a") as file:
                        file.write(f"{{time.time()}}\\n")
                    return found(trial, **arguments)
                return called
            module.resolve = resolved
        spec.loader.exec_module = noting
        return spec

sys.meta_path.insert(0, Noting())
"""


def torch_alone() -> float:
    """Seconds that `import torch` takes, with the interpreter."""
    began = time.time()
    subprocess.run([sys.executable, "-c", "import torch"], check=True, env=_plain())
    return time.time() - began


def first_call(folder: Path, overrides: tuple[str, ...], environment: Mapping[str, str]) -> float:
    """Seconds from the start of the command to the call of the first trial's function."""
    called, hook = folder / "called", folder / "hook"
    hook.mkdir(parents=True)
    (hook / "sitecustomize.py").write_text(HOOK.format(file=str(called)))
    command = [sys.executable, "-m", "flows.round", *ROUND, f"tracking.root={folder / 'store'}", *overrides]
    env = _plain() | {"PYTHONPATH": str(hook), **environment}
    began = time.time()
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (called.exists() and called.read_text().endswith("\n")):
        if process.poll() is not None or time.time() > began + PATIENCE:
            raise RuntimeError(f"no trial was called; exit code {process.poll()}")
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    process.wait()
    return float(called.read_text().split()[0]) - began


def _plain() -> dict[str, str]:
    """The environment without what would spoil either: nobody sets these in their shell."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "PYTHON"))}


def main(pairs: int) -> None:
    """Print every pair, then a row for each way: both medians, and the median and range of the ratios."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name, "served")) as api:
        base = Path(name)
        ways: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
            "orchestrate=off": (("orchestrate=off",), {}),
            "a Prefect server answers": ((), {"PREFECT_API_URL": api, "PREFECT_HOME": str(base / "served")}),
            "no Prefect server": ((), {"PREFECT_HOME": str(base / "home")}),
        }
        torch_alone(), first_call(base / "warm", *ways["orchestrate=off"])  # what the disk has to read is read
        rows = []
        for number, (way, (overrides, environment)) in enumerate(ways.items()):
            found = []
            for i in range(pairs):
                found.append((torch_alone(), first_call(base / f"{number}-{i}", overrides, environment)))
                print(f"{way}: import torch {found[-1][0]:.2f} s, first trial {found[-1][1]:.2f} s", flush=True)
            ratios = sorted(trial / torch for torch, trial in found)
            torch, trial = (statistics.median(times) for times in zip(*found, strict=True))
            rows.append(
                f"| {way} | {torch:.2f} s | {trial:.2f} s | {statistics.median(ratios):.2f} "
                f"| {ratios[0]:.2f} to {ratios[-1]:.2f} |"
            )
    print("\n| Prefect | `import torch` | first trial called | ratio | range |\n|---|---:|---:|---:|---:|")
    print("\n".join(rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
