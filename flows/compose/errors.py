"""Errors of Hydra, OmegaConf, YAML and pydantic become one `InputError`, without secrets."""

from collections.abc import Iterator, Set
from contextlib import contextmanager

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from yaml import YAMLError  # type: ignore[import-untyped]

from flows.compose.messages import plain_sentence, validation_sentence
from tasks.scope.error import InputError
from tasks.scope.redaction import NONE, Secrets


@contextmanager
def one_sentence(prefix: str = "", said: Secrets = NONE, noted: Set[str] = frozenset()) -> Iterator[None]:
    """Whatever Hydra, OmegaConf, YAML or our types have against the input, as one sentence without secrets.

    `noted`: those that were noted by then.
    """
    try:
        yield
    except InputError as error:
        raise InputError((said | noted).redacted(prefix + str(error))) from None  # the cause may quote a secret
    except (ValidationError, HydraException, OmegaConfBaseException, YAMLError) as error:
        sentence = validation_sentence(error) if isinstance(error, ValidationError) else plain_sentence(error)
        raise InputError((said | noted).redacted(prefix + sentence)) from None
    except (KeyError, AttributeError, TypeError, ValueError, RecursionError) as error:
        what = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise InputError(
            f"{prefix}the configuration lacks a part, or a part has another shape than it needs "
            f"({(said | noted).redacted(what)}); compare with --cfg job."
        ) from None
