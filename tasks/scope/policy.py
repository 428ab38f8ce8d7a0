"""`Policy`: every threshold that a guard, a check or the gate uses, in one flat mapping."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field

from tasks.record import Frozen

Price = Annotated[float, Field(ge=0)]
Declared = TypeVar("Declared", bound=Frozen)


class Policy(Frozen):
    """Thresholds. Fractions are of the sampled range, of trials or of steps, between 0 and 1.

    The fields are those of the guards, of the gate and of what several rooms use; where each number comes from stands
    beside it in `conf/policy/default.yaml`. A check of `analyze` declares its own thresholds, with their defaults,
    bounds and sources, as a frozen type; those are extra keys here, and `of` reads them.
    """

    model_config = ConfigDict(extra="allow")

    # guards
    nuisance_trials: int = Field(ge=1)  # trials a study per nuisance parameter before C4 warns
    adam_trials_beta1: int = Field(ge=1)  # D10: below this many trials tune the learning rate alone
    adam_trials_epsilon: int = Field(ge=1)  # D10: from here epsilon too
    adam_trials_beta2: int = Field(ge=1)  # D10: from here beta2 too
    log_ratio: float = Field(gt=1)  # D11: a positive range wider than this ratio belongs on a log scale
    width_ratio: float = Field(gt=1)  # D9: compared ranges may differ in width by this factor at most
    count_ratio: float = Field(default=1.5, ge=1)  # D9: compared arms may differ in trials by this factor at most
    joint_values: int = Field(ge=2)  # D3: more scientific values than this share one joint study
    # several rounds
    saturation_rounds: int = Field(ge=2)  # B7: so many rounds in a row without a gain beyond noise
    # the gate
    error_rate: float = Field(gt=0, lt=0.5)  # G4: chance of promoting a change that does nothing
    minimum_gain: float = Field(ge=0)  # in the metric's unit
    price: dict[str, Price | dict[str, Price]] = {}  # G5: what complexity costs, by hyperparameter or reported metric
    patience: float = Field(default=0.456, ge=0, le=3)  # G4: how far z may lag before a finalist is dropped
    smooth_evaluations: int = Field(default=3, ge=1)  # E12: a retrain counts by the best mean of so many evaluations

    def of(self, thresholds: type[Declared]) -> Declared:
        """The thresholds that a check declared, at the values of this policy, or at their defaults."""
        return thresholds.model_validate({n: v for n, v in self._extra.items() if n in thresholds.model_fields})

    @property
    def _extra(self) -> Mapping[str, Any]:
        return self.__pydantic_extra__ or {}
