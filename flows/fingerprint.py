"""What a round runs on, in named parts: taken when it begins, frozen with it, and compared ever after.

A part maps what it consists of to its version, or to a hash of its content. Data are the files and folders whose path
(absolute, or within the user's folder) is the value of an argument of the workload, or follows a `=` in it: of a file
the content counts, of a folder the names and sizes of what lies in it. The embedded data sets are made by packages,
which stand for them.
"""

import ast
import hashlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from flows.config import TOP, RoundConfig
from flows.provenance import ROOT, commit_here, diff_from
from tasks.record import hash_of
from tasks.scope.redaction import is_secret_name
from tasks.trials.command_check import program_files
from tasks.trials.runner import Runner

Parts = Mapping[str, Mapping[str, str]]

ANOTHER_ROUND = {"config": "the configuration differs", "code": "the code differs", "data": "the data differ"}
"""With other ones it is another round."""

REMARKED = {
    "folders": "the folders of data differ",
    "packages": "the packages differ",
    "python": "the Python differs",
    "machine": "the machine differs",
    "runner": "the runner differs",
}
"""With other ones a round can be gone on with, if it is named and its verdict says so: equal numbers need equal ones.

Folders are among them because trials may write into the one that is named, a cache, and that must not cost the round.
"""

MIXED = {
    "config": "configurations",
    "code": "states of the code",
    "data": "states of the data",
    "folders": "states of a folder of data",
    "packages": "sets of packages",
    "python": "Pythons",
    "machine": "machines",
    "runner": "settings of the runner",
}
"""What the trials of a round ran on two of, where a part was not the same all along."""

COMPARED = ANOTHER_ROUND | REMARKED
_VERSIONS = ("packages", "python", "machine", "runner")  # parts that are short enough to say what was and what is
AFFECTS = ("workload", "goal", "space", "budget", "policy", "seed", "sampler", "acknowledge", "notes", "config_dir")
NUMERICAL = ("torch", "numpy", "scipy", "scikit-learn", "mnist1d")  # what trials and verdicts are computed with
SERVICES = ("prefect", "mlflow", "hydra-core")
SCRIPTS = frozenset({".py", ".sh", ".awk", ".r", ".jl", ".pl", ".rb", ".js", ".m", ".c", ".cc", ".cpp", ".cu", ".h"})
SETTINGS = frozenset({".yaml", ".yml", ".toml"})  # of the user's programs: those of our groups are the configuration
PIECE, PIECES = 4 * 1024 * 1024, 256  # of a file above 1 GiB so many pieces count, evenly spread, and its size
SHOWN = 3  # differences of a part that a sentence names
_VECTORS = ("sse4", "avx", "fma", "amx", "asimd", "sve")  # the instructions by which libraries choose how they sum up


def fingerprint(config: RoundConfig) -> Parts:
    """What a round of this configuration would run on here and now.

    There is no secret in it: an argument under a secret name leaves no hash, and no path of data is kept.

    Playbook: J12, J13
    """
    own, named = dict(_own_code(config)), dict(_named(config))
    commit = commit_here()
    return {
        "config": dict(_configured(config)),
        "code": {"tunebook": _rooms()} | {name: _content(path) for name, path in own.items()},
        "data": {name: _content(path) for name, path in named.items() if path.is_file()},
        "folders": {name: _listing(path) for name, path in named.items() if path.is_dir()},
        "packages": _versions(*NUMERICAL, *_imported(own.values())),
        "python": {platform.python_implementation(): platform.python_version()},
        "machine": _machine(),
        "runner": _runner(config.runner),
        "services": _versions(*SERVICES),
        "git": {"commit": commit, "diff": hash_of(diff_from(commit, config.secrets), 16)} if commit else {},
    }


def key_of(parts: Parts) -> str:
    """One text for all that is compared: a round with the same one is gone on with, unasked."""
    return hash_of({part: dict(parts[part]) for part in COMPARED})


def differing(before: Parts, now: Parts) -> dict[str, str]:
    """What differs, by part, of those that are compared; also how, where that is short."""
    if not before:  # the round was begun by a tunebook that did not note it
        return {"code": "tunebook"}
    found = {}
    for part in COMPARED:
        was, has = before.get(part, {}), now[part]
        names = [name for name in sorted({*was, *has}) if was.get(name) != has.get(name)]
        if part in _VERSIONS:
            names = [f"{name} {was.get(name, 'none')}, now {has.get(name, 'none')}" for name in names]
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            found[part] = "; ".join(names[:SHOWN]) + more
    return found


