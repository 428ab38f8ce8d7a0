"""The only door to Hydra: overrides go in, one frozen `RoundConfig` comes out, or one sentence of what is wrong.

The same composition serves the shell (Hydra's own parser and sweeper), the Prefect UI, the API and a schedule
(`overrides`, `config_dir`). No `DictConfig` leaves this module.
"""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from yaml import YAMLError  # type: ignore[import-untyped]

from flows.config import CONF, TOP, RoundConfig, incumbent_file
from flows.sentences import plain_sentence, validation_sentence
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import Goal, Incumbent, Workload
from tasks.scope.space import KEYS, space_from_tree
from tasks.tracking import Tracking

_FLAGS_WITH_VALUE = {"--config-dir", "-cd", "--cfg", "-c", "--package", "-p", "--info", "-i"}
_ADD = "++"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_lock = threading.Lock()


def from_shell(arguments: Sequence[str]) -> list[RoundConfig]:
    """A config for each round that the command line asks for: several with `-m`, none after `--help` or `--cfg`.

    All are composed and checked before the first is returned.

    Raises:
        InputError: with the one sentence to show.
    """
    found: list[tuple[dict[str, Any], tuple[str, ...]]] = []
    flags, overrides = _flags_first(arguments)
    config_dir = _config_dir(flags)
    _refuse_clashes(config_dir)

    def collect(cfg: DictConfig) -> None:
        said = HydraConfig.get().overrides.task
        found.append((_tree(cfg), tuple(_as_said(o) for o in said)))

    with tempfile.TemporaryDirectory() as sweep, _one_sentence(), _shell([*flags, *map(_opened, overrides)], sweep):
        hydra.main(version_base="1.3", config_path=str(CONF), config_name="round")(collect)()
        return [_frozen(tree, said, config_dir) for tree, said in found]


def from_overrides(overrides: Sequence[str], config_dir: str | None = None) -> RoundConfig:
    """The config of one round, from a form, a schedule or another program.

    Raises:
        InputError: with the one sentence to show.
    """
    config_dir = str(Path(config_dir).resolve()) if config_dir else None
    _refuse_clashes(config_dir)
    search = [f"hydra.searchpath=[file://{config_dir}]"] if config_dir else []
    with _lock, _one_sentence():
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(CONF), version_base="1.3"):
            cfg = hydra_compose("round", overrides=[*map(_opened, overrides), *search], return_hydra_config=True)
            HydraConfig.instance().set_config(cfg)
            return _frozen(_tree(cfg), tuple(overrides), config_dir)


def goals_for(config: RoundConfig) -> tuple[str, ...]:
    """The goals that can be asked of this workload and space, by their hyperparameters; a user's own come first."""
    folders = [*([Path(config.config_dir)] if config.config_dir else []), CONF]
    known = {*config.space.names, *config.workload.baseline}
    return tuple(p.stem for folder in folders for p in sorted(folder.glob("goal/*.yaml")) if _names_in(p) <= known)


def _names_in(goal: Path) -> set[str]:
    """The hyperparameters that a goal's YAML speaks of."""
    try:
        tree = OmegaConf.to_container(OmegaConf.load(goal))
    except (OmegaConfBaseException, YAMLError, OSError):
        tree = None
    if not isinstance(tree, dict) or not tree.get("scientific"):
        return {goal.name}  # no name of a hyperparameter: a file that nobody can ask is no open question
    parts = [tree.get(role) or () for role in ("scientific", "nuisance", "fixed")] if isinstance(tree, dict) else []
    return {str(name) for part in parts for name in part}


def write_incumbent(path: Path, incumbent: Incumbent, provenance: Mapping[str, Value]) -> None:
    """Write the promoted configuration as YAML, atomically: a one-file diff with its provenance on top.

    Playbook: G9
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f"# {key}: {' '.join(str(value).split())}\n" for key, value in provenance.items())
    tree = {
        "generation": incumbent.generation,
        "source": incumbent.source,
        "point": dict(sorted(incumbent.point.items())),
    }
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(head + OmegaConf.to_yaml(OmegaConf.create(tree)))
    os.replace(temporary, path)


def read_incumbent(path: Path) -> Incumbent | None:
    """The configuration that `path` promotes, or None where nothing was promoted yet."""
    if not path.exists():
        return None
    with _one_sentence(f"{path.name}: "):
        return Incumbent.model_validate(OmegaConf.to_container(OmegaConf.load(path)))


def _tree(cfg: DictConfig) -> dict[str, Any]:
    """Config dies here: the composed tree as plain values, each group with the name of its option."""
    choices = HydraConfig.get().runtime.choices
    plain = OmegaConf.create({k: v for k, v in cfg.items() if k != "hydra"})
    tree: dict[str, Any] = OmegaConf.to_container(plain, resolve=True)  # type: ignore[assignment]
    return tree | {"names": {group: str(choices.get(group)) for group in TOP}}


def _frozen(tree: dict[str, Any], overrides: tuple[str, ...], config_dir: str | None) -> RoundConfig:
    """The composed tree as frozen, checked values."""
    names = tree.pop("names")
    for group, name in names.items():
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{group}: {name!r} is no name of an option; letters, digits, dots, dashes and underscores are."
            )
    _refuse_missing(tree, "")
    unknown = sorted(set(tree) - set(RoundConfig.model_fields))
    if unknown:
        raise InputError(f"{unknown[0]}: unknown key; allowed are {', '.join(sorted(set(tree) - set(unknown)))}.")
    tracking = Tracking.model_validate(tree["tracking"] | {"root": _root(tree["tracking"]["root"])})
    workload = _workload(names["workload"], tree["workload"])
    return RoundConfig.model_validate(
        tree
        | {
            "overrides": overrides,
            "config_dir": config_dir,
            "workload": workload,
            "goal": _goal(names["goal"], tree["goal"]),
            "space": space_from_tree(tree["space"]),
            "tracking": tracking,
            "promoted": read_incumbent(incumbent_file(Path(tracking.root), workload.name)),
            "acknowledge": tree["acknowledge"] or {},
        }
    )


def _root(given: object) -> str:
    """Relative roots are the repository's, so that every working directory finds the same store."""
    if not given:
        raise InputError("tracking.root: empty; name a folder, such as mlruns.")
    return str((CONF.parent / str(given)).resolve())


