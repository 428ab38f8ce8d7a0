"""The corpus of fault-S2: configurations that try to run code, to read or to write outside, or to eat the machine.

`TOUCH` stands for a shell command that creates the canary, `CANARY` for its path, `OUT` for a folder that is no
business of a configuration's.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MINE = """
import os
import os as tools
from functools import partial
from os import system
from subprocess import Popen as starter

made = partial(os.system, "TOUCH")

def train(trial, **arguments):
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        trial.report(step, loss=(trial.point["x"] - 0.3) ** 2 + 1.0 / step)

class Model:
    pass
"""
WORKLOAD = "_target_: mine.train\nobjective: {metric: loss, direction: minimize}\nbaseline: {x: 0.5, switch: a}\n"
FILES = {
    "mine.py": MINE,
    "workload/my.yaml": WORKLOAD,
    "space/my.yaml": "x: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n",
    "goal/my.yaml": "question: Is b better than a?\nkind: improve\nscientific: {switch: [a, b]}\n",
}
_GOAL = FILES["goal/my.yaml"]
_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@dataclass(frozen=True, kw_only=True)
class Payload:
    """One attack: what is typed, what lies in the user's folder beside `FILES`, and what the refusal must name."""

    name: str
    says: tuple[str, ...]
    typed: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    shell_only: bool = False


def _targets() -> Iterator[Payload]:
    """Callables that are none of a configuration's business, as the workload itself and within its arguments."""
    calls = (
        *("os.system", "posix.system", "subprocess.Popen", "subprocess.check_output", "subprocess.getoutput"),
        *("builtins.eval", "builtins.exec", "builtins.__import__", "importlib.import_module", "runpy.run_path"),
        *("torch.load", "torch.hub.load", "pickle.loads", "numpy.load", "pandas.eval", "pandas.read_pickle"),
        *("pathlib.Path.unlink", "shutil.rmtree", "asyncio.create_subprocess_shell", "logging.config.dictConfig"),
        *("hydra.utils.instantiate", "hydra.utils.call", "omegaconf.OmegaConf.register_new_resolver", "ctypes.CDLL"),
        *("mine.os.system", "mine.tools.system", "mine.system", "mine.starter", "mine.made", "mine.made.func"),
        *(
            "mine.train.__globals__.get",
            "mine.Model.__subclasses__",
            "tasks.trials.local.reaper.kill",
            "flows.round.leave",
        ),
        *("tasks.trials.workloads.synthetic.np.load", "tasks.trials.target.EXACT.union", "../mine.train", "mine"),
    )
    for call in calls:
        yield Payload(
            name=f"workload is {call}", typed=(f"workload._target_='{call}'",), says=("workload._target_", call)
        )
    deep = "{_target_: os.system, command: 'TOUCH'}"
    for name, place, value in (
        ("a model", "model", deep),
        ("a list in a list", "parts", f"[[{deep}]]"),
        ("ten deep", "model", "{a: " * 10 + deep + "}" * 10),
        ("an argument of an allowed one", "model", f"{{_target_: mine.Model, inner: {deep}}}"),
        ("a target that is a list", "model", "{_target_: [os.system]}"),
        ("a target that is a mapping", "model", "{_target_: {_target_: os.system}}"),
        ("half a target of the environment", "model", "{_target_: 'os.${oc.env:HALF}', command: 'TOUCH'}"),
        ("a decoded target", "model", "{_target_: '${oc.decode:${oc.env:QUOTED}}'}"),
        ("a target that another key holds", "model", "{word: os.system, _target_: '${.word}'}"),
        ("a target selected", "model", "{_target_: '${oc.select:workload.nothing,os.system}'}"),
    ):
        yield Payload(
            name=f"target in {name}", typed=(f"+workload.{place}={value}",), says=(f"workload.{place}", "_target_")
        )
    for word, value in (("_partial_", "true"), ("_args_", "['TOUCH']"), ("_convert_", "all"), ("_recursive_", "false")):
        yield Payload(name=f"{word} of the workload", typed=(f"+workload.{word}={value}",), says=(f"workload.{word}",))
        inner = f"+workload.model={{_target_: mine.Model, {word}: {value}}}"
        yield Payload(name=f"{word} of an argument", typed=(inner,), says=(f"workload.model.{word}",))
    test = "workload.test={_target_: os.system, command: 'TOUCH'}"
    yield Payload(name="the test", typed=(test,), says=("workload.test._target_", "os.system"))
    for group in ("goal", "space", "budget", "policy", "runner", "tracking", "workload.objective", "workload.baseline"):
        typed = f"+{group}._target_=os.system"
        yield Payload(name=f"target in {group}", typed=(typed,), says=(f"{group}._target_",))
    yield Payload(name="target at the top", typed=("+_target_=os.system",), says=("_target_",))


