"""A workload without noise: one trial an arm is compared, and what it gains is its gain."""

from collections.abc import Mapping

from tasks.promote.comparison import Z_MAX, ArmName, Comparison, Look
from tasks.promote.decision import Arms, Decision, Pair, count_infeasible, decided
from tasks.promote.stopping import StoppingBounds

_DECIDES = 2  # retrains from which the decision takes a budget for one that can decide
ONCE = StoppingBounds(looks=(1,), upper=(0.0,), lower=(0.0,))


def deterministic_decision(
    arms: Arms,
    margins: Mapping[Pair, float],
    own: Mapping[ArmName, ArmName],
    kept: int,
    minimum_gain: float,
    labels: Mapping[ArmName, str],
) -> Decision:
    """The decision on one loss an arm: the better by more than the margin is better; there is no error rate.

    `arms`: the losses so far, lower is better; an arm without one is needed. `margins`: what must be gained, by pair.

    Playbook: G2, G5
    """
    needs = {own.get(name, name): 1 for pair in margins for name in pair if not arms[name]}
    asked = {} if needs else {(a, b): _compared(a, b, arms, margin) for (a, b), margin in margins.items()}
    decision = decided(asked, arms, needs, kept, 0.0, minimum_gain, _DECIDES, labels)
    return decision.model_copy(update={"band": None, "answer_band": None})


def _compared(candidate: ArmName, against: ArmName, arms: Arms, margin: float) -> Comparison:
    """One arm against another, by one loss each."""
    gain = arms[against][0] - arms[candidate][0]
    look = Look(
        retrains=1,
        against=1,
        gain=gain,
        low=gain,
        high=gain,
        z=Z_MAX if gain > margin else -Z_MAX,
        upper=0.0,
        lower=0.0,
        sd_candidate=0.0,
        sd_against=0.0,
        correlation=None,
    )
    void = count_infeasible(arms[candidate]) + count_infeasible(arms[against]) > 0
    looks = () if void else (look,)
    return Comparison(candidate=candidate, against=against, boundaries=ONCE, margin=margin, looks=looks, void=void)
