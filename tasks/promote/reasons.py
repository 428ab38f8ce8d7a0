"""The gate's reasons, one sentence for each comparison, with its numbers."""

from tasks.promote.comparison import INCUMBENT, ArmName, Comparison, Look
from tasks.text import show


def comparison_sentence(comparison: Comparison) -> str:
    """What one comparison says after its last look; `comparison` has at least one."""
    look = comparison.last
    pair = f"{_named(comparison.candidate)} over {_named(comparison.against)}"
    numbers = (
        f"gain {show(look.gain)}, band {show(look.low)} to {show(look.high)}, "
        f"SDs {show(look.sd_candidate)} and {show(look.sd_against)}, {_retrains(look)}"
    )
    if comparison.state == "better":
        told = f"more than {_bar(comparison)}: z {show(look.z)} reached {show(look.upper)}"
    elif comparison.state == "not better":
        told = f"no more than {_bar(comparison)} as far as these show: z {show(look.z)} is not above {show(look.lower)}"
    else:
        when = "after the last retrain" if comparison.state == "undecided" else "so far"
        told = f"not told from luck {when}: z {show(look.z)} lies between {show(look.lower)} and {show(look.upper)}"
    return f"{pair[0].upper()}{pair[1:]}: {numbers}; {told}."


def gate_answer(comparison: Comparison | None) -> str:
    """The answer of an `improve` round in words; empty where the finalist met no baseline arm."""
    if comparison is None:
        return ""
    if comparison.void or not comparison.looks:
        return "Not conclusive: the finalist and the baseline have no sound retrains to compare."
    look = comparison.last
    band = f"gain {show(look.gain)}, band {show(look.low)} to {show(look.high)}"
    if comparison.state == "better":
        return f"Yes: the change is better than the retuned baseline by more than {_bar(comparison)} ({band})."
    if comparison.state == "not better":
        return f"No: these retrains show no gain of more than {_bar(comparison)} over the retuned baseline ({band})."
    return f"Not conclusive: a gain over the retuned baseline is not told from luck ({band})."


def infeasible_sentence(arm: ArmName, infeasible: int, retrains: int) -> str:
    """Why an arm is out."""
    consequence = "nothing is promoted over it" if arm == INCUMBENT else "it is not promoted"
    name = _named(arm)
    return f"{name[0].upper()}{name[1:]}: {infeasible} of {retrains} fresh retrains gave no result, so {consequence}."


def kept_sentence(kept: int) -> str:
    """What part of the evidence on the incumbent is older than the round."""
    return f"{kept} retrains of the incumbent from earlier rounds count again: nothing that they ran on has changed."


def variances_sentence(
    candidate: ArmName, against: ArmName, look: Look, band: float | None, examples: float | None
) -> str:
    """The three variances of a result, none of which stands for another; None where one was not measured."""
    study = f"another search like these could move its best within a band {show(band)} wide" if band else "not measured"
    data = f"SD {show(examples)}" if examples else "not measured"
    own = f"SD {show(look.sd_candidate)} of {_named(candidate)} and {show(look.sd_against)} of {_named(against)}"
    return (
        f"Three kinds of luck, apart. Retrains of one configuration: {own}. The search: {study}. The choice of the "
        f"validation data: {data}; a test of significance on one validation set would show neither of the first two."
    )


def _named(arm: ArmName) -> str:
    """The arm as a sentence has it: `the incumbent`, `finalist 2`."""
    kind, _, place = arm.partition("-")
    return f"{kind} {place}" if place else f"the {kind}"


def _retrains(look: Look) -> str:
    if look.retrains == look.against:
        return f"{look.retrains} retrains each"
    return f"{look.retrains} and {look.against} retrains"


def _bar(comparison: Comparison) -> str:
    margin = comparison.margin
    if margin < 0:
        return f"{show(margin)}, which its simplicity is worth"
    return f"{show(margin)}, which it must gain at least" if margin else "zero"