def _hydras() -> Iterator[Payload]:
    """What Hydra itself would call, read or write."""
    logs = "{version: 1, handlers: {h: {class: os.system, command: 'TOUCH'}}, root: {handlers: [h]}}"
    for typed in (
        f"hydra.job_logging={logs}",
        f"+hydra.hydra_logging={logs}",
        "+hydra.callbacks.evil={_target_: os.system, command: 'TOUCH'}",
        "hydra.callbacks={evil: {_target_: mine.Model}}",
        "hydra.sweeper._target_=os.system",
        "hydra.launcher._target_=mine.Model",
        "hydra.searchpath=[pkg://mine]",
        "hydra.searchpath=[file://OUT]",
        "hydra.run.dir=OUT/run",
        "hydra.sweep.dir=OUT/sweep",
        "hydra.output_subdir=OUT",
        "hydra.job.env_set.LD_PRELOAD=OUT/evil.so",
        "hydra.job.chdir=true",
        "hydra.mode=MULTIRUN",
        "hydra/job_logging=stdout",
        "+hydra/callbacks=evil",
        "~hydra.job_logging",
        "++hydra={callbacks: {evil: {_target_: os.system}}}",
    ):
        yield Payload(
            name=typed, typed=(typed,), says=("hydra",), files={"hydra/callbacks/evil.yaml": "e: {_target_: x}"}
        )
    evil = "callbacks:\n  evil: {_target_: os.system, command: 'TOUCH'}\n"
    for name, head in (("hydra", "# @package hydra\n"), ("_global_", "# @package _global_\n")):
        text = f"{head}{evil}" if name == "hydra" else f"{head}hydra:\n  callbacks: {{evil: {{_target_: os.system}}}}\n"
        yield Payload(
            name=f"a file with package {name}",
            typed=("goal=evil",),
            files={"goal/evil.yaml": text},
            says=("hydra.callbacks",),
        )
    yield Payload(
        name="a defaults list that brings a callback",
        typed=("goal=evil",),
        files={
            "goal/evil.yaml": f"defaults: [part@hydra.callbacks, _self_]\n{_GOAL}",
            "goal/part.yaml": "e: {_target_: x}",
        },
        says=("goal.hydra",),
    )
    yield Payload(
        name="a defaults list that overrides the logging",
        typed=("goal=evil",),
        files={
            "goal/evil.yaml": f"defaults: [{{override /hydra/job_logging: evil}}, _self_]\n{_GOAL}",
            "hydra/job_logging/evil.yaml": logs,
        },
        says=("hydra",),
    )
    yield Payload(name="a package in an override", typed=("+goal@hydra.callbacks=my",), says=("goal@hydra.callbacks",))
    for flag in (("--experimental-rerun", "OUT/evil.pickle"), ("--config-path", "OUT"), ("--config-name", "evil")):
        yield Payload(name=flag[0], typed=flag, says=(flag[0],), shell_only=True)


