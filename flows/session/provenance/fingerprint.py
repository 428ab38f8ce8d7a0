"""The fingerprint of a round: configuration, code, data, packages and machine; what differs from it later.

A part maps what it consists of to its version, or to a hash of its content. Code is the user's folder and what it
imports from elsewhere, unless that is an installed package, whose version stands for it. Data are the files and folders
whose path (absolute, or within the user's folder) is the value of an argument of the workload or of a variable in
`runner.environment`, or follows a `=` in it: of a file the content counts, of a folder the names and sizes of what lies
in it. The embedded data sets are made by packages, which stand for them.
"""

import hashlib
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from flows.compose.config import TOP, RoundConfig
from flows.session.provenance.programs import (
    below,
    installed_as,
    libraries,
    own_code,
    program_folder,
    scripts,
    working_folder,
)
from flows.session.provenance.reproduce import ROOT, commit_of, diff_from, tunebook_version
from tasks.record import hash_of
from tasks.scope.redaction import is_secret_name
from tasks.trials.command.check import program_files
from tasks.trials.settings import RunnerSettings

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
_TRAINING = ("workload.", "budget.max_train_steps", "budget.eval_every_steps")  # what a trial sees of the configuration
NAMES = ("workload", "names")  # what the user calls a hyperparameter: a trial sees nothing of it
_VERSIONS = ("packages", "python", "machine", "runner")  # parts that are short enough to say what was and what is
AFFECTS = (
    "workload",
    "goal",
    "space",
    "budget",
    "policy",
    "seed",
    "sampler",
    "lag",
    "acknowledge",
    "notes",
    "keep",
    "config_dir",
)
NUMERICAL = ("torch", "numpy", "scipy", "scikit-learn", "mnist1d")  # what trials and verdicts are computed with
SERVICES = ("prefect", "mlflow", "hydra-core")
PIECE, PIECES = 4 * 1024 * 1024, 256  # of a file above 1 GiB so many pieces count, evenly spread, and its size
SHOWN = 3  # differences of a part that a sentence names
_VECTORS = ("sse4", "avx", "fma", "amx", "asimd", "sve")  # the instructions by which libraries choose how they sum up


def fingerprint(config: RoundConfig) -> Parts:
    """What a round of this configuration would run on here and now.

    There is no secret in it: an argument under a secret name leaves no hash, and no path of data is kept.

    Playbook: J12, J13
    """
    own, named = dict(own_code(config)), dict(_named(config))
    imported = libraries(config, own.values())
    folder = program_folder(config)
    commit = commit_of(folder)
    return {
        "config": dict(_configured(config)),
        "code": {"tunebook": _together(scripts(ROOT / "tasks"))}
        | {name: _together(paths) for name, paths in imported.items() if paths}
        | {name: _content(path) for name, path in own.items()},
        "data": {name: _content(path) for name, path in named.items() if path.is_file()},
        "folders": {name: _listing(path) for name, path in named.items() if path.is_dir()},
        "packages": _versions(*NUMERICAL, *installed_as(imported)),
        "python": {platform.python_implementation(): platform.python_version()},
        "machine": _machine(),
        "runner": _runner(config.runner),
        "services": _versions(*SERVICES),
        "tunebook": tunebook_version(),
        "git": {"commit": commit, "diff": hash_of(diff_from(commit, folder, config.secrets), 16)} if commit else {},
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


def same_training(before: Parts, now: Parts) -> bool:
    """Whether a configuration trained then would come to the same as trained now: nothing that a trial sees differs."""
    return not training_difference(before, now)


def training_difference(before: Parts, now: Parts) -> dict[str, str]:
    """What differs of all that a trial sees, by part: of the configuration the workload and the length alone."""
    there, here = (
        {**parts, "config": {key: text for key, text in parts.get("config", {}).items() if key.startswith(_TRAINING)}}
        for parts in (before, now)
    )
    return differing(there if before else {}, here)


def difference_text(difference: Mapping[str, str]) -> str:
    """The parts that differ, in words: `the code differs (own.py), the data differ (workload.table)`."""
    return ", ".join(f"{COMPARED[part]} ({names})" for part, names in difference.items())


def mixed_parts(difference: Mapping[str, str]) -> list[str]:
    """The parts of which a round's trials had two different ones, each in words of at most 256 characters: a note."""
    return [f"{MIXED[part]} ({names[:200]})" for part, names in difference.items()]


def _configured(config: RoundConfig) -> Iterator[tuple[str, str]]:
    """What affects trials or verdicts, by its name. How many trials run at once, and who watches, does not."""
    for name, value in config.model_dump(mode="json", include=set(AFFECTS)).items():
        if name in TOP:
            yield from ((f"{name}.{key}", hash_of(inner, 16)) for key, inner in value.items() if (name, key) != NAMES)
            if name == NAMES[0] and value.get(NAMES[1]):
                yield NAMES[1], hash_of(value[NAMES[1]], 16)
        else:
            yield name, hash_of(value, 16)


def _named(config: RoundConfig) -> Iterator[tuple[str, Path]]:
    """The files and folders that an argument or a variable names, by its name; code is not among them.

    Neither is where trials work, nor a folder around the user's own or around the store: it changes with every round.
    """
    workload, own = config.workload, config.config_dir
    seen = {name: os.environ.get(name) for name in config.runner.environment}
    others = {path.resolve() for path in (working_folder(config), *program_files(workload, own))}
    homes = [Path(home) for home in (own, config.root) if home]
    said = _texts({**workload.arguments, "test": workload.test}, "workload")
    for name, text in (*said, *_texts(seen, "environment")):
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


def _together(paths: Iterable[Path]) -> str:
    """A hash of the content of several files."""
    return hash_of([[path.name, _content(path)] for path in paths], 16)


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
    return hash_of([[str(path.relative_to(folder)), _size(path)] for path in below(folder)], 16)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a link to nowhere
        return -1


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


def _runner(runner: RunnerSettings) -> dict[str, str]:
    """What it gives each trial. BLAS and OpenMP get the same number of threads from it, whatever the shell says."""
    given = {name: str(getattr(runner, name)) for name in ("threads", "memory", "wall_timeout")}
    given |= {} if runner.name == "local" else {"name": runner.name}
    return given | {"devices": " ".join(sorted({device.partition(":")[0] for device in runner.devices}))}
