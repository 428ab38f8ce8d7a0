"""What the gate found, in plain sentences with their numbers."""

from tasks.promote.comparison import ArmName, Comparison
from tasks.scope.roles import show


def comparison_sentence(comparison: Comparison, minimum_gain: float) -> str:
    """What one comparison says after its last look; `comparison` has at least one."""
    look = comparison.last
    pair = f"the {comparison.candidate} over the {comparison.against}"
    numbers = (
        f"gain {show(look.gain)}, band {show(look.low)} to {show(look.high)}, "
        f"SDs {show(look.sd_candidate)} and {show(look.sd_against)}, {look.retrains} retrains each"
    )
    if comparison.state == "better":
        told = f"more than {_bar(minimum_gain)}: z {show(look.z)} reached {show(look.upper)}"
    elif comparison.state == "not better":
        told = f"no more than {_bar(minimum_gain)} as far as these show: z {show(look.z)} is below {show(look.lower)}"
    else:
        when = "after the last retrain" if comparison.state == "undecided" else "so far"
        told = f"not told from luck {when}: z {show(look.z)} lies between {show(look.lower)} and {show(look.upper)}"
    return f"{pair.capitalize()}: {numbers}; {told}."


def answer_sentence(comparison: Comparison | None, minimum_gain: float) -> str:
    """The answer of an `improve` round in words; empty where the finalist met no baseline arm."""
    if comparison is None:
        return ""
    if comparison.void or not comparison.looks:
        return "Not conclusive: the finalist and the baseline have no sound retrains to compare."
    look = comparison.last
    band = f"gain {show(look.gain)}, band {show(look.low)} to {show(look.high)}"
    if comparison.state == "better":
        return f"Yes: the change is better than the retuned baseline by more than {_bar(minimum_gain)} ({band})."
    if comparison.state == "not better":
        return f"No: these retrains show no gain of more than {_bar(minimum_gain)} over the retuned baseline ({band})."
    return f"Not conclusive: a gain over the retuned baseline is not told from luck ({band})."


def infeasible_sentence(arm: ArmName, infeasible: int, retrains: int) -> str:
    """Why an arm is out."""
    consequence = "nothing is promoted over it" if arm == "incumbent" else "it is not promoted"
    return f"The {arm}: {infeasible} of {retrains} fresh retrains gave no result, so {consequence}."


def _bar(minimum_gain: float) -> str:
    return f"the minimum gain {show(minimum_gain)}" if minimum_gain else "zero"
