"""E2, E3: does the best trial lie at an edge of the search space, and would it be better beyond?"""

from tasks.analyze.checks.check import Check
from tasks.analyze.checks.search.expansion import ExpansionThresholds, expansions
from tasks.analyze.checks.search.sides import Edge, EdgeThresholds, edges
from tasks.analyze.study.bootstrap import BootstrapThresholds
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.region import region_of
from tasks.analyze.study.surface import FEWEST, SurfaceThresholds, surface_of
from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.roles import Scope
from tasks.text import show


def search_edges(evidence: Evidence) -> list[Finding]:
    """For each study: the sides on which the best trial stands at an edge (E2) or the best ones crowd it (E3).

    It is not enough that the best trial happens to lie there: of 24 trials over three hyperparameters, one is in the
    outer tenth of some side about half the time. A finding needs `edge_confidence` that the optimum of a smooth
    surface through the trials lies at that edge or beyond (see `surface_of`), so a hyperparameter to which the
    objective is insensitive stays silent. The playbook gives no numbers; these were set by simulation: with noise of
    a quarter of what one decade costs, 24 trials and 2 or 3 hyperparameters, an optimum half a decade outside is
    found in more than 95 % of studies, and one a fifth of the range inside raises no finding in more than 95 %.

    All that holds of trials that fill the space evenly. Those that are kept of an earlier round (E4) lie on one side of
    a space that was moved, and are not read here: with them, an optimum 16 % of the range inside was said to lie at the
    edge in 13 % of 600 studies that had been widened, without them in 1 %.

    Playbook: E2, E3
    """
    return [f for study in evidence.studies for f in _of(study.drawn, evidence.round.scope)]


def _of(study: StudyEvidence, scope: Scope) -> list[Finding]:
    why_not = _unasked(study)
    if why_not:
        return [_not_asked(study, row, *why_not) for row in ("E2", "E3")]
    region = region_of(study)
    usable = int(region.usable.sum())
    if usable < FEWEST:
        why = f"Only {usable} of {len(study.trials)} trials can be compared; {FEWEST} are needed to speak of edges."
        return [_not_asked(study, row, NotChecked.TOO_FEW_TRIALS, why) for row in ("E2", "E3")]
    surface = surface_of(study)
    found = edges(study, region, surface) if surface else []
    fails = [(e, row) for e in found if (row := e.row(study.policy))]
    rows = {row for _, row in fails}
    quiet = [_quiet(study, row, found) for row in ("E2", "E3") if row not in rows]
    return [_fail(study, scope, e, row, usable) for e, row in fails] + quiet


def _unasked(study: StudyEvidence) -> tuple[NotChecked, str] | None:
    """Why edges mean nothing in this study, or None."""
    if study.study.sampler == "points":
        return NotChecked.LISTED_POINTS, "The trials are explicit points; a list has no edges."
    if not any(p.has_edges for p in study.study.space):
        text = "No hyperparameter with an order varies in this study, so there is no edge."
        return NotChecked.NOTHING_VARIES, text
    return None


def _not_asked(study: StudyEvidence, row: str, because: NotChecked, why: str) -> Finding:
    return not_checked("boundary", row, because, why, study=study.study.id, numbers={"trials": len(study.trials)})


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
    way_out = "move that side outward" if move else "give the list more values beyond"
    return finding(
        "boundary",
        row,
        "fail",
        f"{place}: {way_out}. With {_sure(edge.outward)} confidence the optimum lies there or beyond.",
        reason="best_at_edge" if row == "E2" else "best_crowd_an_edge",
        trials=[edge.best.id] if row == "E2" else edge.crowding,
        study=study.study.id,
        parameter=name,
        side=edge.side,
        trial=edge.best.id,
        numbers=_numbers(study, edge) | {"trials": usable},
        remedy=move,
    )


def _quiet(study: StudyEvidence, row: str, found: list[Edge]) -> Finding:
    nearest = max(found, key=lambda e: e.outward, default=None)
    reason, why = _calm(found, row)
    return finding(
        "boundary",
        row,
        "ok",
        why,
        reason=reason,
        study=study.study.id,
        numbers=_numbers(study, nearest) if nearest else {"trials": len(study.trials)},
    )


def _calm(found: list[Edge], row: str) -> tuple[str, str]:
    """`(reason, why)` nothing is to be expanded: the side that comes closest, and what speaks against it."""
    if not found:
        text = "No side of the space can be better than its inside: no trial stands out, or walls bound all of it."
        return "no_side", text
    held = [e for e in found if e.outward >= e.needed]
    limit = next((e for e in held if e.limit), None)
    if limit:
        text = f"The best trials lie towards the {limit.side} end of {limit.parameter.name}, but {limit.limit}."
        return "natural_limit", text
    blocked = next((e for e in held if e.behind), None)
    if blocked:
        return "infeasible_beyond", (
            f"The best trials lie towards the {blocked.side} end of {blocked.parameter.name}, but {blocked.behind} "
            "beyond the best are infeasible: do not expand into instability."
        )
    flat = next((e for e in held if e.flat), None)
    if flat:
        return "level_at_edge", (
            f"The best trials lie towards the {flat.side} end of {flat.parameter.name}, but those further out are no "
            "better. The objective has come to a level there, so nothing is to be gained beyond."
        )
    e = max(found, key=lambda e: e.outward)
    what = "The best trial stands at no edge that" if row == "E2" else "The best trials crowd no edge that"
    return "inside", (
        f"{what} would be better beyond. Closest is the {e.side} end of {e.parameter.name}, with "
        f"{_sure(e.outward)} confidence that the optimum lies there or beyond."
    )


def _numbers(study: StudyEvidence, edge: Edge) -> dict[str, float | int]:
    bars = study.policy.of(EdgeThresholds)
    return {
        "distance": round(edge.distance, 4),
        "outward": round(edge.outward, 4),
        "crowd": round(edge.crowd, 4),
        "infeasible_beyond": edge.behind,
        "edge_fraction": bars.edge_fraction,
        "edge_confidence": round(edge.needed, 4),
        "crowd_fraction": bars.crowd_fraction,
        "top_fraction": bars.top_fraction,
    }


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _sure(share: float) -> str:
    """A thousand draws do not make certain."""
    return "over 99 %" if share > 0.99 else "under 1 %" if share < 0.01 else _percent(share)


BOUNDARY = Check(
    name="boundary",
    questions=(
        Question(
            row="E2",
            asks="Does the best trial stand at an edge of the search space, beyond which it would be better?",
            fail=("best_at_edge",),
            ok=("inside", "natural_limit", "infeasible_beyond", "level_at_edge", "no_side"),
            na=(NotChecked.LISTED_POINTS, NotChecked.NOTHING_VARIES, NotChecked.TOO_FEW_TRIALS),
        ),
        Question(
            row="E3",
            asks="Do the best trials crowd an edge of the search space?",
            fail=("best_crowd_an_edge",),
            ok=("inside", "natural_limit", "infeasible_beyond", "level_at_edge", "no_side"),
            na=(NotChecked.LISTED_POINTS, NotChecked.NOTHING_VARIES, NotChecked.TOO_FEW_TRIALS),
        ),
    ),
    ask=search_edges,
    thresholds=(EdgeThresholds, SurfaceThresholds, ExpansionThresholds, BootstrapThresholds),
)
