"""What no module may do: run code found in data, go through a shell, unpack an archive, listen to the world."""

import ast
import re
from collections.abc import Iterator, Mapping

from tests.house.module import Module

BANNED_CALLS: Mapping[str, str] = {
    **{
        f"{m}.{f}": "runs code from data"
        for m in ("pickle", "cloudpickle", "dill", "marshal")
        for f in ("load", "loads")
    },
    **dict.fromkeys(("pickle.Unpickler", "joblib.load", "shelve.open", "pandas.read_pickle"), "runs code from data"),
    **{f"yaml.{f}": "builds any object" for f in ("load", "load_all", "unsafe_load", "full_load")},
    **dict.fromkeys(("eval", "exec", "builtins.eval", "builtins.exec", "pandas.eval"), "runs any code"),
    **dict.fromkeys(("os.system", "os.popen", "subprocess.getoutput", "pty.spawn"), "goes through a shell"),
    **dict.fromkeys(("shutil.unpack_archive",), "writes where the archive says"),
    **dict.fromkeys(
        ("torch.hub.load", "torch.jit.load", "hydra.main", "hydra.utils.instantiate"), "runs code from data"
    ),
}


def harmless(module: Module) -> Iterator[str]:
    """Nothing that runs code found in data, goes through a shell, unpacks an archive, or listens to the world.

    fault-S3.
    """
    names = _bound_names(module)
    docstrings = {id(n.value) for n in module.nodes if isinstance(n, ast.Expr)}
    for node in module.nodes:
        if isinstance(node, ast.Call):
            yield from (f"{module.path}:{node.lineno}: {fault}" for fault in _faults(node, names))
        elif isinstance(node, ast.Constant) and id(node) not in docstrings and "0.0.0.0" in str(node.value):
            yield f"{module.path}:{node.lineno}: 0.0.0.0 listens to the world; loopback is 127.0.0.1"


def _faults(call: ast.Call, names: Mapping[str, str]) -> Iterator[str]:
    called = _dotted(call.func, names)
    given = {k.arg: k.value.value for k in call.keywords if k.arg and isinstance(k.value, ast.Constant)}
    words = {k.arg for k in call.keywords}
    if called in BANNED_CALLS:
        yield f"{called} {BANNED_CALLS[called]}"
    if called == "torch.load" and given.get("weights_only") is not True:
        yield "torch.load without weights_only=True runs code from data"
    if called == "numpy.load" and "allow_pickle" in words and given.get("allow_pickle") is not False:
        yield "numpy.load with allow_pickle runs code from data"
    if re.fullmatch(r"mlflow\.(\w+\.)?load_model", called):
        yield f"{called} runs code from data"
    if "shell" in words and given.get("shell") is not False:
        yield f"{called} with shell=True goes through a shell"
    if called.endswith((".extractall", ".extract")):
        yield f"{called} writes where the archive says"


def _bound_names(module: Module) -> dict[str, str]:
    """What each imported name stands for: `{"np": "numpy", "load": "pickle.load"}`."""
    bound: dict[str, str] = {}
    for node in module.nodes:
        if isinstance(node, ast.Import):
            bound |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            bound |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return bound


def _dotted(node: ast.expr, names: Mapping[str, str]) -> str:
    """The dotted name of a called expression with its import undone; a leading dot where its root is no name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    return f"{_dotted(node.value, names)}.{node.attr}" if isinstance(node, ast.Attribute) else ""
