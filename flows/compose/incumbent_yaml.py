"""The promoted configuration as a YAML file: a view of the ledger that wrote it, which stands in it by its id."""

from collections.abc import Mapping
from pathlib import Path

from omegaconf import OmegaConf
from pydantic import ConfigDict, Field, field_validator

from flows.compose.errors import one_sentence
from flows.compose.sources import check_file
from tasks.files import write_atomically
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import Incumbent


class PromotedYaml(Incumbent):
    """What a YAML says is promoted; `ledger` is the id of the ledger that wrote it, None where a person did."""

    model_config = ConfigDict(title="incumbent")

    generation: int = Field(ge=0, lt=2**31)
    ledger: str | None = None

    @field_validator("ledger")
    @classmethod
    def _some(cls, value: str | None) -> str | None:
        return value or None


def write_incumbent(path: Path, incumbent: Incumbent, ledger: str, provenance: Mapping[str, Value]) -> None:
    """Write the promoted configuration as YAML, atomically: a one-file diff with its provenance on top.

    Playbook: G9
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f"# {key}: {' '.join(str(value).split())}\n" for key, value in provenance.items())
    tree = {
        "generation": incumbent.generation,
        "ledger": ledger,
        "source": incumbent.source,
        "point": dict(sorted(incumbent.point.items())),
        **({"settings": dict(sorted(incumbent.settings.items()))} if incumbent.settings else {}),
    }
    write_atomically(path, head + OmegaConf.to_yaml(OmegaConf.create(tree)))


def read_incumbent(path: Path) -> PromotedYaml | None:
    """The configuration that `path` promotes, or None where nothing was promoted yet."""
    if path.is_dir():
        raise InputError(f"incumbent/{path.name}: {path} is a folder; move it away.")
    if not path.exists():
        return None
    with one_sentence(f"incumbent/{path.name}: "):
        check_file(path.parent, path.name)
        return PromotedYaml.model_validate(OmegaConf.to_container(OmegaConf.load(path)))
