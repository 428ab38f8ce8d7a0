"""`Evidence`: what every check is given, the studies with their trials as losses and unit-cube coordinates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tasks.design.cube import coordinates
from tasks.design.study import Round, Study, derived_seed
from tasks.record import Purpose
from tasks.scope.goal import Objective
from tasks.scope.policy import Policy
from tasks.trials.trial import Trial

Told = TypeVar("Told")


@dataclass(frozen=True, kw_only=True)
class StudyEvidence:
    """One study and its trials, in the order of the study's points.

    Losses are the objective times its sign: lower is better whatever the direction.
    """

    study: Study
    trials: tuple[Trial, ...]
    objective: Objective
    policy: Policy
    max_train_steps: int

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """(trials,) float64: the best loss over training of each trial, NaN where it is not feasible (E8, E12)."""
        values = [t.best_value if t.feasible and t.best_value is not None else np.nan for t in self.trials]
        return self.objective.sign * np.array(values, dtype=np.float64)

    @cached_property
    def feasible(self) -> NDArray[np.bool_]:
        """(trials,) bool."""
        return np.isfinite(self.losses)

    @cached_property
    def unit(self) -> NDArray[np.float64]:
        """(trials, parameters) float64: coordinates in the sampled scale, NaN where a parameter does not exist."""
        return coordinates(self.study.space, tuple(t.planned.tried for t in self.trials))

    @cached_property
    def drawn(self) -> "StudyEvidence":
        """The study without the trials that are kept beside the drawn ones.

        Those that were drawn fill the space evenly; the kept ones lie where it and an earlier one overlap.
        """
        if not self.study.beside:
            return self
        trials = self.study.trials[: -self.study.beside]
        study = self.study.model_copy(update={"trials": trials, "count": len(trials), "beside": 0})
        return replace(self, study=study, trials=self.trials[: len(trials)])

    @cached_property
    def best(self) -> Trial | None:
        """The best feasible trial; of equals the one first in the sequence; None where none is feasible."""
        return self.trials[int(np.nanargmin(self.losses))] if self.feasible.any() else None

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator that depends on the study and the purpose alone."""
        return np.random.default_rng(derived_seed(self.study.seed, self.study.id, purpose))


def once(ask: Callable[[StudyEvidence], Told]) -> Callable[[StudyEvidence], Told]:
    """The function, computed once for each study and kept with it: several checks ask the same of one study."""
    name = f"{ask.__module__}.{ask.__qualname__}"

    @wraps(ask)
    def asked(study: StudyEvidence) -> Told:
        kept = vars(study)  # where cached properties are kept too
        if name not in kept:
            kept[name] = ask(study)
        return cast(Told, kept[name])

    return asked


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A round and what came of its trials, retrains apart, by id.

    `at_once`: how many trials ran side by side on average, of trials that ran elsewhere; None where nobody knows.
    """

    round: Round
    trials: Mapping[str, Trial]
    at_once: float | None = None

    @cached_property
    def studies(self) -> tuple[StudyEvidence, ...]:
        """The studies in order, each with its trials in the order of its points."""
        scope = self.round.scope
        return tuple(
            StudyEvidence(
                study=study,
                trials=tuple(self.trials[p.id] for p in study.trials),
                objective=scope.objective,
                policy=scope.policy,
                max_train_steps=scope.budget.max_train_steps,
            )
            for study in self.round.studies
        )

    def reading(self, purposes: frozenset[Purpose]) -> "Evidence":
        """The studies with a trial of one of these purposes, and their trials; what was measured of them is kept."""
        kept = tuple(s for s in self.studies if any(t.planned.purpose in purposes for t in s.trials))
        if len(kept) == len(self.studies):
            return self
        round = self.round.model_copy(update={"studies": tuple(s.study for s in kept)})
        ran = {t.planned.id: t for s in kept for t in s.trials}
        part = Evidence(round=round, trials=ran, at_once=self.at_once)
        vars(part)["studies"] = kept
        return part
