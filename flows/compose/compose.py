"""Hydra's composition: overrides go in, one frozen `RoundConfig` comes out, or one sentence of what is wrong.

The same composition serves the shell, the Prefect UI, the API and a schedule (`overrides`, `config_dir`). It is
Hydra's Compose API: what a configuration says of Hydra's own logging, callbacks, launcher and sweeper is never
called, and is refused. No `DictConfig` leaves this module.
"""

import os
import re
import string
import threading
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import version
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.hydra import Hydra
from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.resolvers import oc
from yaml import YAMLError  # type: ignore[import-untyped]

from flows.compose.called import program
from flows.compose.config import CONF, TOP, RoundConfig
from flows.compose.errors import one_sentence
from flows.compose.freeze import frozen
from flows.compose.messages import plain_sentence, tell
from flows.compose.overrides import as_said, as_stored, command_line, in_the_clear, opened, refuse_open_secrets
from flows.compose.sources import check_file, refuse_clashes
from tasks.analyze.thresholds import default_thresholds
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.redaction import NONE, Secrets, is_secret_name, secrets_in

_NO_SECRET = re.compile(r"/.*|[-+\d.eE]+", re.DOTALL)
_lock = threading.Lock()
THRESHOLDS = "thresholds_of_checks"  # the node that the defaults lists of round and audit begin with


class _Folder(FileConfigSource):
    """A folder of YAML, as Hydra reads it; every file is looked at before."""

    @staticmethod
    def scheme() -> str:
        return "folder"

    def load_config(self, config_path: str) -> ConfigResult:
        name = self._normalize_file_name(config_path)
        check_file(Path(self.path), name)
        try:
            return super().load_config(config_path)
        except OmegaConfBaseException as error:
            raise InputError(f"{name}: {plain_sentence(error)}") from None


def from_shell(arguments: Sequence[str]) -> list[RoundConfig]:
    """A config for each round that the command line asks for: several with `-m`, none after `--help` or `--cfg`.

    All are composed and checked before the first is returned.

    Raises:
        InputError: with the one sentence to show.
    """
    words = command_line(arguments)
    with _hydra(words.config_dir, words.overrides):
        if words.help or words.cfg:
            tell(_help(words.overrides) if words.help else _shown(words), aside=False)
            return []
        rounds = _swept(words.overrides) if words.multirun else [words.overrides]
        return [_config(overrides, words.config_dir) for overrides in rounds]


def from_overrides(overrides: Sequence[str], config_dir: str | None = None) -> RoundConfig:
    """The config of one round, from a form, a schedule or another program.

    Raises:
        InputError: with the one sentence to show.
    """
    config_dir = str(Path(config_dir).resolve()) if config_dir else None
    with _hydra(config_dir, overrides):
        return _config(overrides, config_dir)


