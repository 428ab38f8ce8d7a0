"""Which files are the code of a user's program: their folder, and what it imports from elsewhere."""

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from flows.compose.config import CONF, TOP, RoundConfig
from tasks.scope.error import InputError
from tasks.trials.command.check import program_files
from tasks.trials.target import is_our_file, is_ours, place_of, targets_in, users_folders

SCRIPTS = frozenset({".py", ".sh", ".awk", ".r", ".jl", ".pl", ".rb", ".js", ".m", ".c", ".cc", ".cpp", ".cu", ".h"})
SETTINGS = frozenset({".yaml", ".yml", ".toml"})  # of the user's programs: those of our groups are the configuration
_NO_CODE = (*TOP, "incumbent")  # folders of YAML: the configuration, and what shows the promoted one
_INSTALLED = {"site-packages", "dist-packages"}


def own_code(config: RoundConfig) -> Iterator[tuple[str, Path]]:
    """The scripts of the user's folder, the settings of programs there, and the files that they are started with."""
    if config.config_dir is None:
        return
    own = Path(config.config_dir)
    for path in below(own, config.root):
        name = path.relative_to(own)
        if _is_script(path) or (path.suffix in SETTINGS and name.parts[0] not in _NO_CODE):
            yield str(name), path
    for path in program_files(config.workload, config.config_dir):
        yield str(path.relative_to(own) if path.is_relative_to(own) else path.name), path


def libraries(config: RoundConfig, programs: Iterable[Path]) -> dict[str, list[Path]]:
    """The packages that the user's programs import from elsewhere, and the scripts of those in which somebody works.

    Those lie beside a program, on PYTHONPATH, or are installed in place (`pip install -e`), so that no version stands
    for them; what they import counts too. Of an installed package there are no scripts.
    """
    if config.config_dir is None:
        return {}
    own, started = Path(config.config_dir).resolve(), program_files(config.workload, config.config_dir)
    places = [*users_folders(config.config_dir), *(path.parent for path in started), working_folder(config)]
    found: dict[str, list[Path]] = {}
    named = {t.partition(".")[0] for t in targets_in(config.workload.recipe) if not is_ours(t)}
    waiting = _imported(programs) | _modules_started(config) | named
    while waiting:
        name = waiting.pop()
        at = _found_at(name, places)
        if name not in found and not any(place.is_relative_to(own) for place in at):
            found[name] = [path for place in at for path in ([place] if place.is_file() else scripts(place))]
            waiting |= _imported(found[name])
    return found


def installed_as(names: Iterable[str]) -> Iterator[str]:
    """The installed packages that are imported by these names: PIL is Pillow."""
    for name in names:
        try:
            version(name)
            yield name
        except PackageNotFoundError:
            yield from _packages().get(name, ())


_packages = cache(packages_distributions)  # half a second


def _modules_started(config: RoundConfig) -> set[str]:
    """The package of `python -m package.program`."""
    argv = config.workload.arguments.get("argv")
    words = [str(word) for word in argv] if isinstance(argv, list | tuple) else []
    return {module.partition(".")[0] for option, module in pairwise(words) if option == "-m"} - sys.stdlib_module_names


def _found_at(name: str, places: Iterable[Path]) -> list[Path]:
    """The file or the folders that `import name` reads, looked up in `places` first; none of an installed package."""
    with suppress(ImportError, ValueError):
        path = [entry for entry in sys.path if Path(entry or ".").resolve() != CONF.parent]
        spec = PathFinder.find_spec(name, [*map(str, places), *path]) or find_spec(name)
        if spec is not None:
            paths = [Path(path).resolve() for path in (spec.submodule_search_locations or [spec.origin or ""])]
            return [
                path for path in paths if path.exists() and not _INSTALLED & {*path.parts} and not is_our_file(path)
            ]
    return []


def program_folder(config: RoundConfig) -> Path:
    """The folder that holds the user's program; the working folder where the workload is one that ships."""
    own = config.config_dir
    for path in program_files(config.workload, own):
        return path.parent
    if not is_ours(config.workload.target):
        with suppress(InputError):
            return place_of(config.workload.target, own).file.parent
    return Path(own) if own else Path.cwd()


def working_folder(config: RoundConfig) -> Path:
    """Where a program is started, if not in the trial's own folder."""
    return Path(config.config_dir or "", str(config.workload.arguments.get("cwd") or ""))


def below(folder: Path, store: Path | None = None) -> Iterator[Path]:
    """The files of a folder, at any depth, but for what is hidden, cached, or in any store of rounds."""
    for where, folders, files in os.walk(folder):
        kept = (f for f in folders if not f.startswith((".", "__pycache__")) and Path(where, f) != store)
        folders[:] = sorted(f for f in kept if not Path(where, f, "ledger.db").is_file())
        yield from (Path(where, name) for name in sorted(files) if not name.startswith("."))


def scripts(folder: Path) -> Iterator[Path]:
    """The programs and modules of a folder, at any depth."""
    return filter(_is_script, below(folder))


def _is_script(path: Path) -> bool:
    return path.suffix.lower() in SCRIPTS and path.is_file()


def _imported(files: Iterable[Path]) -> set[str]:
    """The packages that Python files import, but for Python's own."""
    found: set[str] = set()
    for path in files:
        if path.suffix == ".py":
            with suppress(OSError, ValueError, SyntaxError):
                for node in ast.walk(ast.parse(path.read_bytes())):
                    if isinstance(node, ast.Import):
                        found |= {alias.name.partition(".")[0] for alias in node.names}
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names
