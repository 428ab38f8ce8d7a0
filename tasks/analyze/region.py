"""Where a study's trials are feasible at all: its walls, and the box that they leave of the search space."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.analyze.evidence import StudyEvidence
from tasks.design.cube import from_unit
from tasks.record import Value
from tasks.scope.space import Parameter

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Side = Literal["low", "high"]
SIDES: tuple[tuple[Side, int], ...] = (("low", -1), ("high", 1))

WALL_CHANCE = 0.1  # luck may make a wall this often, shared between the hyperparameters that were looked at
LONE_CHANCE = 0.2  # in a sweep of one hyperparameter, where nothing else can explain an infeasible trial at its end
IMPURITY = 0.2  # feasible trials behind a wall, for each infeasible one: real walls are a little ragged
LEARNED = 4  # trials that must have learned before others can be said to have not
INSIDE = 0.85  # a narrowed range keeps its wall here, so that the next round can still see it


@dataclass(frozen=True, kw_only=True)
class Wall:
    """Trials beyond `position` of one hyperparameter are infeasible.

    `column`: of the study's space. `sign`: +1 on the high side. `position`: in the unit interval, half way between
    the outermost feasible trial and the first infeasible one. `beyond`: infeasible trials there. `chance`: how often
    infeasible trials scattered at random would lie as far out.
    """

    column: int
    parameter: Parameter
    side: Side
    sign: int
    position: float
    beyond: int
    chance: float

    @property
    def value(self) -> Value:
        """The position in the parameter's own unit."""
        return from_unit(self.parameter, min(max(self.position, 0.0), 1.0))


@dataclass(frozen=True, kw_only=True)
class Region:
    """The box between the walls: `low`, `high` are (parameters,) float64 in unit coordinates.

    `usable`: (trials,) bool, feasible, off chance and inside. `stray`: infeasible inside the box, so that no wall
    explains them. `lost`: all that are infeasible, `stuck` ones included.
    """

    walls: tuple[Wall, ...]
    low: Floats
    high: Floats
    usable: Mask
    stray: Mask
    lost: Mask
    stuck: Mask

    def wall(self, column: int, side: Side) -> Wall | None:
        """The wall on that side, if there is one."""
        return next((w for w in self.walls if w.column == column and w.side == side), None)

    def scaled(self, unit: Floats) -> Floats:
        """Unit coordinates, (trials, parameters), as coordinates of the box: -1 at its low end, 1 at its high end."""
        return 2.0 * (unit - self.low) / (self.high - self.low) - 1.0


def stuck_at_chance(study: StudyEvidence) -> Mask:
    """(trials,) bool: feasible trials that never left chance, to within `stuck_fraction` of the way to the best.

    A diverged run often ends on a finite loss: of 432 runs in a published set of learning-rate sweeps, 29 % sat at a
    guesser's value (the best over training a little above it) and were not flagged as diverged. Nothing is called
    stuck unless a quarter of the feasible trials, and four, come more than half way from chance to the best: else the
    task or the value of chance is in question, not the trials (A17).

    Playbook: E8
    """
    none = np.zeros(len(study.trials), dtype=bool)
    if study.objective.chance is None or not study.feasible.any():
        return none
    chance = study.objective.sign * study.objective.chance
    span = chance - float(np.nanmin(study.losses))
    if span <= 0:
        return none
    left = (chance - np.nan_to_num(study.losses, nan=np.inf)) / span  # 0 at chance, 1 at the best
    learned = int((left > 0.5).sum())
    if learned < max(LEARNED, study.feasible.sum() / 4):
        return none
    return study.feasible & (left <= study.policy.stuck_fraction)


