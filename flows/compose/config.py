"""`RoundConfig`: everything that a person sets for one round, as one frozen value; where `conf/` lies."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from tasks.scope.error import InputError
from tasks.scope.redaction import NONE, Secrets
from tasks.scope.scope import Asked
from tasks.tracking import Tracking
from tasks.trials.settings import Execution, RunnerSettings

CONF = Path(__file__).resolve().parents[2] / "conf"
TOP = ("workload", "space", "goal", "budget", "policy", "runner", "tracking")


class RoundConfig(Asked):
    """Everything that a person sets for one round, checked; `overrides` and `config_dir` are how they said it."""

    overrides: tuple[str, ...]
    config_dir: str | None
    runner: RunnerSettings
    tracking: Tracking
    keep: str | None = None
    adopt: bool = False
    approval: Literal["auto", "ask"] | None
    notes: str
    resume: str | None
    check: Literal["plan", "points", "trial", "resume"] | None
    orchestrate: Literal["prefect", "off"]
    secrets: Secrets = Field(default=NONE, exclude=True, repr=False)

    @model_serializer(mode="wrap")
    def _without_secrets(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is stored of a configuration has no secrets: they are in the values alone, which trials get."""
        tree: dict[str, Any] = dump(self)
        for part, names in (("workload", ("arguments", "test")), ("tracking", ("uri",))):
            if part in tree:
                tree[part] |= self.secrets.plain({name: tree[part][name] for name in names})
        return tree

    @field_validator("acknowledge")
    @classmethod
    def _in_writing(cls, value: dict[str, str]) -> dict[str, str]:
        return in_writing(value)

    @property
    def asks(self) -> bool:
        """Whether a person accepts a promotion: as they said, else as is usual for goals of this kind."""
        return (self.approval or self.goal.facts.approval) == "ask"

    @property
    def execution(self) -> Execution:
        """What each trial of the round needs besides its point."""
        return Execution(
            workload=self.workload,
            runner=self.runner,
            own=self.config_dir,
            secrets=self.secrets,
        )

    @property
    def root(self) -> Path:
        """The folder that holds ledger, records, MLflow's store and data of this round."""
        return Path(self.tracking.root)


def in_writing(acknowledged: Mapping[str, Any]) -> dict[str, str]:
    """The rows of findings that may stand, each with why.

    Raises:
        InputError: a row that the playbook does not have, or one without a reason in words.

    Playbook: E1
    """
    for row, why in acknowledged.items():
        if not re.fullmatch(r"[A-K]\d{1,2}", str(row)):
            raise InputError(
                f"acknowledge: {row!r} is no row of the playbook; write the row of the finding, such as E2."
            )
        if not isinstance(why, str) or not why.strip():
            raise InputError(f"acknowledge.{row}: without a reason it is not in writing; say why it may stand.")
    return dict(acknowledged)