def _files() -> Iterator[Payload]:
    """YAML that builds objects, explodes, leads elsewhere, or means another thing than it seems to."""
    for name, line, says in (
        ("an object", "evil: !!python/object/apply:os.system ['TOUCH']", "python/object/apply:os.system"),
        ("a new object", "evil: !!python/object/new:subprocess.Popen [['TOUCH']]", "python/object/new"),
        ("a name", "evil: !!python/name:os.system", "python/name:os.system"),
        ("a module", "evil: !!python/module:antigravity", "python/module"),
        ("a bomb of aliases", _BOMB, "aliases"),
        ("an alias of itself", "a: &a [*a]", "a"),
        ("a deep nest", "a: " + "[" * 5000 + "]" * 5000, "deep"),
        ("a key twice", "kind: improve\n", "duplicate key kind"),
        ("a megabyte", "a: " + "x" * 2**20, "256 kB"),
        ("an unknown resolver", "question: ${evil:TOUCH}", "evil"),
        ("an interpolation of itself", "a: ${goal.b}\nb: ${goal.a}", "goal.a"),
        ("a tab and a control character", "a: \x07", "goal/evil.yaml"),
        ("bytes", "question: !!binary aGVsbG8=", "goal.question: bytes"),
        ("a day", "question: !!timestamp 2026-01-01", "goal/evil.yaml"),
        ("a set", "fixed: !!set {a, b}", "goal/evil.yaml"),
    ):
        text = f"{_GOAL if 'question' not in line else 'kind: improve'}\n{line}\n"
        yield Payload(name=name, typed=("goal=evil",), files={"goal/evil.yaml": text}, says=(says,))
    outside = "../../OUTSIDE/goal/there"
    for typed in (f"goal={outside}", "goal=OUT/goal/there", "goal='~/there'", "workload=../workload/my"):
        yield Payload(name=typed, typed=(typed,), says=(typed.partition("=")[0],))
    yield Payload(
        name="a defaults list that leads out",
        typed=("goal=evil",),
        files={"goal/evil.yaml": f"defaults: [{outside}, _self_]\n"},
        says=("there",),
    )
    yield Payload(name="a link that leads out", typed=("goal=linked",), says=("goal/linked.yaml", "leads out"))
    promoted = {"incumbent/my.yaml": "generation: 1\nsource: x\npoint: !!python/object/apply:os.system [TOUCH]\n"}
    yield Payload(name="an incumbent that is an object", files=promoted, says=("my.yaml", "python/object"))
    strange = {"incumbent/my.yaml": "generation: 1\nsource: x\npoint: {x: 0.5, switch: a, _target_: os.system}\n"}
    yield Payload(name="an incumbent with a target", files=strange, says=("incumbent/my.yaml", "_target_"))
    for round_id in ("../../../OUT/x", "/etc", "..", "x/../../y", "-rf", "a\nb"):
        yield Payload(name=f"resume {round_id!r}", typed=(f"resume='{round_id}'",), says=("resume",))
    yield Payload(name="an own file with our name", files={"round.yaml": "seed: 1"}, says=("round.yaml",))


PAYLOADS = (*_targets(), *_hydras(), *_files())


def write(payload: Payload, base: Path) -> tuple[list[str], Path]:
    """`(command line, canary)` of the payload, with its files under `base/mine`."""
    canary, outside = base / "canary", base / "OUTSIDE"
    (outside / "goal").mkdir(parents=True)
    (outside / "goal" / "there.yaml").write_text(_GOAL)
    (outside / "evil.pickle").write_bytes(pickle.dumps(Touch(str(canary))))

    def meant(text: str) -> str:
        return text.replace("TOUCH", f"touch {canary}").replace("CANARY", str(canary)).replace("OUT/", f"{outside}/")

    for name, text in {**FILES, **payload.files}.items():
        path = base / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(meant(text))
    (base / "mine" / "goal" / "linked.yaml").symlink_to(outside / "goal" / "there.yaml")
    typed = ["workload=my", "space=my", "goal=my", "orchestrate=off", f"tracking.root={base / 'store'}"]
    return [*typed, *map(meant, payload.typed)], canary


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path(self.path).touch, ()