def difference_text(difference: Mapping[str, str]) -> str:
    """The parts that differ, in words: `the code differs (own.py), the data differ (workload.table)`."""
    return ", ".join(f"{COMPARED[part]} ({names})" for part, names in difference.items())


def _configured(config: RoundConfig) -> Iterator[tuple[str, str]]:
    """What affects trials or verdicts, by its name. How many trials run at once, and who watches, does not."""
    for name, value in config.model_dump(mode="json", include=set(AFFECTS)).items():
        if name in TOP:
            yield from ((f"{name}.{key}", hash_of(inner, 16)) for key, inner in value.items())
        else:
            yield name, hash_of(value, 16)


def _rooms() -> str:
    """Our own code that trials and verdicts run on."""
    return hash_of([[path.name, _content(path)] for path in _below(ROOT / "tasks") if path.suffix == ".py"], 16)


def _own_code(config: RoundConfig) -> Iterator[tuple[str, Path]]:
    """The scripts of the user's folder, the settings of programs there, and the files that they are started with."""
    if config.config_dir is None:
        return
    own = Path(config.config_dir)
    for path in _below(own, config.root):
        name = path.relative_to(own)
        if path.suffix.lower() in SCRIPTS or (path.suffix in SETTINGS and name.parts[0] not in TOP):
            yield str(name), path
    for path in program_files(config.workload, config.config_dir):
        yield str(path.relative_to(own) if path.is_relative_to(own) else path.name), path


def _named(config: RoundConfig) -> Iterator[tuple[str, Path]]:
    """The files and folders that an argument of the workload names, by the argument's name; code is not among them.

    Neither is where trials work, nor a folder around the user's own or around the store: it changes with every round.
    """
    workload, own = config.workload, config.config_dir
    work = Path(own or "", str(workload.arguments.get("cwd") or ""))
    others = {path.resolve() for path in (work, *program_files(workload, own))}
    homes = [Path(home) for home in (own, config.root) if home]
    for name, text in _texts({**workload.arguments, "test": workload.test}, "workload"):
        for part in (text, text.partition("=")[2]):
            path = Path(own or "", os.path.expanduser(part))
            if path.is_absolute() and os.path.exists(path):
                real = path.resolve()
                if real not in others and not any(home.is_relative_to(real) for home in homes):
                    yield name, real


def _texts(tree: Any, name: str) -> Iterator[tuple[str, str]]:
    """The texts in a configuration by their names, but for those under a secret name."""
    if isinstance(tree, Mapping | list | tuple):
        for key, value in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
            if not is_secret_name(str(key)):
                yield from _texts(value, f"{name}.{key}")
    elif isinstance(tree, str):
        yield name, tree


def _below(folder: Path, store: Path | None = None) -> Iterator[Path]:
    """The files of a folder, at any depth, but for what is hidden, cached, or in the store of rounds."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__pycache__")) and Path(where, f) != store)
        yield from (Path(where, name) for name in sorted(files))


def _content(path: Path) -> str:
    """A hash of the file's content; of a part of it where it is very large."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= PIECE * PIECES:
                return hashlib.file_digest(file, "sha256").hexdigest()[:16]
            found = hashlib.sha256(str(size).encode())
            for i in range(PIECES):
                file.seek((size - PIECE) * i // (PIECES - 1))
                found.update(file.read(PIECE))
            return found.hexdigest()[:16]
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _listing(folder: Path) -> str:
    """A hash of the names and sizes of the files in a folder."""
    return hash_of([[str(path.relative_to(folder)), _size(path)] for path in _below(folder)], 16)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a link to nowhere
        return -1


def _imported(files: Iterable[Path]) -> set[str]:
    """The packages that Python files import, where they are installed under the name by which they are imported."""
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


def _versions(*packages: str) -> dict[str, str]:
    """The installed version of each package that is installed."""
    found = {}
    for package in sorted(set(packages)):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _machine() -> dict[str, str]:
    """What decides how sums are taken. Torch would have to be imported to be asked, so the kernel is."""
    said: dict[str, str] = {}
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(errors="replace").partition("\n\n")[0].splitlines()
        said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = said.get("flags") or said.get("Features") or ""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": said.get("model name") or platform.processor(),
        "instructions": " ".join(sorted(flag for flag in flags.split() if flag.startswith(_VECTORS))),
    }


def _runner(runner: Runner) -> dict[str, str]:
    """What it gives each trial. BLAS and OpenMP get the same number of threads from it, whatever the shell says."""
    given = {name: str(getattr(runner, name)) for name in ("threads", "memory", "wall_timeout")}
    return given | {"devices": " ".join(sorted({device.partition(":")[0] for device in runner.devices}))}