def _workload(name: str, tree: Mapping[str, Any]) -> Workload:
    own = {k: tree[k] for k in ("objective", "test")}
    arguments = {k: v for k, v in tree.items() if k not in ("_target_", "objective", "baseline", "test")}
    return Workload(
        name=name,
        target=tree["_target_"],
        arguments=arguments,
        baseline=dict(_flat(tree["baseline"] or {}, "workload.baseline", "")),
        **own,
    )


def _goal(name: str, tree: Mapping[str, Any]) -> Goal:
    given = dict(tree)
    given["fixed"] = {k: v if isinstance(v, Mapping) else {"value": v, "reason": ""} for k, v in tree["fixed"].items()}
    return Goal.model_validate({"name": name, **given})


def _flat(tree: Mapping[str, Any], where: str, prefix: str) -> Iterator[tuple[str, Value]]:
    """`{a: {b: 1}}` as `a.b = 1`: a point's hyperparameters are named by their whole path."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, where, f"{prefix}{key}.")
        elif isinstance(value, Value):
            yield f"{prefix}{key}", value
        else:
            raise InputError(f"{where}.{prefix}{key}: {value!r} is not a number, a text or a boolean.")


def _refuse_missing(tree: object, prefix: str) -> None:
    """A mandatory value that nobody gave."""
    for key, value in tree.items() if isinstance(tree, Mapping) else ():
        if value == "???":
            allowed = "; allowed are minimize and maximize" if key == "direction" else ""
            raise InputError(f"{prefix}{key}: missing, and it has no default{allowed}; give it in the YAML or here.")
        _refuse_missing(value, f"{prefix}{key}.")


def _refuse_clashes(config_dir: str | None) -> None:
    """A user's file with one of our names would lose without a word in Hydra's search path."""
    if config_dir is None:
        return
    folder = Path(config_dir)
    if not folder.is_dir():
        raise InputError(f"--config-dir: {config_dir} is not a folder; give the one that holds your goal/, space/ …")
    for mine in sorted(folder.rglob("*.yaml")):
        relative = mine.relative_to(folder)
        if (CONF / relative).exists():
            raise InputError(f"--config-dir: {relative} exists in both places; rename yours, so that none is lost.")


def _flags_first(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Hydra's parser wants its flags before the overrides; a person need not know that."""
    flags: list[str] = []
    overrides: list[str] = []
    waiting = iter(arguments)
    for word in waiting:
        if word in _FLAGS_WITH_VALUE:
            flags += [word, *(value for value in [next(waiting, None)] if value is not None)]
        elif word.startswith("-") and "=" not in word.split("--", 1)[0]:
            flags.append(word)
        else:
            overrides.append(word)
    return flags, overrides


def _config_dir(flags: list[str]) -> str | None:
    """The folder after `--config-dir`, made absolute in place: Hydra takes it as it is."""
    for i, word in enumerate(flags):
        name, _, value = word.partition("=")
        if name in ("--config-dir", "-cd"):
            folder = str(Path(value or (flags[i + 1] if i + 1 < len(flags) else "")).resolve())
            flags[i : i + (1 if value else 2)] = ["--config-dir", folder]
            return folder
    return None


def _opened(override: str) -> str:
    """What may add a key that the YAML leaves out (`space.p.scale=log`); every other new key stays an error."""
    key = override.partition("=")[0]
    group, leaf = key.partition(".")[0], key.rpartition(".")[2]
    adds = (
        (group == "space" and leaf in KEYS - {"low", "high"})
        or group == "acknowledge"
        or key.startswith(("goal.scientific", "goal.fixed"))
    )
    return f"{_ADD}{override}" if adds else override


def _as_said(override: str) -> str:
    """The override without the mark that `_opened` put there, so that it is opened again wherever it is used."""
    bare = override.removeprefix(_ADD)
    return bare if _opened(bare) == override else override


@contextmanager
def _shell(arguments: Sequence[str], sweep: str) -> Iterator[None]:
    """`sys.argv` and Hydra's settings for one call; a sweep's leftovers go to a folder that is thrown away."""
    before, environment = sys.argv, dict(os.environ)
    sys.argv = ["flows.round", *arguments]
    os.environ |= {"HYDRA_FULL_ERROR": "1", "TUNEBOOK_SWEEP": sweep}
    try:
        yield
    finally:
        sys.argv = before
        for key in ("HYDRA_FULL_ERROR", "TUNEBOOK_SWEEP"):
            os.environ.pop(key, None)
            if key in environment:
                os.environ[key] = environment[key]
        GlobalHydra.instance().clear()


@contextmanager
def _one_sentence(prefix: str = "") -> Iterator[None]:
    """Whatever Hydra, OmegaConf, YAML or our types have against the input, as one sentence."""
    try:
        yield
    except ValidationError as error:
        raise InputError(prefix + validation_sentence(error)) from error
    except InputError:
        raise
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise InputError(
            f"{prefix}the configuration lacks a part, or a part has another shape than it needs ({said}); "
            "compare with --cfg job."
        ) from error
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise InputError(prefix + plain_sentence(error)) from error
