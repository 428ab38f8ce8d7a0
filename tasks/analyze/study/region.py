"""Where a study's trials are feasible: its instability walls, and the box that they leave of the search space."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.analyze.study.curves import TRAIN_LOSS, loss_shape
from tasks.analyze.study.evidence import StudyEvidence, once
from tasks.analyze.study.wall import SIDES, Direction, Floats, Side, Wall, diagonals
from tasks.record import Frozen
from tasks.trials.trial import Trial

Mask = NDArray[np.bool_]

WALL_CHANCE = 0.1  # luck may make a wall this often, shared between the hyperparameters that were looked at
LONE_CHANCE = 0.2  # in a sweep of one hyperparameter, where nothing else can explain an infeasible trial at its end
PAIR_CHANCE = 0.01  # two hyperparameters together: far more directions are tried, and a real one is far clearer
PAIR_FEWEST = 3  # infeasible trials beyond a wall of two
SIMPLER = 0.1  # a wall of two must be so much less accidental than any of one, all that was tried being paid for
IMPURITY = 0.2  # feasible trials behind a wall, for each infeasible one: real walls are a little ragged
LEARNED = 4  # trials (and evaluations of one) that must have learned before others can be said to have not


class RegionThresholds(Frozen):
    """Which finite trials never learned, and count as infeasible."""

    stuck_fraction: float = Field(
        default=0.03,
        ge=0,
        lt=1,
        description="E8, ours: a finite run that comes no further from chance to the best never learned",
    )
    blown_factor: float = Field(
        default=5.0,
        gt=0,
        description="E8, ours: a finite run that ends above a first evaluation by so many times what the best trial "
        "came below it, and never learned, blew up",
    )


@dataclass(frozen=True, kw_only=True)
class Region:
    """The box between the walls of one hyperparameter: `low`, `high` are (parameters,) float64 in unit coordinates.

    `usable`: (trials,) bool, feasible, off chance and inside. `stray`: infeasible inside the box, so that no wall
    explains them. `stuck`: finite runs that never left chance or blew up. `lost`: all that are infeasible, `stuck`
    ones included.
    """

    walls: tuple[Wall, ...]
    low: Floats
    high: Floats
    usable: Mask
    stray: Mask
    lost: Mask
    stuck: Mask

    def wall(self, column: int, side: Side) -> Wall | None:
        """The wall on that side of one hyperparameter, if there is one."""
        return next((w for w in self.walls if w.direction.columns == (column,) and w.side == side), None)

    def scaled(self, unit: Floats) -> Floats:
        """Unit coordinates, (trials, parameters), as coordinates of the box: -1 at its low end, 1 at its high end."""
        return 2.0 * (unit - self.low) / (self.high - self.low) - 1.0

    def unscaled(self, at: Floats) -> Floats:
        """Coordinates of the box as unit coordinates."""
        return self.low + (at + 1.0) / 2.0 * (self.high - self.low)


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
    return study.feasible & (left <= study.policy.of(RegionThresholds).stuck_fraction)


def ran_away(study: StudyEvidence) -> Mask:
    """(trials,) bool: feasible trials whose finite loss blew up: never below a first evaluation, and mostly far above.

    A first evaluation is the trials' median one, and "far" is `blown_factor` times what the best trial comes below it.
    The best value over training of such a trial is often its own first evaluation, and looks harmless. One that comes
    down from where it began is slow; one that fits its training set better all the while overfits. Nothing is said
    where too few trials learn.

    Playbook: E8
    """
    none = np.zeros(len(study.trials), dtype=bool)
    curves = [study.objective.sign * t.curve.of(study.objective.metric)[1] for t in study.trials]
    known = np.array([t.feasible and len(c) >= LEARNED for t, c in zip(study.trials, curves, strict=True)])
    if not known.any():
        return none
    first = np.array([c[0] if k else np.nan for c, k in zip(curves, known, strict=True)])
    middle = np.array([np.median(c) if k else np.nan for c, k in zip(curves, known, strict=True)])
    begin = float(np.nanmedian(first))
    span = begin - float(np.nanmin(study.losses))
    if span <= 0 or (first - study.losses > 0.5 * span).sum() < max(LEARNED, known.sum() / 4):
        return none
    bars = study.policy.of(RegionThresholds)
    never = study.losses >= begin - bars.stuck_fraction * span
    far = middle > begin + bars.blown_factor * span
    gone: Mask = np.asarray(known & never & far & (middle >= first), dtype=bool)
    fitting: Mask = np.array([g and _fits(study, t) for t, g in zip(study.trials, gone, strict=True)], dtype=bool)
    return np.asarray(gone & ~fitting, dtype=bool)


def _fits(study: StudyEvidence, trial: Trial) -> bool:
    """Whether the training loss fell, and stayed down."""
    train = loss_shape(study, trial, TRAIN_LOSS)
    return train is not None and train.moved and not train.rises


@once
def region_of(study: StudyEvidence) -> Region:
    """The walls of the study, found one after the other, each explaining infeasible trials that the last ones did not.

    Playbook: E5, E8, E10
    """
    stuck = stuck_at_chance(study) | ran_away(study)
    lost = ~study.feasible | stuck
    unit = study.unit
    low, high = np.zeros(unit.shape[1]), np.ones(unit.shape[1])
    inside = np.ones(len(study.trials), dtype=bool)
    walls: list[Wall] = []
    while (wall := _next_wall(study, lost, inside, walls)) is not None:
        walls.append(wall)
        if wall.direction.single:
            (high if wall.sign > 0 else low)[wall.column] = wall.position
        inside = inside & ~(wall.depth(unit) < 0)  # False where a parameter does not exist
    return Region(
        walls=tuple(walls), low=low, high=high, usable=~lost & inside, stray=lost & inside, lost=lost, stuck=stuck
    )


def _next_wall(study: StudyEvidence, lost: Mask, inside: Mask, found: list[Wall]) -> Wall | None:
    """The least accidental wall among the trials inside, None where every candidate may be luck.

    A wall of one hyperparameter, unless one of two explains far more.
    """
    space = tuple(study.study.space)
    edged = [Direction(columns=(i,), parameters=(p,)) for i, p in enumerate(space) if p.has_edges]
    if not edged or not (lost & inside).any():
        return None
    allowed, fewest = (LONE_CHANCE, 1) if len(space) == 1 else (WALL_CHANCE / len(edged), 2)
    single = _clearest(study, [(d, *s) for d in edged for s in SIDES], allowed, fewest, lost, inside, found)
    faces = [face for d in diagonals(space) for face in _faces(d)]
    if not faces:
        return single
    double = _clearest(study, faces, PAIR_CHANCE / len(faces), PAIR_FEWEST, lost, inside, found)
    if double is None or single is None:
        return single or double
    return double if double.chance * len(faces) < SIMPLER * single.chance * len(edged) else single


def _faces(diagonal: Direction) -> tuple[tuple[Direction, Side, int], ...]:
    """The two sides of a diagonal; of a difference each as the high side, so that a ratio is told as it diverges."""
    if diagonal.turn > 0:
        return (diagonal, "low", -1), (diagonal, "high", 1)
    return (diagonal, "high", 1), (diagonal.reversed, "high", 1)


def _clearest(
    study: StudyEvidence,
    faces: list[tuple[Direction, Side, int]],
    allowed: float,
    fewest: int,
    lost: Mask,
    inside: Mask,
    found: list[Wall],
) -> Wall | None:
    """The least accidental wall on these sides, if any is no luck."""
    taken = {(w.direction.columns, w.direction.turn, w.side) for w in found}
    candidates = [
        wall
        for direction, side, sign in faces
        if (direction.columns, direction.turn, side) not in taken
        for wall in _walls_on(study, direction, side, sign, lost, inside)
        if wall.chance <= allowed and wall.beyond >= fewest
    ]
    return min(candidates, key=lambda w: (w.chance, w.direction.columns, -w.direction.turn, w.side), default=None)


def _walls_on(
    study: StudyEvidence, direction: Direction, side: Side, sign: int, lost: Mask, inside: Mask
) -> list[Wall]:
    """Every place of one side behind which (nearly) all trials are infeasible and none is among the better half."""
    at = sign * direction.along(study.unit)
    here = np.flatnonzero(inside & np.isfinite(at))
    here = here[np.lexsort((lost[here], at[here]))]
    order, gone = at[here], lost[here]
    good = np.where(gone, np.inf, study.losses[here])
    middle = float(np.median(study.losses[~lost])) if (~lost).any() else math.inf
    behind, bad = np.arange(len(here), 0, -1), np.cumsum(gone[::-1])[::-1]
    best = np.minimum.accumulate(good[::-1])[::-1]
    first = np.zeros(len(here), dtype=bool)
    first[1:] = gone[1:] & ~gone[:-1] & (order[1:] != order[:-1])
    return [
        Wall(
            direction=direction,
            side=side,
            sign=sign,
            position=float(sign * (order[i - 1] + order[i]) / 2),
            beyond=int(bad[i]),
            chance=_chance(len(here), int(gone.sum()), int(behind[i]), int(bad[i])),
        )
        for i in np.flatnonzero(first & (behind - bad <= IMPURITY * bad) & (best >= middle))
    ]


def _chance(trials: int, bad: int, behind: int, seen: int) -> float:
    """The hypergeometric tail: at least `seen` of `bad` infeasible trials among the outermost `behind` of `trials`."""
    ways = sum(math.comb(bad, k) * math.comb(trials - bad, behind - k) for k in range(seen, min(bad, behind) + 1))
    return ways / math.comb(trials, behind)