def region_of(study: StudyEvidence) -> Region:
    """The walls of the study, found one after the other, each explaining infeasible trials that the last ones did not.

    Playbook: E5, E8, E10
    """
    stuck = stuck_at_chance(study)
    lost = ~study.feasible | stuck
    unit = study.unit
    low, high = np.zeros(unit.shape[1]), np.ones(unit.shape[1])
    inside = np.ones(len(study.trials), dtype=bool)
    walls: list[Wall] = []
    while (wall := _next_wall(study, lost, inside, walls)) is not None:
        walls.append(wall)
        (high if wall.sign > 0 else low)[wall.column] = wall.position
        beyond = wall.sign * (unit[:, wall.column] - wall.position) > 0  # False where the parameter does not exist
        inside = inside & ~beyond
    return Region(
        walls=tuple(walls), low=low, high=high, usable=~lost & inside, stray=lost & inside, lost=lost, stuck=stuck
    )


def _next_wall(study: StudyEvidence, lost: Mask, inside: Mask, found: list[Wall]) -> Wall | None:
    """The least accidental wall among the trials inside, None where every candidate may be luck."""
    edged = [i for i, p in enumerate(study.study.space) if p.has_edges]
    if not edged or not (lost & inside).any():
        return None
    allowed, fewest = (LONE_CHANCE, 1) if len(study.study.space) == 1 else (WALL_CHANCE / len(edged), 2)
    taken = {(w.column, w.side) for w in found}
    candidates = [
        wall
        for column in edged
        for side, sign in SIDES
        if (column, side) not in taken
        for wall in _walls_on(study, column, side, sign, lost, inside)
        if wall.chance <= allowed and wall.beyond >= fewest
    ]
    return min(candidates, key=lambda w: (w.chance, w.column, w.side)) if candidates else None


def _walls_on(study: StudyEvidence, column: int, side: Side, sign: int, lost: Mask, inside: Mask) -> list[Wall]:
    """Every place of one side behind which (nearly) all trials are infeasible and none is among the better half."""
    at = sign * study.unit[:, column]
    here = np.flatnonzero(inside & np.isfinite(at))
    here = here[np.lexsort((lost[here], at[here]))]
    order, gone = at[here], lost[here]
    good = np.where(gone, np.inf, study.losses[here])
    middle = float(np.median(study.losses[~lost])) if (~lost).any() else math.inf
    parameter = tuple(study.study.space)[column]
    walls = []
    for i in np.flatnonzero(gone[1:] & ~gone[:-1]) + 1:
        behind, bad = len(here) - int(i), int(gone[i:].sum())
        if order[i] == order[i - 1] or behind - bad > IMPURITY * bad or good[i:].min() < middle:
            continue
        walls.append(
            Wall(
                column=column,
                parameter=parameter,
                side=side,
                sign=sign,
                position=float(sign * (order[i - 1] + order[i]) / 2),
                beyond=bad,
                chance=_chance(len(here), int(gone.sum()), behind, bad),
            )
        )
    return walls


def _chance(trials: int, bad: int, behind: int, seen: int) -> float:
    """The hypergeometric tail: at least `seen` of `bad` infeasible trials among the outermost `behind` of `trials`."""
    ways = sum(math.comb(bad, k) * math.comb(trials - bad, behind - k) for k in range(seen, min(bad, behind) + 1))
    return ways / math.comb(trials, behind)


def narrowed(wall: Wall) -> str | None:
    """The override that moves the range's end in so that the wall stands at 85 % of it; None where it does already.

    The wall stays inside on purpose: a range that ends below it forgets it, its best trial then stands at an edge
    that looks like a reason to expand, and the rounds go round in circles.

    Playbook: E4, E9
    """
    parameter = wall.parameter
    depth = wall.position if wall.sign > 0 else 1.0 - wall.position  # of the range that is feasible
    end = depth / INSIDE
    if not parameter.numeric or end > 0.95 or depth <= 0.0:
        return None
    value = from_unit(parameter, end if wall.sign > 0 else 1.0 - end)
    if value in parameter.bounds:
        return None
    return f"space.{parameter.name}.{wall.side}={value if parameter.type == 'int' else f'{value:.3g}'}"
