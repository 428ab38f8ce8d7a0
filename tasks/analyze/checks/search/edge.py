"""E2, E3: does the best trial lie at an edge of the search space, and would it be better beyond?"""

import math
from dataclasses import dataclass

import numpy as np

from tasks.analyze.checks.search.expansion import expansions, natural_limit
from tasks.analyze.checks.search.instability import wall_margin
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.region import Region, region_of
from tasks.analyze.study.surface import FEWEST, Surface, spread_of, surface_of
from tasks.analyze.study.wall import SIDES, Floats, Side
from tasks.record import Finding
from tasks.scope.finding import finding
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter
from tasks.text import show
from tasks.trials.trial import Trial

CROWD_WIDTH = 2.5  # in edge fractions: a crowd stands in the outer quarter, a best trial in the outer tenth
LEVEL = 0.01  # of the way from the best to the median: trials that are worse by less are on the level of the best
FLAT = 3  # so many outermost trials on that level, over half an edge at least, are no descent
LESS_DOUBT = 0.1  # a slope alone must leave this share of the doubt that is allowed to a whole bowl


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One side of one parameter, seen from the trials that have it.

    `distance`: of the best of them from the edge, in ranges. `outward`: how sure it is that the optimum lies at the
    edge or beyond; `needed`: how sure it must be. `crowd`: the share of the best trials in the outer quarter.
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
        return "E2" if self.near else "E3" if self.crowd >= policy.crowd_fraction else None


def search_edges(evidence: Evidence) -> list[Finding]:
    """For each study: the sides on which the best trial stands at an edge (E2) or the best ones crowd it (E3).

    It is not enough that the best trial happens to lie there: of 24 trials over three hyperparameters, one is in the
    outer tenth of some side about half the time. A finding needs `edge_confidence` that the optimum of a smooth
    surface through the trials lies at that edge or beyond (see `surface_of`), so a hyperparameter to which the
    objective is insensitive stays silent. The playbook gives no numbers; these were set by simulation: with noise of
    a quarter of what one decade costs, 24 trials and 2 or 3 hyperparameters, an optimum half a decade outside is
    found in more than 95 % of studies, and one a fifth of the range inside raises no finding in more than 95 %.

    Playbook: E2, E3
    """
    return [f for study in evidence.studies for f in _of(study, evidence.round.scope)]


def _of(study: StudyEvidence, scope: Scope) -> list[Finding]:
    why_not = _unasked(study)
    if why_not:
        return [_quiet(study, row, "na", why_not) for row in ("E2", "E3")]
    region = region_of(study)
    usable = int(region.usable.sum())
    if usable < FEWEST:
        why = f"Only {usable} of {len(study.trials)} trials can be compared; {FEWEST} are needed to speak of edges."
        return [_quiet(study, row, "na", why) for row in ("E2", "E3")]
    surface = surface_of(study)
    found = edges(study, region, surface) if surface else []
    fails = [(e, row) for e in found if (row := e.row(study.policy))]
    rows = {row for _, row in fails}
    quiet = [_quiet(study, row, "ok", _calm(study, found, row), found) for row in ("E2", "E3") if row not in rows]
    return [_fail(study, scope, e, row, usable) for e, row in fails] + quiet


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
    policy = study.policy
    own = np.flatnonzero(region.usable & np.isfinite(study.unit[:, column]))
    if len(own) < FEWEST:
        return None
    ranked = own[np.argsort(study.losses[own], kind="stable")]
    best = int(ranked[0])
    box = float(region.high[column] - region.low[column])
    width = edge_width(parameter, side, policy.edge_fraction) / box
    away = sign * ((region.high if sign > 0 else region.low)[column] - study.unit[:, column]) / box
    near = bool(away[best] <= width)
    doubt = 1.0 - policy.edge_confidence
    outward, local = surface.outward(column, sign, min(width, 0.5)), surface.falls_outward(column, sign)
    if near and 1.0 - local <= LESS_DOUBT * doubt / len(study.study.space):
        outward = max(outward, local)
    top = ranked[: max(3, math.ceil(policy.top_fraction * len(own)))]
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
        crowd=float(np.mean(away[top] <= max(CROWD_WIDTH * policy.edge_fraction / box, width))),
        near=near,
        behind=int(further.sum()) + _beyond_diagonals(study, region, surface, best, at_edge),
        flat=_is_flat(study.losses[own], away[own], 0.5 * policy.edge_fraction / box),
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


