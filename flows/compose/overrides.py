"""The command line and its overrides: parsed, and secrets in them found, before Hydra sees them."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from flows.compose.called import program
from tasks.scope.error import InputError
from tasks.scope.redaction import LEFT_OUT, Secrets, is_secret_name, secrets_in, without_passwords, without_said
from tasks.scope.space import KEYS

_ADD = "++"
_FREE = ("notes", "acknowledge", "goal.question")  # in a person's own words
_HYPERPARAMETERS = (
    "space.",
    "goal.scientific",
    "goal.nuisance",
    "goal.fixed",
    "budget.",
    "policy.",
    "workload.baseline",
    "workload.names",
    "names",
)


class _Sentence(argparse.ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message.rstrip('.')}; see --help.")


def command_line(arguments: Sequence[str]) -> argparse.Namespace:
    """`overrides`, `config_dir` (absolute, or None), `multirun`, `help`, `cfg`, `resolve` and `package`.

    Hydra's other flags are no part of a round: one of them loads a pickle.

    Raises:
        InputError: a flag that there is not.
    """
    parser = _Sentence(add_help=False, allow_abbrev=False, prog=program("round"))
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--cfg", "-c", choices=["job"])
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("--package", "-p")
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--config-dir", "-cd")
    parser.add_argument("overrides", nargs="*")
    found = parser.parse_intermixed_args(arguments)
    if found.config_dir is not None:
        found.config_dir = str(Path(found.config_dir).resolve())
    return found


def opened(override: str) -> str:
    """What may add a key that the YAML leaves out (`space.p.scale=log`); every other new key stays an error."""
    key = override.partition("=")[0]
    group, leaf = key.partition(".")[0], key.rpartition(".")[2]
    adds = (
        (group == "space" and leaf in KEYS - {"low", "high"})
        or group == "acknowledge"
        or group == "names"
        or key.startswith(("goal.scientific", "goal.fixed", "policy.", "workload.names"))
    )
    return f"{_ADD}{override}" if adds else override


def as_said(override: str) -> str:
    """The override without the mark that `opened` put there, so that it is opened again wherever it is used."""
    bare = override.removeprefix(_ADD)
    return bare if opened(bare) == override else override


def in_the_clear(overrides: Sequence[str]) -> Iterator[str]:
    """The secrets that stand in overrides as they were typed."""
    for override in overrides:
        key, _, value = override.partition("=")
        if not key.lstrip("+").startswith(_HYPERPARAMETERS):
            yield from secrets_in({key.rpartition(".")[2]: value.strip("'\"")})


def as_stored(override: str, secrets: Secrets) -> str:
    """The override as it may be printed and stored; a secret in it becomes `***`, which no round takes for a value."""
    key, equals, value = override.partition("=")
    bare = key.lstrip("+")
    if bare.startswith(_HYPERPARAMETERS):
        return override
    if is_secret_name(key.rpartition(".")[2]) and value and not value.lstrip("'\"").startswith("${"):
        return f"{key}{equals}{LEFT_OUT}"
    clean = without_said(value) if bare.startswith(_FREE) else without_passwords(value)
    return secrets.redacted(f"{key}{equals}{clean}")


def refuse_open_secrets(overrides: Sequence[str], secrets: Secrets) -> None:
    """Prefect stores what a flow was started with, and shows it: no secret may stand in an override there.

    Raises:
        InputError: which override has one, and how to give it instead.
    """
    for override in overrides:
        if as_stored(override, secrets) != override:
            key = override.partition("=")[0]
            raise InputError(
                f"{key}: holds a secret, and Prefect would store it with the run; keep it in an environment variable "
                f"and write '{key}=${{oc.env:NAME}}', or say orchestrate=off."
            )
