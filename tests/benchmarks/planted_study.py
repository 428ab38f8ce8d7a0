"""A scenario as a study: drawn, searched and trained, and what the checks say of it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tasks.analyze.checks import CHECKS, REVIEWS
from tasks.analyze.evidence import Evidence
from tasks.record import Finding, Point
from tasks.trials.trial import Trial
from tests.analyze.planted_curves import Floats, Metrics, Rng, planted_round, planted_trial
from tests.benchmarks.planted_land import Ground, ground, point_at, space_of, unit_of
from tests.benchmarks.planted_training import Curves, trained
from tests.benchmarks.scenarios import Scenario, Setting

STEP = 0.15  # ranges: how far from the best trial so far an adaptive search tries the next
POOR = 2 / 3  # effects for each hyperparameter: the best of 32 trials is nearer, most are farther off
Outcome = Callable[[Point, int, Rng], Metrics | None]


def heard(evidence: Evidence) -> tuple[set[str], set[str]]:
    """`(the rows that were asked, those of them that warn or fail)`; E2 and E3 together, H1 by what it says.

    Every check and every review of their findings, as in a round; what else an analysis does is left out.
    """
    found = tuple(f for check in CHECKS for f in check(evidence))
    for review in REVIEWS:
        found = review(evidence, found)
    asked = {name for f in found if f.level != "na" for name in _names(f)}
    return asked, {name for f in found for name in _names(f) if _speaks(f, name)}


def _names(f: Finding) -> tuple[str, ...]:
    return ("H1/bound", "H1/not") if f.row == "H1" else ("E2/E3",) if f.row in ("E2", "E3") else (f.row,)


def _speaks(f: Finding, name: str) -> bool:
    if f.row == "H1":
        return f.numbers.get("compute_bound") is (name == "H1/bound")
    return f.level in ("warn", "fail")


def evidence_of(scenario: Scenario, setting: Setting, seed: int) -> Evidence:
    """One study (two where values are compared) with the scenario's fault, all else drawn from the seed."""
    rng = np.random.default_rng([seed, setting.dimensions, setting.trials])
    common = ground(scenario.land, setting.dimensions, rng, _beside_a_trial(scenario, setting, rng, seed))
    first = common if scenario.first is None else ground(scenario.first, setting.dimensions, rng)
    outcome = partial(_outcome, scenario, setting, seed, (first, common))
    planned = _round(outcome, scenario, setting, seed)
    return _adapted(planned, outcome, setting, seed) if scenario.adaptive else planned


def _outcome(
    scenario: Scenario, setting: Setting, seed: int, grounds: tuple[Ground, Ground], point: Point, index: int, own: Rng
) -> Metrics | None:
    """The curves of one trial, None where it is infeasible; the second of two values is two effects worse."""
    second = scenario.compares is not None and point[scenario.compares[0]] == scenario.compares[1][1]
    here, u = grounds[second], unit_of(point, setting.dimensions)
    if here.diverges(u, own):
        return None
    curves: Curves = scenario.second if second and scenario.second is not None else scenario.curves
    away, shared = here.away(u) + 2.0 * second, np.random.default_rng([seed, 1])
    return trained(curves, away, setting.noise, own, shared, poor=POOR * setting.dimensions)


def _round(outcome: Outcome, scenario: Scenario, s: Setting, seed: int) -> Evidence:
    changes: dict[str, Any] = {"space": space_of(s.dimensions), "trials": s.trials, "seed": seed}
    if scenario.compares is not None:
        name, values = scenario.compares
        changes |= {"scientific": {name: list(values)}, "baseline": {name: values[0]}}
        if scenario.conditional:
            changes["space"] = {str(arm): space_of(s.dimensions, str(arm)) for arm in values}
    return planted_round(outcome, evaluations=scenario.curves.evaluations, **changes)


def _beside_a_trial(scenario: Scenario, setting: Setting, rng: Rng, seed: int) -> Floats | None:
    """For a needle the place of a trial that the search will visit: which ones it does is known from its seed."""
    if not scenario.land.needle:
        return None
    blank = _round(lambda p, i, r: {"valid_error": np.ones(20)}, scenario, setting, seed)
    return unit_of(blank.round.trials[int(rng.integers(setting.trials))].point, setting.dimensions)


def _adapted(evidence: Evidence, outcome: Outcome, setting: Setting, seed: int) -> Evidence:
    """The same study, searched by results: after a third of the trials each is tried near the best one so far."""
    (study,), rng = evidence.round.studies, np.random.default_rng([seed, 2])
    objective = evidence.round.scope.objective
    done: list[Trial] = []
    for i, planned in enumerate(study.trials):
        best = min((t for t in done if t.best_value is not None), key=_loss, default=None)
        if i >= len(study.trials) // 3 and best is not None:
            near = unit_of(best.planned.point, setting.dimensions) + STEP * rng.standard_normal(setting.dimensions)
            planned = planned.model_copy(update={"point": point_at(np.clip(near, 0.0, 1.0), {})})
        done.append(planted_trial(planned, outcome(planned.point, i, np.random.default_rng([seed, i])), objective))
    told = study.model_copy(update={"sampler": "tpe", "trials": tuple(t.planned for t in done)})
    return Evidence(round=evidence.round.model_copy(update={"studies": (told,)}), trials={t.id: t for t in done})


def _loss(trial: Trial) -> float:
    assert trial.best_value is not None
    return trial.best_value
