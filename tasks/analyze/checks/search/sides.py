"""The sides of the search space: how sure it is that the optimum lies at an end of a range, or beyond it."""

import math
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from tasks.analyze.checks.search.expansion import natural_limit
from tasks.analyze.checks.search.instability import wall_margin
from tasks.analyze.study.evidence import StudyEvidence
from tasks.analyze.study.region import Region
from tasks.analyze.study.surface import FEWEST, Surface, SurfaceThresholds, spread_of
from tasks.analyze.study.wall import SIDES, Floats, Side
from tasks.record import Frozen
from tasks.scope.policy import Policy
from tasks.scope.space import Parameter
from tasks.trials.trial import Trial

CROWD_WIDTH = 2.5  # in edge fractions: a crowd stands in the outer quarter, a best trial in the outer tenth
LEVEL = 0.01  # of the way from the best to the median: trials that are worse by less are on the level of the best
FLAT = 3  # so many outermost trials on that level, over half an edge at least, are no descent
LESS_DOUBT = 0.1  # a slope alone must leave this share of the doubt that is allowed to a whole bowl


class EdgeThresholds(Frozen):
    """What an edge is, and what a crowd at it."""

    edge_fraction: float = Field(
        default=0.1,
        gt=0,
        lt=0.5,
        description="E2, ours: the outer tenth of a range, in the scale in which it is sampled",
    )
    top_fraction: float = Field(default=0.2, gt=0, le=1, description="E3, ours: the best fifth of a study's trials")
    crowd_fraction: float = Field(default=0.5, gt=0, le=1, description="E3, ours: half of them at one edge are a crowd")


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One side of one parameter, seen from the trials that have it.

    `distance`: of the best of them from the edge, in ranges. `outward`: how sure it is that the optimum lies at the
    edge or beyond; `needed`: how sure it must be. `crowd`: the share of the best trials in the outer quarter, which are
    `crowding`.
    `near`: whether the best stands in the outer `edge_fraction` (or in the last value of few). `behind`: infeasible
    trials further out than the best that no wall explains, or that one of two hyperparameters does. `flat`: the
    outermost trials are all as good as the best.
    `limit`: why the side cannot be moved.
    """

    parameter: Parameter
    side: Side
    best: Trial
    distance: float
    outward: float
    needed: float
    crowd: float
    crowding: tuple[str, ...]
    near: bool
    behind: int
    flat: bool
    limit: str | None

    def row(self, policy: Policy) -> str | None:
        """E2 or E3 where outward is better, None where it is not.

        Never where an infeasible trial lies further out than the best: that side is unstable, not too narrow. Nor where
        the objective has come to a level there.
        """
        if self.outward < self.needed or self.behind or self.flat or self.limit:
            return None
        return "E2" if self.near else "E3" if self.crowd >= policy.of(EdgeThresholds).crowd_fraction else None


def edges(study: StudyEvidence, region: Region, surface: Surface) -> list[Edge]:
    """Every side of every parameter that has edges and no wall on that side: walls are another question (E5)."""
    return [
        edge
        for column, parameter in enumerate(study.study.space)
        if parameter.has_edges
        for side, sign in SIDES
        if region.wall(column, side) is None
        and (edge := _edge(study, region, surface, column, parameter, side, sign)) is not None
    ]


def _edge(
    study: StudyEvidence, region: Region, surface: Surface, column: int, parameter: Parameter, side: Side, sign: int
) -> Edge | None:
    bars, sure = study.policy.of(EdgeThresholds), study.policy.of(SurfaceThresholds)
    own = np.flatnonzero(region.usable & np.isfinite(study.unit[:, column]))
    if len(own) < FEWEST:
        return None
    ranked = own[np.argsort(study.losses[own], kind="stable")]
    best = int(ranked[0])
    box = float(region.high[column] - region.low[column])
    width = edge_width(parameter, side, bars.edge_fraction) / box
    away = sign * ((region.high if sign > 0 else region.low)[column] - study.unit[:, column]) / box
    near = bool(away[best] <= width)
    doubt = 1.0 - sure.edge_confidence
    outward, local = surface.outward(column, sign, min(width, 0.5)), surface.falls_outward(column, sign)
    if near and 1.0 - local <= LESS_DOUBT * doubt / len(study.study.space):
        outward = max(outward, local)
    top = ranked[: max(3, math.ceil(bars.top_fraction * len(own)))]
    crowded = top[away[top] <= max(CROWD_WIDTH * bars.edge_fraction / box, width)]
    at_edge = study.unit[[best]]
    at_edge[0, column] = float(sign > 0)
    further = region.stray & (sign * (study.unit[:, column] - study.unit[best, column]) > 0)
    return Edge(
        parameter=parameter,
        side=side,
        best=study.trials[best],
        distance=float(away[best]) * box,
        outward=outward,
        needed=1.0 - doubt * (LESS_DOUBT if width >= 0.5 else 1.0),  # two values show a slope and no bowl
        crowd=len(crowded) / len(top),
        crowding=tuple(study.trials[i].id for i in crowded),
        near=near,
        behind=int(further.sum()) + _beyond_diagonals(study, region, surface, best, at_edge),
        flat=_is_flat(study.losses[own], away[own], 0.5 * bars.edge_fraction / box),
        limit=natural_limit(parameter, side),
    )


def _beyond_diagonals(study: StudyEvidence, region: Region, surface: Surface, best: int, at_edge: Floats) -> int:
    """Infeasible trials beyond the walls of two hyperparameters that the best trial meets on its way to the edge.

    A wall is met where it is crossed, and where the way leads to it and it bounds the best trials already (E5).
    """
    walls = [w for w in region.walls if not w.direction.single]
    ways = ((w, w.depth(study.unit[[best]])[0], w.depth(at_edge)[0]) for w in walls)
    return sum(
        w.beyond
        for w, here, there in ways
        if there < 0 or (there < here and wall_margin(study, region, surface, w).blocks(study.policy))
    )


def _is_flat(losses: Floats, away: Floats, width: float) -> bool:
    """Whether the outermost trials, `FLAT` and over `width` at least, are on the level of the best.

    `losses` and `away`, from the edge in ranges, are (trials,).
    """
    order = np.argsort(away, kind="stable")
    level = losses.min() + LEVEL * spread_of(losses)
    steps = np.flatnonzero(losses[order] > level)
    run = order[: steps[0]] if len(steps) else order
    return len(run) >= FLAT and bool(away[run[-1]] - away[run[0]] >= width)


def edge_width(parameter: Parameter, side: Side, fraction: float) -> float:
    """How wide the edge is, in ranges: `fraction`, or the cell of the last value where that is wider."""
    if not parameter.numeric:
        return max(fraction, 1.0 / len(parameter.values))
    if parameter.type == "float":
        return fraction
    low, high = parameter.bounds
    if parameter.scale == "linear":
        return max(fraction, 1.0 / (high - low + 1.0))
    whole = math.log((high + 0.5) / (low - 0.5))
    cell = math.log((high + 0.5) / (high - 0.5)) if side == "high" else math.log((low + 0.5) / (low - 0.5))
    return max(fraction, cell / whole)
