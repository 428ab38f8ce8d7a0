"""Whether the user's code can be imported, found out in a child process before the first trial."""

import ast
import json
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tasks.scope.error import InputError
from tasks.text import one_line
from tasks.trials.local.child import LOG, RESULT
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.outcome import signal_name
from tasks.trials.settings import Execution
from tasks.trials.target import Place, is_ours, place_of, resolve

PATIENCE = 600.0  # seconds for one import: a large library on a slow disk takes minutes the first time
WORKLOAD = "workload"  # the place of the recipe that is called with a trial
_with_torch: set[str | None] = set()  # the users' folders whose code brought torch when it was imported last


def check_imports(targets: Sequence[tuple[str, str]], execution: Execution) -> None:
    """Refuse a recipe whose callables cannot be imported, or called; the user's code is imported in a child alone.

    Of ours it is enough that the file has the name and finds its packages: torch takes a second to import.

    `targets`: `(place in the configuration, address)` of each recipe.

    Raises:
        InputError: an address that is not allowed, or what importing it said, with the place in the configuration.
    """
    for place, target in targets:
        try:
            place_of(target, execution.own)
            if is_ours(target) and not _stands_there(place_of(target, execution.own)):
                resolve(target, execution.own)  # it says what is wrong
        except InputError as error:
            raise InputError(f"{place}.{error}") from error
    users = [(place, target) for place, target in targets if not is_ours(target)]
    if users:
        _in_a_child(users, execution)


def brings_torch(own: str | None) -> bool:
    """Whether the user's code imported torch when it was last imported: then each of their trials wants it."""
    return own in _with_torch


def _stands_there(place: Place) -> bool:
    """Whether the file of a module of ours defines that function, and what the file imports is installed."""
    names: set[str] = set()
    for node in ast.parse(place.file.read_bytes()).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in names:
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
            if find_spec(module.partition(".")[0]) is None:
                return False
    return len(place.names) == 1 and place.names[0] in names


def _in_a_child(users: Sequence[tuple[str, str]], execution: Execution) -> None:
    place, target = users[0]
    calls = [(at, address, [*execution.workload.arguments]) for at, address in users if at == WORKLOAD]
    with tempfile.TemporaryDirectory(prefix="tunebook-") as name, ForkServer(execution.runner) as server:
        folder = Path(name).resolve()
        secrets = execution.secrets.forms
        log = {"log": str(folder / LOG), "log_bytes": execution.runner.log_bytes, "secrets": secrets}
        request = {"imports": users, "calls": calls, "own": execution.own, "folder": str(folder), **log}
        ended = server.run(request, PATIENCE)
        if not (folder / RESULT).is_file():
            how = f"exit code {ended.code}" if ended.signal is None else signal_name(ended.signal)
            if ended.timed_out:
                how = f"nothing after {PATIENCE:g} s"
            said = f"importing {target!r} ended its process ({how})"
            raise InputError(f"{place}._target_: {said}; it printed last: {_last_line(folder)}")
        found = json.loads((folder / RESULT).read_text())
        if found["error"]:
            left = f" It printed last: {_last_line(folder)}" if "SystemExit" in found["error"] else ""
            raise InputError(found["error"] + left)
        server.let_go()
    (_with_torch.add if found["torch"] else _with_torch.discard)(execution.own)


def _last_line(folder: Path) -> str:
    """What the child printed last."""
    last = (folder / LOG).read_text(errors="replace").strip().splitlines()[-1:]
    return one_line(last[0])[:200] if last else "nothing"
