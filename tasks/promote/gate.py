"""The gate: from the losses of fresh retrains to promote, keep, undecided, or more retrains of these arms.

Three questions share the retrains. Is a finalist better than the incumbent, is it better than the retuned baseline
(the answer to the question), is the baseline better than the incumbent? A change is adopted only on two yeses; where
only the baseline beats the incumbent, the baseline is promoted. Several finalists race: each is asked the same, those
that fall behind are dropped, and of those that pass at one look the one with the best mean is promoted. Each question
is a sequential test of its own (`boundaries`, `comparison`), and the error rate is split between all that may promote.

The gate is pure and has no memory: it replays every look from the losses, so it can be asked again after every
retrain, in any order, and after an interruption. Its error rate is that of one round. It does not hold for a
candidate that is at once noisier than the others and has a long tail of bad luck (one that is unstable now and
then): see docs/benchmarks.md. After an early stop the gain itself is overstated on average; its band stays valid.

Retrains of the incumbent that are kept from earlier rounds were there when it was promoted, or kept: they look better
than it is, if anything, and so they make a promotion harder, never easier.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from tasks.promote.comparison import BASELINE, FINALIST, INCUMBENT, ArmName, Comparison, is_finalist, look_at
from tasks.promote.decision import FALL_BACK, Arms, Asked, Decision, Pair, adopted, count_infeasible, decided
from tasks.promote.stopping import FIRST, QUICK, look_sizes, standing, stopping_bounds
from tasks.promote.ungated.deterministic import deterministic_decision

# The share of the error rate that a comparison may spend on normal losses of equal SD. Below 1 because t at 3 retrains
# and an SD ratio of 3 add up to a fifth; of several finalists each has less, and all the less the better the
# incumbent is known, since they then have no bad luck of its in common. Measured: docs/benchmarks.md.
ALONE = 0.8
CROWD, CROWD_KEPT = 1.06, 0.56
# With a baseline two may be promoted by luck: with a noisy finalist the two lucks hardly overlap.
BESIDE_BASELINE, OF_BASELINE = 0.93, 0.42
# Against an incumbent that is known a noisy finalist's luck lies in its first looks, and a smaller budget spends more
# there: up to 11 retrains so much less is spent, from 16 on (of a more patient gate, so much later) all.
EARLY, TIGHT, AMPLE = 0.8, 11, 16


def gate(
    losses: Mapping[ArmName, Sequence[float | None]],
    *,
    minimum_gain: float,
    error_rate: float,
    budget: int,
    shared: Mapping[ArmName, ArmName] | None = None,
    kept: Sequence[float] = (),
    price: Mapping[ArmName, float] | None = None,
    patience: float = QUICK,
    labels: Mapping[ArmName, str] | None = None,
    deterministic: bool = False,
) -> Decision:
    """The decision that the retrains so far allow.

    `losses`: by arm and in the order of the replicates, lower is better; None or NaN is an infeasible retrain, and
    an arm that has one takes part in no comparison: it is never promoted and nothing is promoted over it.
    `minimum_gain`: in the metric's unit; only a larger gain counts. `error_rate`: the chance that equal arms end in
    a promotion, at most. `budget`: fresh retrains an arm, at most. `shared`: arms that are the same configuration as
    another and have no retrains of their own. `kept`: losses of the incumbent from earlier rounds that count.
    `price`: what an arm's complexity costs, in the metric's unit: a candidate must gain that much more than the
    minimum, and one whose simplicity is worth the minimum or more may lose as much as it is worth.
    `patience`: see `stopping_bounds`. `labels`: what tells the arms apart in the reasons, `{"finalist": "width = 64"}`.
    `deterministic`: the workload has no noise, so one loss an arm is compared and nothing is repeated.

    Playbook: G2, G3, G4, G5
    """
    own = dict(shared or {})
    arms = {name: _known(losses.get(own.get(name, name), ())) for name in losses}
    arms = {name: (*kept, *values) if own.get(name, name) == INCUMBENT else values for name, values in arms.items()}
    margins = _margins(arms, own, minimum_gain, price or {})
    if deterministic:
        return deterministic_decision(arms, margins, own, len(kept), minimum_gain, labels or {})
    at = look_sizes(budget, len(kept))
    warm = {pair: _warm(pair, own, len(kept)) for pair in margins}
    asked = _comparisons(margins, arms, error_rate, at, warm, patience) if budget > 1 else {}
    needs: dict[ArmName, int] = {}
    for i, n in enumerate(at):
        needs = _needs(asked, arms, own, n)
        if needs:
            break
        asked |= {pair: _looked(asked[pair], arms, i, warm[pair]) for pair in _open(asked)}
    return decided(asked, arms, needs, len(kept), error_rate, minimum_gain, budget, labels or {})


def _known(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(math.nan if v is None else float(v) for v in values)


def _margins(
    arms: Arms, own: Mapping[ArmName, ArmName], minimum_gain: float, price: Mapping[ArmName, float]
) -> dict[Pair, float]:
    """What must be gained, by the pairs that can be asked: both arms are there, and are not one configuration.

    A simpler candidate is let off the minimum gain by as much as its simplicity is worth, and no more: a measured price
    differs between two runs of one configuration, and so slight a difference must not change what is asked.
    """
    found = {}
    for name in filter(is_finalist, arms):
        for other in (INCUMBENT, BASELINE):
            found[name, other] = 0.0
    found[FALL_BACK] = 0.0
    pairs = [(a, b) for a, b in found if a in arms and b in arms and own.get(a, a) != own.get(b, b)]
    dearer = {(a, b): price.get(a, 0.0) - price.get(b, 0.0) for a, b in pairs}
    return {pair: more + max(0.0, minimum_gain + min(0.0, more)) for pair, more in dearer.items()}


def _comparisons(
    margins: Mapping[Pair, float],
    arms: Arms,
    error_rate: float,
    at: tuple[int, ...],
    warm: Mapping[Pair, tuple[int, int]],
    patience: float,
) -> dict[Pair, Comparison]:
    """Every comparison before its first look, with the share of the error rate that is its own."""
    racing = len({a for a, b in margins if is_finalist(a) and b == INCUMBENT})
    two_may_win = racing > 0 and FALL_BACK in margins
    found = {}
    for (a, b), margin in margins.items():
        known = warm[a, b][1]
        crowd = max(1, racing) ** (CROWD + CROWD_KEPT * standing(known))
        share = ALONE * (BESIDE_BASELINE if two_may_win else 1.0) / crowd if is_finalist(a) else OF_BASELINE
        rivals = max(0, racing - 1) if is_finalist(a) else 0
        share = share if is_finalist(a) or two_may_win else ALONE
        share *= _early(at[-1], patience) if known > FIRST else 1.0
        found[a, b] = Comparison(
            candidate=a,
            against=b,
            boundaries=stopping_bounds(at, error_rate * share, kept=known, rivals=rivals, patience=patience),
            margin=margin,
            void=count_infeasible(arms[a]) + count_infeasible(arms[b]) > 0,
        )
    return found


def _open(asked: Asked) -> Iterator[Pair]:
    """The comparisons whose outcome still matters, and for which retrains are therefore worth paying.

    The first finalist's against the baseline is the answer to the question, and is asked to its end; of a further
    finalist both are closed once it has lost one.
    """
    if adopted(asked):
        return
    for pair, comparison in asked.items():
        if comparison.state == "open" and not any(
            asked[other].state in ("not better", "void")
            for other in asked
            if is_finalist(pair[0]) and other[0] == pair[0] and pair != (FINALIST, BASELINE)
        ):
            yield pair


def _needs(asked: Asked, arms: Arms, own: Mapping[ArmName, ArmName], n: int) -> dict[ArmName, int]:
    """How many retrains each arm lacks for a look at `n`; arms that no open comparison needs lack none."""
    wanted = sorted({name for pair in _open(asked) for name in pair})
    return {own.get(name, name): n - len(arms[name]) for name in wanted if len(arms[name]) < n}


def _warm(pair: Pair, own: Mapping[ArmName, ArmName], kept: int) -> tuple[int, int]:
    """How many of each arm's retrains are kept ones: only the incumbent has any, under whatever name it goes."""
    first, second = (kept if own.get(name, name) == INCUMBENT else 0 for name in pair)
    return first, second


def _early(budget: int, patience: float) -> float:
    """The share of the error rate that is left to spend where the incumbent is known: see `EARLY`."""
    ample = budget / max(1.0, 1.0 + patience - QUICK)
    return EARLY + (1.0 - EARLY) * min(1.0, max(0.0, (ample - TIGHT) / (AMPLE - TIGHT)))


def _looked(comparison: Comparison, arms: Arms, i: int, warm: tuple[int, int]) -> Comparison:
    """The comparison after its look `i`; retrains beyond that look are not seen, but for those that were kept."""
    at, known = comparison.boundaries, warm[1]
    mine, theirs = arms[comparison.candidate], arms[comparison.against]
    n = at.looks[i]
    look = look_at(mine[:n], theirs[: max(n, known)], comparison.margin, at.upper[i], at.lower[i], paired=not any(warm))
    return comparison.model_copy(update={"looks": (*comparison.looks, look)})
