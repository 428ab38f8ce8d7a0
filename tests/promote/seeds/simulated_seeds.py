"""Rounds of programs that use their seed, ignore it, or use it half: raced to their end without a process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tasks.analyze.analysis import Analysis, analyze
from tasks.analyze.answers.improve import best_change
from tasks.analyze.study.evidence import Evidence
from tasks.design.study import Planned
from tasks.promote.conclude import Conclusion
from tasks.promote.race import promote_config
from tasks.record import hash_of
from tasks.trials.trial import Curve, Trial, ended
from tests.promote.planted_rounds import NOISE, Alone, searched

Draw = Callable[[Planned], int]
"""The seed that the program really takes."""
Report = Callable[[float, np.random.Generator], Mapping[str, Sequence[float]]]
"""What a program reports of its true error, with luck: a value an evaluation by metric."""


def uses(planned: Planned) -> int:
    """The trial's own seed, as it should be."""
    return planned.seed


def fixed(planned: Planned) -> int:
    """One seed for all."""
    return 0


def cached(planned: Planned) -> int:
    """The point: whoever trained there first left the result for all."""
    return int(hash_of(planned.point, 8), 16)


def halved(planned: Planned) -> int:
    """Every second replicate repeats the one before."""
    return planned.index // 2 if planned.purpose == "retrain" else planned.seed


def one_fine(error: float, luck: np.random.Generator, *, noise: float = NOISE) -> dict[str, list[float]]:
    """One evaluation with all digits."""
    return {"loss": [error + luck.normal(0, noise)]}


def coarse_and_fine(error: float, luck: np.random.Generator) -> dict[str, list[float]]:
    """Ten evaluations: a share of 50 examples, a training loss with all digits, and a clock."""
    return {
        "loss": [*np.linspace(0.5, 0.3, 9), luck.binomial(50, min(max(error, 0), 1)) / 50],
        "train_loss": list(luck.normal(0.2, 0.02, 10)),
        "seconds": list(np.random.default_rng().uniform(0, 1, 10)),
    }


def few_examples(error: float, luck: np.random.Generator) -> dict[str, list[float]]:
    """One evaluation: a share of 20 examples."""
    return {"loss": [luck.binomial(20, min(max(error, 0), 1)) / 20]}


def few_often(error: float, luck: np.random.Generator) -> dict[str, list[float]]:
    """Ten evaluations of it, which fall: late ones are often equal."""
    return {"loss": [luck.binomial(20, min(max(e, 0), 1)) / 20 for e in np.linspace(0.9, error, 10)]}


def at_the_ceiling(error: float, luck: np.random.Generator) -> dict[str, list[float]]:
    """One evaluation that finds no mistake at all, nearly always."""
    return {"loss": [luck.binomial(20, 0.002) / 20]}


def collapsed(error: float, luck: np.random.Generator) -> dict[str, list[float]]:
    """A network that is dead on every seed: the loss of a guesser, with all its digits."""
    return {"loss": [float(np.log(10))] * 10}


def rounded(error: float, luck: np.random.Generator) -> dict[str, list[float]]:
    """Ten evaluations, printed with three decimals."""
    return {"loss": [round(float(v), 3) for v in luck.normal(0, NOISE, 10) + np.linspace(0.9, error, 10)]}


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """How a round ended: whether something was promoted, and whether the seed was said to be ignored."""

    promoted: bool
    accused: bool
    withheld: bool
    retrains: int


@cache
def _searched() -> tuple[Evidence, Analysis]:
    evidence, _ = searched(0, -3.0)
    return evidence, analyze(evidence, best_change)


def raced(draw: Draw, report: Report, *, gain: float, seed: int, stays: float = 0.0) -> Simulated:
    """One round in which the finalist's true error is `gain` retrain SDs lower than that of the other arms.

    `stays`: the share of the noise's variance that is a point's own, whatever the seed.
    """
    conclusion = conclusion_of(draw, report, gain=gain, seed=seed, stays=stays)
    reasons = {f.reason for f in conclusion.findings}
    return Simulated(
        promoted=conclusion.promoted is not None,
        accused="seed_ignored" in reasons,
        withheld="no_noise_seen" in reasons,
        retrains=len(conclusion.retrains),
    )


def conclusion_of(
    draw: Draw, report: Report, *, gain: float, seed: int, deterministic: bool = False, stays: float = 0.0
) -> Conclusion:
    """The whole conclusion of such a round."""
    evidence, analysis = _searched()
    scope = evidence.round.scope.model_copy(update={"seed": seed, "deterministic": deterministic})

    def run(planned: Planned) -> Trial:
        error = 0.2 - (gain * NOISE if planned.point.get("regularizer") == "dropout" else 0.0)
        error += 0.01 * NOISE * (cached(planned) / 16**8)  # no two points give the same number
        error += np.sqrt(stays) * np.random.default_rng([seed, cached(planned), 1]).normal(0, NOISE)
        luck = np.random.default_rng([seed, draw(planned)])
        metrics = report(error, luck)
        count = len(metrics["loss"])
        curve = Curve(
            steps=np.arange(1, count + 1), metrics={name: np.array(values) for name, values in metrics.items()}
        )
        return ended(planned, curve, scope.objective)

    trials = {t.id: run(t.planned.model_copy(update={"seed": t.planned.seed + seed})) for t in evidence.trials.values()}
    whole = Evidence(round=evidence.round.model_copy(update={"scope": scope}), trials=trials)
    return promote_config(whole, analysis, lambda plans: {p.id: run(p) for p in plans}, Alone(), lambda _: "")
