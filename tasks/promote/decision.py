"""The gate's decision with its numbers and reasons, from the comparisons as they stand."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from tasks.promote.comparison import BASELINE, FINALIST, INCUMBENT, ArmName, Comparison, is_finalist, mean
from tasks.promote.reasons import (
    Named,
    comparison_sentence,
    gate_answer,
    infeasible_sentence,
    kept_sentence,
    sum_sentence,
)
from tasks.record import Frozen
from tasks.verdict import Reason

Pair = tuple[ArmName, ArmName]
Arms = Mapping[ArmName, tuple[float, ...]]
Asked = Mapping[Pair, Comparison]

FALL_BACK: Pair = (BASELINE, INCUMBENT)


class Decision(Frozen):
    """What the gate says.

    `outcome`: promote `winner`, keep the incumbent, retrain (undecided, or evidence is missing: more retrains are
    another round's), or continue, with `needs`: how many more retrains of which arm before the next look.
    `lead`: the finalist that the answer speaks of; it is the winner where a finalist wins. `gain` and `band`: the
    winner (else the lead) over the incumbent, in the metric's unit. `answer_gain` and `answer_band`: the lead over the
    baseline; None without a baseline arm. `answer`: "yes", better by more than the minimum gain; "no", dropped
    because these retrains show no such gain; "open".
    Each end of a band misses the true gain in at most a share `error_rate` of rounds.
    `infeasible`: how many retrains of each arm gave no result. `kept`: how many of the incumbent's are of earlier
    rounds. `suggested_retrains`: a budget that may decide, where more retrains can.
    """

    outcome: Literal["promote", "keep", "retrain", "continue"]
    reason: Reason
    winner: ArmName | None
    lead: ArmName
    needs: dict[ArmName, int]
    gain: float | None
    band: tuple[float, float] | None
    answer: Literal["yes", "no", "open"]
    answer_gain: float | None
    answer_band: tuple[float, float] | None
    answer_sentence: str
    comparisons: tuple[Comparison, ...]
    infeasible: dict[ArmName, int]
    kept: int
    reasons: tuple[str, ...]
    error_rate: float
    minimum_gain: float
    suggested_retrains: int | None

    @property
    def answer_conclusive(self) -> bool:
        """Whether the question whether the finalist beats the baseline is settled either way."""
        return self.answer != "open"


def decided(
    asked: Asked,
    arms: Arms,
    needs: dict[ArmName, int],
    kept: int,
    error_rate: float,
    minimum_gain: float,
    budget: int,
    labels: Mapping[ArmName, str],
) -> Decision:
    """What the comparisons come to; `needs`: what the next look lacks, empty after the last."""
    winner = None if needs else _winner(asked, arms)
    outcome = "continue" if needs else "promote" if winner else "retrain" if _undecided(asked, arms) else "keep"
    lead = winner if winner and is_finalist(winner) else _lead(asked)
    gain, band = _gain(asked.get(FALL_BACK if winner == BASELINE else (lead, INCUMBENT)))
    answering = asked.get((lead, BASELINE))
    answer_gain, answer_band = _gain(answering)
    return Decision.model_validate(
        {
            "outcome": outcome,
            "reason": _reason(outcome, winner, asked, budget),
            "winner": winner,
            "lead": lead,
            "needs": needs,
            "gain": gain,
            "band": band,
            "answer": _answer(asked),
            "answer_gain": answer_gain,
            "answer_band": answer_band,
            "answer_sentence": gate_answer(answering),
            "comparisons": tuple(asked.values()),
            "infeasible": {name: count_infeasible(values) for name, values in arms.items()},
            "kept": kept,
            "reasons": _reasons(asked, arms, kept, budget, (winner, lead), Named(labels)),
            "error_rate": error_rate,
            "minimum_gain": minimum_gain,
            "suggested_retrains": _suggested(asked, budget) if outcome == "retrain" else None,
        }
    )


def count_infeasible(values: Sequence[float]) -> int:
    """How many retrains gave no finite loss."""
    return sum(not math.isfinite(v) for v in values)


def adopted(asked: Asked) -> list[ArmName]:
    """The finalists that beat the incumbent and, where there is one, the baseline."""
    racing = [a for a, b in asked if is_finalist(a) and b == INCUMBENT]
    return [a for a in racing if all(asked[a, b].state == "better" for b in (INCUMBENT, BASELINE) if (a, b) in asked)]


def _winner(asked: Asked, arms: Arms) -> ArmName | None:
    """Of the adopted finalists the one with the best mean beside its margin; else the baseline over the incumbent.

    The margin is the price here: what else is in it is the minimum gain, as far as simplicity does not waive it.
    """
    passed = adopted(asked)
    if passed:
        beside = {a: asked[a, INCUMBENT] for a in passed}
        return min(passed, key=lambda name: mean(arms[name][: beside[name].last.retrains]) + beside[name].margin)
    return BASELINE if FALL_BACK in asked and asked[FALL_BACK].state == "better" else None


def _lead(asked: Asked) -> ArmName:
    """The finalist that the answer speaks of: the one that is furthest ahead of the baseline, or of the incumbent."""
    for other in (BASELINE, INCUMBENT):
        ahead = {a: c.last.z for (a, b), c in asked.items() if is_finalist(a) and b == other and c.looks and not c.void}
        if ahead:
            return max(ahead, key=lambda name: ahead[name])
    return FINALIST


def _undecided(asked: Asked, arms: Arms) -> bool:
    """Whether some arm might yet be promoted by more, or by sound, retrains of the same arms."""
    if not asked:
        return True
    sound = {name for name, values in arms.items() if not count_infeasible(values)}
    roads = [((a, INCUMBENT), (a, BASELINE)) for a, b in asked if is_finalist(a) and b == INCUMBENT]
    return any(
        road[0] in asked and road[0][0] in sound and all(asked[p].state != "not better" for p in road if p in asked)
        for road in (*roads, (FALL_BACK,))
    )


def _reason(outcome: str, winner: ArmName | None, asked: Asked, budget: int) -> Reason:
    """The code of what the comparisons come to."""
    if outcome == "promote":
        return "baseline_better" if winner == BASELINE else "better"
    if budget < 2:
        return "too_few_retrains"
    if not asked:
        return "no_other_candidate"
    states = {c.state for c in asked.values()}
    if outcome == "keep":
        racing = {c.state for (a, _), c in asked.items() if is_finalist(a)} or states
        return "no_sound_retrains" if racing == {"void"} else "no_gain"
    return "undecided" if outcome == "continue" or "undecided" in states else "no_sound_retrains"


def _answer(asked: Asked) -> str:
    """Yes where any finalist beats the baseline, no where each was dropped, else open."""
    states = {c.state for (_, b), c in asked.items() if b == BASELINE}
    if "better" in states:
        return "yes"
    lost = {a for (a, _), c in asked.items() if c.state == "not better"}
    answering = [(a, c.state) for (a, b), c in asked.items() if b == BASELINE]
    dropped = all(state == "not better" or (a != FINALIST and a in lost) for a, state in answering)
    return "no" if answering and dropped else "open"


def _gain(comparison: Comparison | None) -> tuple[float | None, tuple[float, float] | None]:
    if comparison is None or not comparison.looks or comparison.void:
        return None, None
    return comparison.last.gain, (comparison.last.low, comparison.last.high)


def _suggested(asked: Asked, budget: int) -> int | None:
    """The budget at which each undecided z would reach its boundary, were the gains as they seem; at most fourfold."""
    ratios = [c.last.upper / max(c.last.z, c.last.upper / 2) for c in asked.values() if c.state == "undecided"]
    return max(budget + 2, round(budget * max(ratios) ** 2)) if ratios else None


def _reasons(
    asked: Asked, arms: Arms, kept: int, budget: int, first: tuple[ArmName | None, ArmName], named: Named
) -> tuple[str, ...]:
    """In sentences: of the winner first, else of what is not decided; then of the lead. A short report shows no more.

    Each arm has its label where it is mentioned first.
    """
    if budget < 2:
        return (
            "One retrain an arm shows no noise, so a gain cannot be told from luck: give budget.retrains 2 or more.",
        )
    if not asked:
        return ("There is no feasible candidate other than the incumbent itself.",)
    broken = tuple(
        infeasible_sentence(name, count_infeasible(values), len(values), named)
        for name, values in sorted(arms.items())
        if count_infeasible(values)
    )

    def rank(c: Comparison) -> tuple[bool, int]:
        decided = first[0] is not None or c.state != "undecided"
        return decided, first.index(c.candidate) if c.candidate in first else len(first)

    order = sorted(asked.values(), key=rank)
    sound = [c for c in order if c.looks and not c.void]
    told = tuple(comparison_sentence(c, named) for c in sound)
    sums = sum_sentence((c.candidate, c.against, c.last.retrains, c.last.against) for c in sound)
    told = (*told[:-1], f"{told[-1]} {sums}") if sums else told
    return (*broken, *told, *([kept_sentence(kept, named)] if kept else []))
