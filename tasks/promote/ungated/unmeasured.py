"""K4: a round without retrains. What it rests on instead of a gate, and what may be promoted on that, in writing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import stdtrit  # type: ignore[import-untyped]

from tasks.analyze.reviews.trial_variance import RETRAINS, cost_of_retrains
from tasks.answers import Answer, Compared
from tasks.promote.comparison import BASELINE, FINALIST, INCUMBENT, ArmName, mean, variance
from tasks.promote.price import price_of, unpriced
from tasks.promote.promotion import Promotion
from tasks.promote.retrains import Arm, judged, kept_retrains, settings_of
from tasks.scope.roles import Scope
from tasks.scope.space import same
from tasks.text import band_text, number, percent, plural
from tasks.trials.trial import Trial

ROW = "K4"
UNLUCKY = 0.05  # ours: the chance that luck goes beyond what is granted to it
NOT_MEASURED = (
    "Trial variance was not measured (K4): the budget has no retrains, so no error rate holds for what follows."
)
ACCEPTED = "It was accepted in writing (K4)."
IN_WRITING = 'Nothing is promoted on this unless somebody accepts it in writing: acknowledge={K4: "why"}.'


@dataclass(frozen=True, kw_only=True)
class Unmeasured:
    """What a round without retrains rests on, in sentences, and what it promotes: nothing but in writing."""

    reasons: tuple[str, ...]
    promotion: Promotion | None = None


@dataclass(frozen=True, kw_only=True)
class Yardstick:
    """The finalist's own trial against the incumbent's kept retrains: `gain` in the metric's unit, `sd` of those.

    `trials`: how many the finalist was picked from.
    """

    gain: float
    sd: float
    kept: int
    trials: int

    @property
    def luck(self) -> float:
        """What the best of so many trials would gain at most in 19 of 20 cases, were each of them like the incumbent.

        A prediction limit by Student's t for each of the trials, from the mean and SD of few retrains; that they are
        normal and equally noisy is taken for granted, which no retrain of the finalist has shown.
        """
        quantile = float(stdtrit(self.kept - 1, 1.0 - UNLUCKY / max(self.trials, 1)))
        return quantile * self.sd * math.sqrt(1.0 + 1.0 / self.kept)


def unmeasured(
    scope: Scope,
    searched: Mapping[str, Trial],
    answer: Answer,
    arms: Mapping[ArmName, Arm],
    earlier: Sequence[Trial],
) -> Unmeasured:
    """What a round without retrains comes to; `searched`: the trials of its searches, by id.

    Whoever finds trial variance too costly to measure still adopts what gets a better result than the baseline, by the
    best that is known. So a promotion is possible, in writing alone: the finalist must be ahead of the retuned
    baseline, where the goal has one, by more than the luck of both searches, the minimum gain and its price; and where
    retrains of the incumbent are kept from earlier rounds (G6), ahead of their mean by more than picking the best of
    its search explains. One of the two must be known. The trial that selected the finalist is the evidence here, which
    no gate would accept: that is what is said.

    Playbook: K4, G6
    """
    finalist = arms.get(FINALIST)
    if finalist is None:
        return Unmeasured(reasons=(NOT_MEASURED,))
    yardstick = _yardstick(scope, finalist, searched, arms[INCUMBENT], earlier)
    bars = [_bar(scope, finalist, arms.get(name)) for name in (BASELINE, INCUMBENT)]
    over_baseline = _over_baseline(scope, finalist, answer, bars[0])
    over_incumbent = None if yardstick is None else yardstick.gain > bars[1] + yardstick.luck
    known = [told for told in (over_baseline, over_incumbent) if told is not None]
    ready = bool(known) and all(known) and finalist.retrained_as != INCUMBENT
    accepted = ready and ROW in scope.acknowledged
    why = ACCEPTED if accepted else IN_WRITING if ready else _not_ready(over_baseline, over_incumbent)
    free = unpriced(scope.policy, finalist.point, arms[INCUMBENT].point) if ready else ()
    reasons = (NOT_MEASURED, _rests_on(answer), _measured_by(yardstick), why, _price(scope, searched), *free)
    promotion = Promotion(
        study=finalist.study,
        trial=finalist.trial,
        point=dict(finalist.point),
        settings=settings_of(scope, finalist),
        reasons=reasons,
        in_writing={ROW: scope.acknowledged[ROW]} if accepted else {},
    )
    return Unmeasured(reasons=reasons, promotion=promotion if accepted else None)


def _yardstick(
    scope: Scope, finalist: Arm, searched: Mapping[str, Trial], incumbent: Arm, earlier: Sequence[Trial]
) -> Yardstick | None:
    """None where fewer than two retrains of the incumbent are kept: one has no noise."""
    kept = [loss for t in kept_retrains(scope, incumbent.point, earlier) if (loss := judged(scope, t)) is not None]
    own = judged(scope, searched[finalist.trial])
    if len(kept) < 2 or own is None:
        return None
    rivals = sum(t.feasible for t in searched.values() if t.planned.study == finalist.study)
    return Yardstick(gain=mean(kept) - own, sd=math.sqrt(variance(kept)), kept=len(kept), trials=rivals)


def _bar(scope: Scope, finalist: Arm, other: Arm | None) -> float:
    """What the finalist must gain: the minimum, and what its complexity costs more; a reported metric has no price."""
    dearer = price_of(scope.policy, finalist.point, ()) - (price_of(scope.policy, other.point, ()) if other else 0.0)
    return scope.policy.minimum_gain + max(0.0, dearer)


def _over_baseline(scope: Scope, finalist: Arm, answer: Answer, bar: float) -> bool | None:
    """Whether the searches show that the finalist's value beats the baseline; None where the goal has no baseline."""
    if not scope.goal.facts.baseline or not isinstance(answer, Compared):
        return None
    if answer.value is None or answer.band is None or finalist.value is None or not same(answer.value, finalist.value):
        return False
    return answer.conclusive and answer.band[0] > bar