def _unasked(study: StudyEvidence) -> str:
    """Why edges mean nothing in this study, or nothing."""
    if study.study.sampler == "points":
        return "The trials are explicit points; a list has no edges."
    if not any(p.has_edges for p in study.study.space):
        return "No hyperparameter with an order varies in this study, so there is no edge."
    return ""


def _fail(study: StudyEvidence, scope: Scope, edge: Edge, row: str, usable: int) -> Finding:
    name = edge.parameter.name
    value = show(edge.best.planned.point[name])
    place = (
        f"The best of {usable} trials has {name} = {value}, {_percent(edge.distance)} of the range from its "
        f"{edge.side} end"
        if row == "E2"
        else f"{_percent(edge.crowd)} of the best trials crowd the {edge.side} quarter of {name}"
    )
    move = expansions(scope, edge.parameter, edge.side)
    way_out = "move that side outward" if move else "this list cannot be continued by itself: give it more values"
    return finding(
        "boundary",
        row,
        "fail",
        f"{place}, and with {_sure(edge.outward)} confidence the optimum lies there or beyond: {way_out}.",
        study=study.study.id,
        parameter=name,
        side=edge.side,
        trial=edge.best.id,
        numbers=_numbers(study, edge) | {"trials": usable},
        remedy=move,
    )


def _quiet(study: StudyEvidence, row: str, level: str, why: str, found: list[Edge] | None = None) -> Finding:
    nearest = max(found or [], key=lambda e: e.outward, default=None)
    return finding(
        "boundary",
        row,
        "na" if level == "na" else "ok",
        why,
        study=study.study.id,
        numbers=_numbers(study, nearest) if nearest else {"trials": len(study.trials)},
    )


def _calm(study: StudyEvidence, found: list[Edge], row: str) -> str:
    """Why nothing is to be expanded: the side that comes closest, and what speaks against it."""
    if not found:
        return "No side of the space can be better than its inside: no trial stands out, or walls bound all of it."
    held = [e for e in found if e.outward >= e.needed]
    limit = next((e for e in held if e.limit), None)
    if limit:
        return f"The best trials lie towards the {limit.side} end of {limit.parameter.name}, but {limit.limit}."
    blocked = next((e for e in held if e.behind), None)
    if blocked:
        return (
            f"The best trials lie towards the {blocked.side} end of {blocked.parameter.name}, but {blocked.behind} "
            "infeasible beyond the best: no reason to expand into instability."
        )
    flat = next((e for e in held if e.flat), None)
    if flat:
        return (
            f"The best trials lie towards the {flat.side} end of {flat.parameter.name}, and those further out are as "
            "good: the objective has come to a level there, so nothing is to be gained beyond."
        )
    e = max(found, key=lambda e: e.outward)
    what = "the best trial stands at no edge that" if row == "E2" else "the best trials crowd no edge that"
    return (
        f"In this study {what} would be better beyond; closest is the {e.side} end of {e.parameter.name}, with "
        f"{_sure(e.outward)} confidence that the optimum lies there or beyond."
    )


def _numbers(study: StudyEvidence, edge: Edge) -> dict[str, float | int]:
    policy = study.policy
    return {
        "distance": round(edge.distance, 4),
        "outward": round(edge.outward, 4),
        "crowd": round(edge.crowd, 4),
        "infeasible_beyond": edge.behind,
        "edge_fraction": policy.edge_fraction,
        "edge_confidence": round(edge.needed, 4),
        "crowd_fraction": policy.crowd_fraction,
        "top_fraction": policy.top_fraction,
    }


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _sure(share: float) -> str:
    """A thousand draws do not make certain."""
    return "over 99 %" if share > 0.99 else "under 1 %" if share < 0.01 else _percent(share)
