"""A study whose points depend on results: which trial comes next, and when it may be known."""

from collections.abc import Mapping

from tasks.design.samplers.sampler import Observation
from tasks.design.study import Planned, Study, sampler_for, suggested
from tasks.scope.goal import Objective
from tasks.scope.roles import Scope
from tasks.trials.trial import Trial


class AdaptiveStudy:
    """The trials of an adaptive study so far, in the order of their index.

    Suggestion k is made from the results of trials 0 to k - 1 - `scope.lag`, whatever runs side by side: which trial
    ends first leaves no trace. A point that was `stored` when it was suggested, before an interruption, is used again.
    """

    def __init__(self, scope: Scope, study: Study, stored: Mapping[int, Planned]) -> None:
        self._scope, self._study, self._stored = scope, study, stored
        self._sampler = sampler_for(scope, study)
        self._trials: list[Planned] = []
        self._over = False

    @property
    def study(self) -> Study:
        """The study with the trials that were suggested."""
        return self._study.model_copy(update={"trials": tuple(self._trials), "count": len(self._trials)})

    @property
    def left(self) -> int:
        """How many trials it may suggest yet."""
        return 0 if self._over else self._study.count - len(self._trials)

    def next(self, ended: Mapping[str, Trial]) -> Planned | None:
        """The next trial; None while a result is missing that it depends on, and when there is none left.

        Playbook: D16
        """
        index = len(self._trials)
        known = self._trials[: max(0, index - self._scope.lag)]
        if self._over or index == self._study.count or any(t.id not in ended for t in known):
            return None
        planned = self._stored.get(index) or self._suggested(index, len(known), ended)
        if planned is None:
            self._over = True
        else:
            self._trials.append(planned)
        return planned

    def _suggested(self, index: int, known: int, ended: Mapping[str, Trial]) -> Planned | None:
        history = [
            observed(planned, ended[planned.id] if i < known else None, self._scope.objective)
            for i, planned in enumerate(self._trials)
        ]
        points = self._sampler.suggest(1, history)
        return suggested(self._scope, self._study, points[0], index) if points else None


def observed(planned: Planned, trial: Trial | None, objective: Objective) -> Observation:
    """The trial as a sampler sees it; pending where its result is not to be known yet."""
    good = trial is not None and trial.feasible and trial.best_value is not None
    return Observation(
        point=planned.tried,
        value=objective.sign * (trial.best_value or 0.0) if trial is not None and good else None,
        infeasible=trial is not None and not good,
        pending=trial is None,
        metrics=_last(trial) if trial is not None else {},
        seconds_a_step=trial.seconds / trial.steps_done if trial is not None and trial.steps_done else None,
    )


def _last(trial: Trial) -> dict[str, float]:
    values = {name: trial.curve.of(name)[1] for name in trial.curve.metrics}
    return {name: float(found[-1]) for name, found in values.items() if len(found)}
