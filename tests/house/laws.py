"""The laws of the house, as functions from a module to what it breaks. `tests/test_house.py` holds them to it."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from tests.house.harmless import harmless
from tests.house.module import Function, Module, imports, length

ROOMS = ("scope", "design", "trials", "analyze", "promote", "report")  # data flows this way
# Readable from everywhere, and from one another in this order.
GROUND = ("values", "answers", "verdict", "method", "record", "text", "files", "upgrade")
SIDE_ROOMS = ("ledger", "tracking")
MODULE_LINES = 300
FOLDER_MODULES = 15
SHARED_PREFIX = 3  # siblings with one prefix are a folder
FUNCTION_LINES = 60

# Each library's place: the only modules that may import it.
_DOORS = r"tasks/\w+/task\.py"
_PREFECT = rf"flows/prefect/.*|flows/steps\.py|{_DOORS}"
PLACES: Mapping[str, str] = {
    "prefect": _PREFECT,
    "prefect_ray": _PREFECT,
    "hydra": r"flows/compose/.*",
    "omegaconf": r"flows/compose/.*",
    "mlflow": r"tasks/tracking/.*",
    "sqlalchemy": r"tasks/ledger/.*",
    "sqlite3": r"tasks/ledger/.*",
    "torch": r"tasks/trials/.*",
    "ray": r"tasks/trials/ray/.*",
    "optuna": r"tasks/design/samplers/.*|tasks/trials/imported/.*",
    "matplotlib": r"tasks/report/plots/.*",
    "plotly": r"tasks/report/plots/.*",
}
BANNED_ROOMS = frozenset({"utils", "util", "common", "core", "helpers", "helper", "misc"})
BANNED_NAMES = re.compile(r"\w*(Manager|Handler|Helper)$")


Law = Callable[[Module], Iterator[str]]
HouseLaw = Callable[[Iterable[Module]], Iterator[str]]


def flows_one_way(module: Module) -> Iterator[str]:
    """Law 1: a room imports itself, rooms before it and the ground floor; its door also the ledger and tracking."""
    parts = PurePosixPath(module.path).with_suffix("").parts
    if parts[0] != "tasks":
        allowed = {"flows", "tasks"}
    else:
        allowed = {f"tasks.{name}" for name in _readable(parts[1] if len(parts) > 1 else "", module.is_door)}
    for line, name in imports(module):
        top = name.split(".")[0]
        if name.startswith("."):
            yield f"{module.path}:{line}: relative import of {name}; give the whole name"
        elif top in ("flows", "tasks", "tests") and not any(f"{name}.".startswith(f"{a}.") for a in allowed):
            yield f"{module.path}:{line}: imports {name}; allowed: {', '.join(sorted(allowed)) or 'nothing of ours'}"


def _readable(room: str, is_door: bool) -> tuple[str, ...]:
    """The parts of `tasks/` that a part of it may import."""
    if room in GROUND:
        return GROUND[: GROUND.index(room)]
    if room in ROOMS:
        before = ROOMS[: ROOMS.index(room) + 1]
        return (*before, *GROUND, *(SIDE_ROOMS if is_door else ()))
    return (room, *GROUND) if room in SIDE_ROOMS else ()


def each_library_in_its_place(module: Module) -> Iterator[str]:
    """Law 2: Prefect, Hydra, MLflow, SQL, torch and plotting have one place each."""
    for line, name in imports(module):
        place = PLACES.get(name.split(".")[0])
        if place and not re.fullmatch(place, module.path):
            yield f"{module.path}:{line}: imports {name}, whose place is {place}"


def small(module: Module) -> Iterator[str]:
    """Law 3: at most 300 lines a module and 60 a function, its docstring not counted."""
    lines = len(module.source.splitlines())
    if lines > MODULE_LINES:
        yield f"{module.path}: {lines} lines; at most {MODULE_LINES}"
    for function in module.functions:
        if length(function) > FUNCTION_LINES:
            where = f"{module.path}:{function.lineno}"
            yield f"{where}: {function.name} has {length(function)} lines; at most {FUNCTION_LINES}"


def few_to_a_folder(modules: Iterable[Module]) -> Iterator[str]:
    """Law 3: at most 15 modules a folder, `__init__.py` not counted; a prefix that three siblings share is a folder."""
    folders: dict[str, list[str]] = {}
    for module in modules:
        path = PurePosixPath(module.path)
        if path.name != "__init__.py":
            folders.setdefault(str(path.parent), []).append(path.stem.removeprefix("test_"))
    for folder, names in sorted(folders.items()):
        if len(names) > FOLDER_MODULES:
            yield f"{folder}: {len(names)} modules; at most {FOLDER_MODULES}"
        prefixes = Counter(name.partition("_")[0] for name in set(names) if "_" in name)
        for prefix, count in sorted(prefixes.items()):
            if count >= SHARED_PREFIX:
                yield f"{folder}: {count} modules begin with {prefix}_; make it a folder"


def one_meaning_a_name(modules: Iterable[Module]) -> Iterator[str]:
    """Law 5: a public function or class is defined once; the `main` of a command (a module that runs it) is exempt."""
    homes: dict[str, list[str]] = {}
    for module in modules:
        defined = (n for n in module.tree.body if isinstance(n, Function | ast.ClassDef))
        for node in defined:
            if not node.name.startswith("_") and not _is_command(module, node):
                homes.setdefault(node.name, []).append(f"{module.path}:{node.lineno}")
    for name, places in sorted(homes.items()):
        if len(places) > 1:
            yield f"{places[0]}: {name} is defined in {', '.join(places)}; one name, one meaning"


def _is_command(module: Module, node: Function | ast.ClassDef) -> bool:
    return node.name == "main" and re.fullmatch(r"flows/(\w+|entry/tunebook/__main__)\.py", module.path) is not None


def no_circles(modules: Iterable[Module]) -> Iterator[str]:
    """Law 1: no module imports itself by way of others, inside functions neither."""
    named = {m.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): m for m in modules}
    graph = {name: {_module_of(i, named) for _, i in imports(m)} - {None, name} for name, m in named.items()}
    while True:  # what imports nothing that is left, or is imported by nothing that is left, is in no circle
        read = {other for others in graph.values() for other in others}
        left = {name: others & graph.keys() for name, others in graph.items() if others & graph.keys() and name in read}
        if left == graph:
            break
        graph = left
    for name, others in sorted(graph.items()):
        yield f"{named[name].path}: imports {', '.join(sorted(map(str, others)))}, by way of which it imports itself"


def _module_of(name: str, known: Mapping[str, Module]) -> str | None:
    """The module that an imported name belongs to: itself, or what holds it."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