def audit_settings(arguments: Sequence[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`(settings, words)`: `conf/audit.yaml` and what was said of it; no settings after `--help`, which is printed."""
    words = command_line(arguments)
    if words.help or words.cfg:
        tell((CONF / "audit.yaml").read_text(), aside=False)
        return {}, ()
    overrides = [f"++{o}" if o.startswith("space.") else opened(o) for o in words.overrides]
    with _hydra(None, words.overrides), _noted() as noted:
        tree: dict[str, Any] = OmegaConf.to_container(hydra_compose("audit", overrides), resolve=True)  # type: ignore[assignment]
    secrets = Secrets(frozenset({*noted, *secrets_in(tree)}))
    return tree, tuple(as_stored(override, secrets) for override in words.overrides)


def goals_for(config: RoundConfig) -> dict[str, dict[str, Value]]:
    """The goals that can be asked of this workload and space, by their hyperparameters; a user's own come first.

    Each with the values at which its YAML fixes hyperparameters; those that it fixes at the incumbent's are left out.
    """
    folders = [*([Path(config.config_dir)] if config.config_dir else []), CONF]
    known = {*config.space.names, *config.workload.baseline}
    trees = ((p.stem, _goal_tree(p)) for folder in folders for p in sorted(folder.glob("goal/*.yaml")))
    return {name: _fixed_in(tree) for name, tree in trees if tree and _names_in(tree) <= known}


def _goal_tree(goal: Path) -> dict[str, Any]:
    """A goal's YAML; empty where nobody can ask it, and for one that compares nothing: neither is an open question."""
    try:
        check_file(goal.parent, goal.name)
        tree = OmegaConf.to_container(OmegaConf.load(goal))
    except (InputError, OmegaConfBaseException, YAMLError, OSError, ValueError):
        return {}
    return {str(k): v for k, v in tree.items()} if isinstance(tree, dict) and tree.get("scientific") else {}


def _names_in(tree: Mapping[str, Any]) -> set[str]:
    """The hyperparameters that a goal speaks of."""
    parts = [tree.get(role) or () for role in ("scientific", "nuisance", "fixed")]
    return {str(name) for part in parts for name in part}


def _fixed_in(tree: Mapping[str, Any]) -> dict[str, Value]:
    """The values at which a goal fixes hyperparameters."""
    wishes = ((str(n), w.get("value") if isinstance(w, Mapping) else w) for n, w in (tree.get("fixed") or {}).items())
    return {name: value for name, value in wishes if isinstance(value, Value)}


@contextmanager
def _hydra(config_dir: str | None, overrides: Sequence[str]) -> Iterator[None]:
    """Hydra over our folder and the user's, while the context lasts; its errors as one sentence."""
    refuse_clashes(config_dir, CONF)
    said = Secrets(frozenset(in_the_clear(overrides)))
    with _lock, one_sentence(said=said):
        version.setbase("1.3")
        SourcesRegistry.instance().register(_Folder)
        ConfigStore.instance().store(THRESHOLDS, {"policy": default_thresholds()})
        path = create_config_search_path(f"{_Folder.scheme()}://{CONF}")
        if config_dir is not None:
            path.prepend("own", f"{_Folder.scheme()}://{config_dir}", anchor="schema")
        GlobalHydra.instance().clear()
        Hydra.create_main_hydra2("tunebook", path)
        try:
            for override in _parsed(overrides):
                if re.match(r"hydra\b", override.key_or_group) or override.package is not None:
                    raise InputError(f"{override.get_key_element()}: what Hydra does itself is no part of a round.")
            yield
        finally:
            GlobalHydra.instance().clear()


def _parsed(overrides: Sequence[str]) -> list[Override]:
    loader = GlobalHydra.instance().config_loader()
    return OverridesParser.create(config_loader=loader).parse_overrides([*map(opened, overrides)])


def _config(overrides: Sequence[str], config_dir: str | None) -> RoundConfig:
    """The config of one round, with all that must not be written down of it."""
    with _noted() as noted:
        tree, names = _tree(_composed(overrides))
    workload = {k: v for k, v in tree["workload"].items() if k not in ("objective", "baseline")}
    secrets = Secrets(frozenset({*noted, *secrets_in(workload), *secrets_in(tree["tracking"])}))
    with one_sentence(said=secrets):
        config = frozen(tree, names, tuple(overrides), config_dir, secrets)
        if config.orchestrate == "prefect":
            refuse_open_secrets(overrides, secrets)
    seen = frozenset(os.environ.get(name, "") for name in config.runner.environment if is_secret_name(name))
    return config.model_copy(update={"secrets": Secrets(secrets.texts | seen)})


def _composed(overrides: Sequence[str]) -> DictConfig:
    """What Hydra makes of the overrides, once Hydra's own settings are found to be ours."""
    cfg = hydra_compose("round", overrides=[*map(opened, overrides)], return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    ours, now = _our_settings(), _settings(cfg)
    for key in sorted(ours | now):
        if ours.get(key) != now.get(key):
            raise InputError(f"hydra.{key}: Hydra's own settings are no part of a round; remove it from the YAML.")
    return cfg


@cache
def _our_settings() -> dict[str, Any]:
    return _settings(hydra_compose("round", return_hydra_config=True))


def _settings(cfg: DictConfig) -> dict[str, Any]:
    """Hydra's own settings, but for what says which overrides there were."""
    tree: dict[str, Any] = OmegaConf.to_container(cfg.hydra)  # type: ignore[assignment]
    tree["job"].pop("override_dirname", None)
    return {key: value for key, value in tree.items() if key not in ("runtime", "overrides")}


def _tree(cfg: DictConfig) -> tuple[dict[str, Any], dict[str, str]]:
    """Config dies here: the composed tree as plain values, and the names of the options chosen, by group."""
    choices = HydraConfig.get().runtime.choices
    tree: dict[str, Any] = OmegaConf.to_container(_without_hydra(cfg), resolve=True)  # type: ignore[assignment]
    return tree, {group: str(choices.get(group)) for group in TOP}


def _without_hydra(cfg: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])


@contextmanager
def _noted() -> Iterator[set[str]]:
    """What interpolations take from the environment while the context lasts, but for paths and numbers.

    No error quotes it. Paths and numbers are no secrets unless the variable's name says so: `DATA_DIR` and `WORKERS`
    are what neutral names are for.
    """
    noted: set[str] = set()

    def env(*words: str) -> str | None:
        value: str | None = oc.env(*words)
        given = os.environ.get(words[0])
        if given and (is_secret_name(words[0]) or not _NO_SECRET.fullmatch(given)):
            noted.add(given)
        return value

    OmegaConf.register_new_resolver("oc.env", env, replace=True)
    try:
        with one_sentence(noted=noted):
            yield noted
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


def _swept(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """The overrides of every combination that `-m` asks for, by Hydra's basic sweeper."""
    combinations = BasicSweeper.split_arguments(_parsed(overrides), None)[0]
    return [tuple(map(as_said, combination)) for combination in combinations]


def _shown(words: Namespace) -> str:
    """The composed configuration as YAML, without secrets."""
    with _noted() as noted:
        cfg = _without_hydra(_composed(words.overrides))
        part = OmegaConf.select(cfg, words.package) if words.package else cfg
        tree = OmegaConf.to_container(part, resolve=words.resolve) if OmegaConf.is_config(part) else part
    secrets = Secrets(frozenset({*noted, *secrets_in(tree)}))
    return OmegaConf.to_yaml(OmegaConf.create(secrets.plain(tree)))


def _help(overrides: Sequence[str]) -> str:
    """What can be set, by the template in `conf/round.yaml`."""
    with _noted():
        cfg = _composed(overrides)
    hydra = GlobalHydra.instance().hydra
    groups = hydra.format_config_groups(lambda group: not group.startswith("hydra")) if hydra else ""
    config = NONE.plain(OmegaConf.to_container(_without_hydra(cfg)))
    return string.Template(cfg.hydra.help.template).substitute(
        PROGRAM=program("round"), APP_CONFIG_GROUPS=groups, CONFIG=OmegaConf.to_yaml(config)
    )
