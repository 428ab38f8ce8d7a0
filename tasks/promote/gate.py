"""The gate: from the losses of fresh retrains to promote, keep, retrain, or "retrain these arms some more".

Three questions share the retrains. Is the finalist better than the incumbent, is it better than the retuned
baseline (the answer to the question), is the baseline better than the incumbent? The change is adopted only on
two yeses; where only the baseline beats the incumbent, the baseline is promoted. Each question is a sequential
test of its own (`boundaries`, `comparison`), and `SHARES` splits the error rate between the two promotions.

The gate is pure and has no memory: it replays every look from the losses, so it can be asked again after every
retrain, in any order, and after an interruption. Its error rate is that of one round. It does not hold for a
candidate that is at once noisier than the others and has a long tail of bad luck (one that is unstable now and
then): at three times the SD, 0.05 becomes 0.11 at a skewness of 1.4 and 0.15 at 3.3. After an early
stop the gain itself is overstated on average; its band stays valid.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from tasks.promote.boundaries import boundaries, looks
from tasks.promote.comparison import ArmName, Comparison, look_at
from tasks.promote.sentences import answer_sentence, comparison_sentence, infeasible_sentence
from tasks.record import Frozen, Value
from tasks.scope.goal import Kind

Pair = tuple[ArmName, ArmName]
Arms = Mapping[ArmName, tuple[float, ...]]
Asked = Mapping[Pair, Comparison]

ADOPT: Pair = ("finalist", "incumbent")
ANSWER: Pair = ("finalist", "baseline")
FALL_BACK: Pair = ("baseline", "incumbent")
NUMBERS = ("gain", "low", "high", "z", "upper", "lower", "sd_candidate", "sd_against", "correlation")
PAIRS: tuple[Pair, ...] = (ADOPT, ANSWER, FALL_BACK)

# The share of the error rate that a comparison may spend on normal losses of equal SD. Below 1 because t at 3 retrains
# and an SD ratio of 3 add up to a fifth, and because either candidate may be promoted by luck: with a noisy finalist
# the two lucks hardly overlap. Worst measured with normal losses, SD ratios up to 3 and 2 to 32 retrains: 0.050 where
# 0.05 is stated, 0.097 where 0.1 is, 0.011 where 0.01 is (tests/benchmarks/gate_calibration.py).
ALONE = 0.78
SHARES: Mapping[Pair, float] = {ADOPT: 0.74, ANSWER: 0.74, FALL_BACK: 0.42}


class Decision(Frozen):
    """What the gate says.

    `outcome`: promote `winner`, keep the incumbent, retrain (undecided, or evidence is missing: more retrains are
    another round's), or continue, with `needs`: how many more retrains of which arm before the next look.
    `gain` and `band`: the winner (else the finalist) over the incumbent, in the metric's unit. `answer_gain` and
    `answer_band`: the finalist over the baseline; None without a baseline arm. `answer`: "yes", better by more
    than the minimum gain; "no", dropped because these retrains show no such gain; "open".
    Each end of a band misses the true gain in at most a share `error_rate` of rounds.
    `noise`: every number behind it, flat, for the record. `suggested_retrains`: a budget that may decide, where
    more retrains can.
    """

    outcome: Literal["promote", "keep", "retrain", "continue"]
    winner: ArmName | None
    needs: dict[ArmName, int]
    gain: float | None
    band: tuple[float, float] | None
    answer: Literal["yes", "no", "open"]
    answer_gain: float | None
    answer_band: tuple[float, float] | None
    answer_sentence: str
    comparisons: tuple[Comparison, ...]
    noise: dict[str, Value | None]
    reasons: tuple[str, ...]
    error_rate: float
    minimum_gain: float
    suggested_retrains: int | None

    @property
    def answer_conclusive(self) -> bool:
        """Whether the question whether the finalist beats the baseline is settled either way."""
        return self.answer != "open"


def gate(
    losses: Mapping[ArmName, Sequence[float | None]],
    *,
    minimum_gain: float,
    error_rate: float,
    budget: int,
    kind: Kind,
    shared: Mapping[ArmName, ArmName] | None = None,
) -> Decision:
    """The decision that the retrains so far allow.

    `losses`: by arm and in the order of the replicates, lower is better; None or NaN is an infeasible retrain, and
    an arm that has one takes part in no comparison: it is never promoted and nothing is promoted over it.
    `minimum_gain`: in the metric's unit; only a larger gain counts. `error_rate`: the chance that equal arms end in
    a promotion, at most. `budget`: retrains an arm, at most. `shared`: arms that are the same configuration as
    another and have no retrains of their own.

    Playbook: G2, G3, G4
    """
    own = dict(shared or {})
    if kind != "improve":
        losses = {name: values for name, values in losses.items() if name != "baseline"}
    arms = {name: _known(losses.get(own.get(name, name), ())) for name in losses}
    asked = _comparisons(arms, own, error_rate, budget) if budget > 1 else {}
    needs: dict[ArmName, int] = {}
    for i, n in enumerate(looks(budget)):
        needs = _needs(asked, arms, own, n)
        if needs:
            break
        asked |= {pair: _looked(asked[pair], arms, i, minimum_gain) for pair in _open(asked)}
    return _decision(asked, arms, needs, minimum_gain, error_rate, budget)


def _known(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(math.nan if v is None else float(v) for v in values)


def _infeasible(values: Sequence[float]) -> int:
    """How many retrains gave no finite loss."""
    return sum(not math.isfinite(v) for v in values)


def _comparisons(arms: Arms, own: Mapping[ArmName, ArmName], error_rate: float, budget: int) -> dict[Pair, Comparison]:
    """The comparisons that can be asked: both arms are there, and are not one configuration."""
    pairs = [(a, b) for a, b in PAIRS if a in arms and b in arms and own.get(a, a) != own.get(b, b)]
    two_may_win = ADOPT in pairs and FALL_BACK in pairs
    return {
        (a, b): Comparison(
            candidate=a,
            against=b,
            boundaries=boundaries(budget, error_rate * (SHARES[a, b] if two_may_win else ALONE)),
            void=_infeasible(arms[a]) + _infeasible(arms[b]) > 0,
        )
        for a, b in pairs
    }


def _open(asked: Asked) -> Iterator[Pair]:
    """The comparisons whose outcome still matters, and for which retrains are therefore worth paying."""
    if _adopted(asked):
        return
    refused = ANSWER in asked and asked[ANSWER].state in ("not better", "void")
    for pair, comparison in asked.items():
        if comparison.state == "open" and not (pair == ADOPT and refused):
            yield pair


def _adopted(asked: Asked) -> bool:
    """Whether the finalist beats the incumbent and, where there is one, the baseline."""
    return ADOPT in asked and all(asked[p].state == "better" for p in (ADOPT, ANSWER) if p in asked)


def _needs(
    asked: Asked,
    arms: Arms,
    own: Mapping[ArmName, ArmName],
    n: int,
) -> dict[ArmName, int]:
    """How many retrains each arm lacks for a look at `n`; arms that no open comparison needs lack none."""
    wanted = sorted({name for pair in _open(asked) for name in pair})
    return {own.get(name, name): n - len(arms[name]) for name in wanted if len(arms[name]) < n}


def _looked(comparison: Comparison, arms: Arms, i: int, minimum_gain: float) -> Comparison:
    """The comparison after its look `i`; retrains beyond that look are not seen."""
    at = comparison.boundaries
    candidate, against = (arms[name][: at.looks[i]] for name in (comparison.candidate, comparison.against))
    look = look_at(candidate, against, minimum_gain, at.upper[i], at.lower[i])
    return comparison.model_copy(update={"looks": (*comparison.looks, look)})


def _decision(
    asked: Asked,
    arms: Arms,
    needs: dict[ArmName, int],
    minimum_gain: float,
    error_rate: float,
    budget: int,
) -> Decision:
    winner = None if needs else _winner(asked)
    outcome = "continue" if needs else "promote" if winner else "retrain" if _undecided(asked, arms) else "keep"
    over = asked.get(FALL_BACK if winner == "baseline" else ADOPT)
    gain, band = _gain(over)
    answer_gain, answer_band = _gain(asked.get(ANSWER))
    return Decision.model_validate(
        {
            "outcome": outcome,
            "winner": winner,
            "needs": needs,
            "gain": gain,
            "band": band,
            "answer": _answer(asked),
            "answer_gain": answer_gain,
            "answer_band": answer_band,
            "answer_sentence": answer_sentence(asked.get(ANSWER), minimum_gain),
            "comparisons": tuple(asked.values()),
            "noise": _noise(asked, arms) | {"minimum_gain": minimum_gain},
            "reasons": _reasons(asked, arms, minimum_gain, budget),
            "error_rate": error_rate,
            "minimum_gain": minimum_gain,
            "suggested_retrains": _suggested(asked, budget) if outcome == "retrain" else None,
        }
    )


def _winner(asked: Asked) -> ArmName | None:
    if _adopted(asked):
        return "finalist"
    return "baseline" if FALL_BACK in asked and asked[FALL_BACK].state == "better" else None


def _undecided(asked: Asked, arms: Arms) -> bool:
    """Whether some arm might yet be promoted by more, or by sound, retrains of the same arms."""
    if not asked:
        return True
    sound = {name for name, values in arms.items() if not _infeasible(values)}
    roads = ((ADOPT, ANSWER), (FALL_BACK,))
    return any(
        road[0] in asked and road[0][0] in sound and all(asked[p].state != "not better" for p in road if p in asked)
        for road in roads
    )


def _answer(asked: Asked) -> str:
    state = asked[ANSWER].state if ANSWER in asked else "void"
    return {"better": "yes", "not better": "no"}.get(state, "open")


def _gain(comparison: Comparison | None) -> tuple[float | None, tuple[float, float] | None]:
    if comparison is None or not comparison.looks or comparison.void:
        return None, None
    return comparison.last.gain, (comparison.last.low, comparison.last.high)


def _suggested(asked: Asked, budget: int) -> int | None:
    """The budget at which each undecided z would reach its boundary, were the gains as they seem; at most fourfold."""
    ratios = [c.last.upper / max(c.last.z, c.last.upper / 2) for c in asked.values() if c.state == "undecided"]
    return max(budget + 2, round(budget * max(ratios) ** 2)) if ratios else None


def _noise(asked: Asked, arms: Arms) -> dict[str, Value | None]:
    """The numbers of every arm and of every look, by names that say which."""
    found: dict[str, Value | None] = {}
    for name in sorted(arms):
        values = arms[name]
        found[f"{name}.retrains"] = len(values)
        found[f"{name}.infeasible"] = _infeasible(values)
    for (a, b), comparison in asked.items():
        for look in comparison.looks:
            found |= {f"{a}-{b}.{look.retrains}.{key}": getattr(look, key) for key in NUMBERS}
    return found


def _reasons(
    asked: Asked,
    arms: Arms,
    minimum_gain: float,
    budget: int,
) -> tuple[str, ...]:
    if budget < 2:
        return (
            "One retrain an arm shows no noise, so a gain cannot be told from luck: give budget.retrains 2 or more.",
        )
    if not asked:
        return ("There is no feasible candidate other than the incumbent itself.",)
    broken = tuple(
        infeasible_sentence(name, _infeasible(values), len(values))
        for name, values in sorted(arms.items())
        if _infeasible(values)
    )
    return broken + tuple(comparison_sentence(c, minimum_gain) for c in asked.values() if c.looks and not c.void)
