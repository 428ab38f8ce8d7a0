"""E5: does an instability wall, and not the search space, bound the best trials?"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.region import Region, region_of
from tasks.analyze.study.surface import FEWEST, Surface, SurfaceThresholds, surface_of
from tasks.analyze.study.wall import Direction, Wall, narrowed
from tasks.record import Finding, Frozen, NotChecked, Number
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.names.names import Names
from tasks.scope.policy import Policy
from tasks.text import show
from tasks.trials.trial import Trial

LINEAR_REACH = 0.2  # ranges: what `wall_decades` means for a scale that has no decades
LONGEST_REACH = 1 / 3  # ranges: on a narrow log range every trial lies within two thirds of a decade of the wall
LIKELY = 0.5  # the surface must at least agree that the optimum lies within reach of the wall


class WallThresholds(Frozen):
    """How close to an instability wall the best trial may stand."""

    wall_decades: float = Field(
        default=0.64, gt=0, description="E5, ours: the best lies this close below the wall, in decades"
    )


@dataclass(frozen=True, kw_only=True)
class WallMargin:
    """Where the best trial stands before a wall.

    `distance` and `reach` are in the direction's own measure; `between`: usable trials between the best and the wall.
    `within`: how sure it is that the optimum lies within reach of the wall or beyond it; `against`: within half the
    reach.
    """

    wall: Wall
    best: Trial
    distance: float
    reach: float
    between: int
    allowed: int
    within: float
    against: float

    def blocks(self, policy: Policy) -> bool:
        """Whether the wall is what keeps the best trials from going further."""
        close = self.distance <= self.reach and self.between <= self.allowed and self.within >= LIKELY
        return close or self.against >= policy.of(SurfaceThresholds).edge_confidence


def instability_wall(evidence: Evidence) -> list[Finding]:
    """For each study: a value of a hyperparameter beyond which the trials are infeasible, right above the best ones.

    Or of two together: a product or a ratio (learning rate over one minus momentum), where none alone explains it.

    Every workload is unstable at a large enough learning rate; that matters only where it forces the best trials
    down. Two signs count. Either the best trial lies within `wall_decades` of the wall (0.64, from sweeps of the
    learning rate over published workloads; a fifth of a linear range) with at most a quarter of the trials between
    them, and the surface does not put the optimum further in. Or the surface alone puts it within half that reach
    with `edge_confidence`.

    The remedy keeps the wall in the range and says in writing that the round ends there. Making the run stable
    (warmup, then clipping) is the cure, but no override can know which of the workload's arguments does it; and a
    range that ended below the wall would forget it, so that the next round would expand into it again.

    Playbook: E5
    """
    return [f for study in evidence.studies for f in _of(study, evidence.round.scope.names)]


def _of(study: StudyEvidence, names: Names) -> list[Finding]:
    if study.study.sampler == "points":
        why = "The trials are explicit points; where a wall runs between them is unknown."
        return [_not_asked(study, NotChecked.LISTED_POINTS, why, int((~study.feasible).sum()))]
    region = region_of(study)
    usable, lost = int(region.usable.sum()), int(region.lost.sum())
    if usable < FEWEST:
        why = f"Only {usable} of {len(study.trials)} trials can be compared; {FEWEST} are needed to see a wall."
        return [_not_asked(study, NotChecked.TOO_FEW_TRIALS, why, lost)]
    if not region.walls:
        why = "Every trial is feasible." if not lost else f"The {lost} infeasible trials lie beyond no threshold."
        text = f"{why} So no instability bounds the best ones."
        return [_quiet(study, "no_wall" if lost else "all_feasible", text, lost)]
    surface = surface_of(study)
    stands = [wall_margin(study, region, surface, w) for w in region.walls]
    blocking = [s for s in stands if s.blocks(study.policy)]
    if blocking:
        return [_fail(study, s, names) for s in blocking]
    s = min(stands, key=lambda s: s.distance)
    why = (
        f"Trials with {s.wall.place} are infeasible, but the best is well inside: the instability costs nothing. "
        f"The best has {_own(s)}."
    )
    return [_quiet(study, "well_inside", why, lost, s)]


def wall_margin(study: StudyEvidence, region: Region, surface: Surface | None, wall: Wall) -> WallMargin:
    """Where the best trial that has the parameter stands before the wall."""
    away = wall.depth(study.unit)
    own = np.flatnonzero(region.usable & np.isfinite(away))
    best = int(own[np.argmin(study.losses[own])]) if len(own) else int(np.flatnonzero(region.usable)[0])
    reach = _reach(wall.direction, study.policy)
    alone = len(study.study.space) == 1  # in a sweep nothing but the swept value can have made the best trial best
    return WallMargin(
        wall=wall,
        best=study.trials[best],
        distance=float(away[best]),
        reach=reach,
        between=int((away[own] < away[best]).sum()),
        allowed=max(2, len(study.trials) // 4),
        within=1.0 if alone or surface is None else _optimum_within(surface, region, wall, reach),
        against=0.0 if surface is None else _optimum_within(surface, region, wall, 0.5 * reach),
    )


def _optimum_within(surface: Surface, region: Region, wall: Wall, reach: float) -> float:
    """How sure it is that the optimum lies within reach of the wall, or beyond it."""
    if wall.direction.single:
        box = float(region.high[wall.column] - region.low[wall.column])
        return surface.outward(wall.column, wall.sign, min(reach / box, 1.0))
    return float(np.mean(wall.depth(region.unscaled(surface.lowest())) <= reach))


def _reach(direction: Direction, policy: Policy) -> float:
    """How close to a wall counts as at it, in the direction's own measure."""
    parameter, bars = direction.parameters[0], policy.of(WallThresholds)
    if not direction.single:
        longest = max(direction.widths)
        return min(bars.wall_decades, LONGEST_REACH * longest) if direction.log else LINEAR_REACH
    if not parameter.numeric:
        return max(LINEAR_REACH, 1.0 / len(parameter.values))
    if parameter.scale != "log":
        return LINEAR_REACH
    low, high = parameter.bounds
    return min(bars.wall_decades / float(np.log10(high / low)), LONGEST_REACH)


