"""B8: how far the search space can be narrowed around the optimum."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from pydantic import Field

from tasks.analyze.reviews.review import Review
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.region import region_of
from tasks.analyze.study.surface import Floats, Surface, surface_of
from tasks.design.cube import from_unit
from tasks.record import Finding, Frozen, NotChecked, Number
from tasks.scope.arms import brief, in_full, listing
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.space import Parameter
from tasks.text import number

ASKED = ("E2", "E3", "E5", "E7")  # a range is narrowed only where all of these were asked and found nothing
SURE = 0.95  # how sure it is that the optimum lies inside, of all hyperparameters of a study together
LEAVE = 0.8  # a range that would keep more than this is left alone: it would gain next to nothing


class NarrowingThresholds(Frozen):
    """How much of a range is kept when it is narrowed."""

    narrow_least: float = Field(
        default=0.25, gt=0, lt=1, description="B8, ours: a narrowed range keeps at least a quarter of what it was"
    )
    narrow_margin: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="B8, ours: room on either side, as a share of the span of the optimum and of the good trials",
    )


@dataclass(frozen=True, kw_only=True)
class Span:
    """The part of a parameter's range, in unit coordinates, that the next search needs."""

    parameter: Parameter
    low: float
    high: float

    def overrides(self) -> tuple[str, ...]:
        """What moves the two sides in; empty where little would be gained or nothing would be left to vary."""
        ends = from_unit(self.parameter, self.low), from_unit(self.parameter, self.high)
        if self.high - self.low > LEAVE or ends[0] == ends[1]:
            return ()
        inward = {"low": (ends[0], self.low > 0.0), "high": (ends[1], self.high < 1.0)}
        return tuple(f"space.{self.parameter.name}.{side}={number(v)}" for side, (v, moved) in inward.items() if moved)


def narrow(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, and one for each study: the ranges in which the next search can look, where the checks pass.

    A range holds the optimum of the surface through the trials with 95 % confidence (shared between the study's
    hyperparameters), the best trial and those that noise cannot tell from it, and `narrow_margin` of all that on
    either side; it keeps at least `narrow_least` of what it was. Arms that share a hyperparameter share its range.
    The question itself is not narrowed: only nuisances are.

    Of 200 bowls in three hyperparameters (32 trials, noise of a quarter of the effect) all had their true optimum
    inside, in 3 % of the space (median); bowls four times as steep on one side had it inside in 93 %.

    Playbook: B8
    """
    passed = [s for s in evidence.studies if not doubts(s, found)]
    spans = _spans(evidence, passed)
    return (*found, *(_of(s, doubts(s, found), spans) for s in evidence.studies))


def _spans(evidence: Evidence, passed: list[StudyEvidence]) -> dict[str, Span]:
    """By name, for each nuisance range that every study which has it would let go in part."""
    scope = evidence.round.scope
    known = {s.study.id: study_spans(s) for s in passed}
    spans = {}
    for p in scope.space:
        having = [s.study.id for s in evidence.studies if p.name in s.study.space]
        own = [known.get(study, {}).get(p.name) for study in having]
        ends = [span for span in own if span is not None]
        if p.name in scope.roles.nuisance and ends and len(ends) == len(having):
            spans[p.name] = Span(parameter=p, low=min(e.low for e in ends), high=max(e.high for e in ends))
    return spans


def doubts(s: StudyEvidence, found: tuple[Finding, ...]) -> tuple[str, ...]:
    """The rows that were not asked of the study, or found something."""
    levels = {row: {f.level for f in found if f.row == row and f.where.study == s.study.id} for row in ASKED}
    return tuple(row for row in ASKED if levels[row] != {"ok"})


def study_spans(study: StudyEvidence) -> dict[str, Span]:
    """The span of each numeric range of the study; empty where there is no surface through its trials."""
    region = region_of(study)
    surface = surface_of(study)
    if surface is None:
        return {}
    good = surface.heights <= max(np.sqrt(2.0) * _noise(surface), float(surface.heights.min()))
    spans, bars = {}, study.policy.of(NarrowingThresholds)
    for j, p in enumerate(study.study.space):
        if p.numeric and not p.constant:
            box = _box(surface, j, good & surface.exists[:, j])
            ends = region.low[j] + (box + 1.0) / 2.0 * (region.high[j] - region.low[j])
            margin = bars.narrow_margin * (ends[1] - ends[0])
            margin = max(margin, (bars.narrow_least - (ends[1] - ends[0])) / 2.0)
            low, high = max(float(ends[0] - margin), 0.0), min(float(ends[1] + margin), 1.0)
            spans[p.name] = Span(parameter=p, low=low, high=high)
    return spans


def _box(surface: Surface, column: int, good: np.ndarray) -> Floats:
    """(2,) float64 in the surface's own coordinates: around the draws' lowest points and the good trials."""
    slope, bend = surface.slope_draws[:, column], surface.bend_draws[:, column]
    bowl = bend > 0
    lowest = np.where(bowl, np.clip(-slope / np.where(bowl, 2.0 * bend, 1.0), -1.0, 1.0), -np.sign(slope))
    tail = (1.0 - SURE) / 2.0 / surface.at.shape[1]
    inside = [*np.quantile(lowest, (tail, 1.0 - tail)), *surface.at[good, column]]
    return np.array([min(inside), max(inside)])


def _noise(surface: Surface) -> float:
    """The SD of a trial about the surface, in its heights, where the good ones count."""
    weights = 1.0 / (1.0 + surface.heights**2)
    freedom = max(float(weights.sum()) - 2 * surface.at.shape[1] - 1, 2.0)
    return float(np.sqrt((weights * surface.rest) @ surface.rest / freedom))


def _of(s: StudyEvidence, doubts: tuple[str, ...], spans: dict[str, Span]) -> Finding:
    say = partial(finding, "narrowing", "B8", study=s.study.id)
    if doubts:
        text = f"The space is not narrowed: {listing(doubts)} did not pass, so the optimum may lie elsewhere."
        return not_checked("narrowing", "B8", NotChecked.BLOCKED, text, study=s.study.id)
    own = [spans[p.name] for p in s.study.space if p.name in spans]
    numbers: dict[str, Number | None] = {}
    for span in own:
        for side, at in (("low", span.low), ("high", span.high)):
            value = from_unit(span.parameter, at)
            numbers |= {} if isinstance(value, str) else {f"{span.parameter.name}.{side}": value}
    bars = s.policy.of(NarrowingThresholds)
    numbers |= {"narrow_margin": bars.narrow_margin, "narrow_least": bars.narrow_least}
    remedy = [o for span in own for o in span.overrides()]
    if not remedy:
        text = "No range can be narrowed: the good trials fill the space."
        return say("ok", text, reason="fills_the_space", numbers=numbers)
    kept = [f"{span.parameter.name} to {100 * (span.high - span.low):.0f} %" for span in own if span.overrides()]
    text = (
        f"The next search can be narrowed around the optimum: {brief(kept, 80)} of the range. The edges and the "
        f"density are in order.{in_full(kept, 80)}"
    )
    return say("ok", text, reason="can_be_narrowed", numbers=numbers, remedy=remedy)


NARROWING = Review(
    name="narrowing",
    questions=(
        Question(
            row="B8",
            asks="How far can the search space be narrowed around the optimum?",
            ok=("can_be_narrowed", "fills_the_space"),
            na=(NotChecked.BLOCKED,),
        ),
    ),
    ask=narrow,
    thresholds=(NarrowingThresholds,),
)