def typed(module: Module) -> Iterator[str]:
    """Law 3: every function says what it returns."""
    for function in module.functions:
        if function.returns is None:
            yield f"{module.path}:{function.lineno}: {function.name} has no return type"


def documented(module: Module) -> Iterator[str]:
    """Law 3: every module and every public function, class and method has a docstring."""
    if ast.get_docstring(module.tree) is None:
        yield f"{module.path}:1: the module has no docstring"
    for node in _public(module.tree):
        if ast.get_docstring(node) is None:
            yield f"{module.path}:{node.lineno}: {node.name} has no docstring"


def _public(parent: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """Public functions, classes and their public methods; what a function holds is nobody's business."""
    for node in parent.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def plainly_named(module: Module) -> Iterator[str]:
    """No drawer for odds and ends, and no Manager, Handler or Helper."""
    for part in BANNED_ROOMS.intersection(PurePosixPath(module.path).with_suffix("").parts):
        yield f"{module.path}: {part!r} says nothing; name it after what it holds"
    for node in module.nodes:
        if isinstance(node, ast.ClassDef) and BANNED_NAMES.match(node.name):
            yield f"{module.path}:{node.lineno}: class {node.name}; name it after what it is"


def annotated_at_once(module: Module) -> Iterator[str]:
    """No postponed annotations: Prefect and pydantic read them, and a served flow dies of them."""
    for line, name in imports(module):
        if name == "__future__.annotations":
            yield f"{module.path}:{line}: postponed annotations; Prefect cannot read them"


LAWS: tuple[Law, ...] = (
    flows_one_way,
    each_library_in_its_place,
    small,
    typed,
    documented,
    plainly_named,
    annotated_at_once,
    harmless,
)

HOUSE_LAWS: tuple[HouseLaw, ...] = (no_circles, few_to_a_folder, one_meaning_a_name)