def _own(s: WallMargin) -> str:
    """Where the best trial stands, in the values of the wall's hyperparameters."""
    return " and ".join(f"{p.name} = {show(s.best.planned.point[p.name])}" for p in s.wall.direction.parameters)


def _fail(study: StudyEvidence, s: WallMargin, names: Names) -> Finding:
    direction, move = s.wall.direction, narrowed(s.wall)
    rate = any(names.meaning(p.name) == "learning_rate" for p in direction.parameters)
    rate = rate and not (direction.single and s.wall.side == "low")  # too small a step is no matter of warmup
    cure = "warm up or clip gradients" if rate else "make the run stable there"
    at = f" ({show(s.best.planned.point[s.wall.parameter.name])})" if direction.single else ""
    near = f" near {s.wall.shown}" if direction.single or direction.log else ""
    note = f"the best trials stand at the wall of {direction.name}{near}; no cure was tried"
    return finding(
        "wall",
        "E5",
        "fail",
        f"Training is unstable at {s.wall.place}, right beyond the best trial{at}: {cure}. "
        f"There {s.wall.beyond} of {len(study.trials)} trials are infeasible; the best has {_own(s)}. "
        "Do not expand: mend it (section I), or go on at the wall and say so in writing.",
        reason="best_at_wall",
        trials=[s.best.id],
        study=study.study.id,
        parameter=s.wall.parameter.name,
        side=s.wall.side,
        trial=s.best.id,
        numbers=_numbers(study, s),
        remedy=[*([move] if move else []), f'acknowledge.E5="{note}"'],
    )


def _not_asked(study: StudyEvidence, because: NotChecked, why: str, lost: int) -> Finding:
    numbers = {"infeasible": lost, "trials": len(study.trials)}
    return not_checked("wall", "E5", because, why, study=study.study.id, numbers=numbers)


def _quiet(study: StudyEvidence, reason: str, why: str, lost: int, s: WallMargin | None = None) -> Finding:
    numbers: dict[str, Number] = {"infeasible": lost, "trials": len(study.trials)}
    return finding(
        "wall",
        "E5",
        "ok",
        why,
        reason=reason,
        study=study.study.id,
        parameter=s.wall.parameter.name if s else None,
        numbers=numbers | (_numbers(study, s) if s else {}),
    )


def _numbers(study: StudyEvidence, s: WallMargin) -> dict[str, Number]:
    return {
        "wall": float(s.wall.value) if isinstance(s.wall.value, int | float) else round(s.wall.position, 4),
        "infeasible_beyond": s.wall.beyond,
        "distance": round(s.distance, 4),
        "reach": round(s.reach, 4),
        "between": s.between,
        "between_allowed": s.allowed,
        "within": round(s.within, 4),
        "against": round(s.against, 4),
        "wall_decades": study.policy.of(WallThresholds).wall_decades,
        "edge_confidence": study.policy.of(SurfaceThresholds).edge_confidence,
    }


INSTABILITY_WALL = Check(
    name="wall",
    questions=(
        Question(
            row="E5",
            asks="Does an instability wall, and not the search space, bound the best trials?",
            fail=("best_at_wall",),
            ok=("all_feasible", "no_wall", "well_inside"),
            na=(NotChecked.LISTED_POINTS, NotChecked.TOO_FEW_TRIALS),
        ),
    ),
    ask=instability_wall,
    thresholds=(WallThresholds, SurfaceThresholds),
)