def _rests_on(answer: Answer) -> str:
    if not isinstance(answer, Compared) or answer.gain is None:
        return "It rests on the best trial of the search alone: nothing was compared."
    band = f"band {band_text(answer.band)}" if answer.band else "no band, for want of feasible trials"
    told = "more than the luck of the searches explains" if answer.conclusive else "not told from their luck"
    if answer.band and (answer.band[0] > 0 or answer.band[1] < 0) and not answer.conclusive:
        told = "but the trials of the one ahead scatter so much wider that more noise may be all"
    return f"It rests on the best trials of the searches: gain {number(answer.gain)}, {band}: {told}."


def _measured_by(yardstick: Yardstick | None) -> str:
    if yardstick is None:
        return "No two retrains of the incumbent are kept from earlier rounds (G6): there is no yardstick for noise."
    return (
        f"The finalist's own trial gains {number(yardstick.gain)} over {plural(yardstick.kept, 'kept retrain')} of the "
        f"incumbent (G6, SD {number(yardstick.sd)}); the best of {yardstick.trials} equal ones would gain up to "
        f"{number(yardstick.luck)} by luck."
    )


def _not_ready(over_baseline: bool | None, over_incumbent: bool | None) -> str:
    if over_baseline is None and over_incumbent is None:
        return "Nothing can be promoted on this, in writing either: neither baseline nor incumbent is known."
    short = "the retuned baseline" if over_baseline is False else "the incumbent"
    return f"Nothing can be promoted on this, in writing either: no gain over {short} is shown beyond luck."


def _price(scope: Scope, searched: Mapping[str, Trial]) -> str:
    runs, steps, share = cost_of_retrains(scope, sum(t.steps_done for t in searched.values()))
    return (
        f"To measure it, budget.retrains={RETRAINS} trains at most {plural(runs, 'trial')} more, {steps:,} steps "
        f"({percent(share)} of the search's)."
    )
