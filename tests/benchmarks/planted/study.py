"""A scenario as a study: drawn, searched and trained, and what the checks say of it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tasks.analyze.analysis import CHECKS, REVIEWS
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Point, Record
from tasks.report.across.lengths import same_order
from tasks.trials.trial import Trial
from tests.analyze.planted_curves import Floats, Metrics, Rng, planted_round, planted_trial
from tests.benchmarks.planted.land import Ground, ground, point_at, space_of, unit_of
from tests.benchmarks.planted.scenarios import SAYS_READY, Scenario, Setting
from tests.benchmarks.planted.training import Curves, guessing, trained
from tests.report.example_records import example

STEP = 0.15  # ranges: how far from the best trial so far an adaptive search tries the next
POOR = 2 / 3  # effects for each hyperparameter: the best of 32 trials is nearer, most are farther off
Outcome = Callable[[Point, int, Rng], Metrics | None]


# Rows that ask more than one thing: what is scored apart goes by the name of the check.
APART = {"new features": "B6/new", "features that do not help": "B6/drop", "validation set": "J8/size",
         "sampled validation set": "J8/part"}  # fmt: skip


def heard(scenario: Scenario, setting: Setting, seed: int) -> tuple[set[str], set[str]]:
    """`(the rows that were asked, those of them that fired)` of one study; E2 and E3 together, H1 by what it says.

    Every check and every review of their findings, as in a round; what else an analysis does is left out. Where the
    scenario has a longer round, what two rounds say together is asked too. Of rows that say that all is well `na` is
    an answer: not yet.
    """
    evidence = evidence_of(scenario, setting, seed)
    found = tuple(f for check in CHECKS for f in check.findings(evidence))
    for review in REVIEWS:
        found = review.findings(evidence, found)
    if scenario.longer is not None:
        found = (*found, same_order(*_lengths(evidence, scenario, setting, seed)))
    asked = {name for f in found if f.level != "na" or f.row in SAYS_READY for name in _names(f)}
    return asked, {name for f in found for name in _names(f) if _speaks(f, name)}


def _names(f: Finding) -> tuple[str, ...]:
    if f.row == "H1":
        return ("H1/bound", "H1/not")
    return ("E2/E3",) if f.row in ("E2", "E3") else (APART.get(f.check, f.row),)


def _speaks(f: Finding, name: str) -> bool:
    """Whether it warns or fails; B8 where it narrows a range, and G10 where it says that exploration is done."""
    if f.row == "H1":
        return f.reason == ("compute_bound" if name == "H1/bound" else "not_compute_bound")
    if f.row == "B8":
        return bool(f.remedy)
    return f.level == "ok" if f.row == "G10" else f.level in ("warn", "fail")


def evidence_of(scenario: Scenario, setting: Setting, seed: int) -> Evidence:
    """One study (two where values are compared) with the scenario's fault, all else drawn from the seed."""
    outcome = partial(_outcome, scenario, setting, seed, _grounds(scenario, setting, seed))
    planned = _round(outcome, scenario, setting, seed)
    return _adapted(planned, outcome, setting, seed) if scenario.adaptive else planned


def _grounds(scenario: Scenario, setting: Setting, seed: int) -> tuple[Ground, Ground]:
    """The grounds of the two values; one ground twice where nothing is compared, or both have the same."""
    rng = np.random.default_rng([seed, setting.dimensions, setting.trials])
    common = ground(scenario.land, setting.dimensions, rng, _beside_a_trial(scenario, setting, rng, seed))
    return common if scenario.first is None else ground(scenario.first, setting.dimensions, rng), common


def _outcome(
    scenario: Scenario, setting: Setting, seed: int, grounds: tuple[Ground, Ground], point: Point, index: int, own: Rng
) -> Metrics | None:
    """The curves of one trial, None where it is infeasible; the second of two values is `gap` effects worse."""
    second = scenario.compares is not None and point[scenario.compares[0]] == scenario.compares[1][1]
    here, u = grounds[second], unit_of(point, setting.dimensions)
    curves: Curves = scenario.second if second and scenario.second is not None else scenario.curves
    if here.diverges(u, own):
        return guessing(curves, setting.noise, own) if here.land.stuck else None
    shared = np.random.default_rng([seed, 1])
    away = here.away(u) + scenario.gap * second
    if scenario.lucky and index == setting.trials + seed % setting.trials:
        away = -scenario.lucky
    return trained(curves, away, setting.noise, own, shared, poor=POOR * setting.dimensions)


def _lengths(evidence: Evidence, scenario: Scenario, setting: Setting, seed: int) -> tuple[Record, Record]:
    """The round, and one of the same points for four times the steps, with luck of its own."""
    assert scenario.longer is not None
    ours, other = _grounds(scenario, setting, seed)
    moved = ours.moved(scenario.longer), other.moved(scenario.longer)
    objective = evidence.round.scope.objective
    again = []
    for i, t in enumerate(evidence.round.trials):
        luck = np.random.default_rng([seed, i, 1])
        again.append(planted_trial(t, _outcome(scenario, setting, seed, moved, t.point, i, luck), objective))
    steps = evidence.round.scope.budget.max_train_steps
    return _record([*evidence.trials.values()], steps), _record(again, 4 * steps)


def _record(trials: Sequence[Trial], steps: int) -> Record:
    told = {"trials": tuple(t.row() for t in trials), "budget": {"max_train_steps": steps}}
    return example("keep").model_copy(update=told)


def _round(outcome: Outcome, scenario: Scenario, s: Setting, seed: int) -> Evidence:
    changes: dict[str, Any] = {"space": space_of(s.dimensions), "trials": s.trials, "seed": seed, **scenario.asks}
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
