"""A quadratic surface through a study's good trials: on which side of an edge does its lowest point lie?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import stdtr  # type: ignore[import-untyped]

from tasks.analyze.study.bootstrap import BootstrapThresholds
from tasks.analyze.study.evidence import StudyEvidence, once
from tasks.analyze.study.region import region_of
from tasks.record import Frozen
from tasks.scope.space import Parameter

Floats = NDArray[np.float64]

FEWEST = 4  # usable trials below which the edges say nothing
FLAT_PRIOR = 0.02  # ridge on slopes: a weak pull to "does not matter", in units of the better half's spread
BOWL_PRIOR = 0.05  # ridge on curvatures
FAR = 6.0  # heights are cut here: how bad a bad trial is says nothing about the optimum
GULF = 30.0  # times as far from the best as all nearer trials: what lies beyond is a failure of another kind
NEARER = 1 / 4  # of the trials, and `FEWEST`, are on this side of a gulf at least
STIFFER = 15.0  # times as strong a pull where there are more coefficients than trials, which could follow all luck
OUTER_SHARE = 1 / 3  # of the trials: what the local slope at an edge is measured on


class SurfaceThresholds(Frozen):
    """How sure the surface must be of where the optimum lies."""

    edge_confidence: float = Field(
        default=0.8,
        gt=0.5,
        lt=1,
        description="E2, E3, E5, ours: how sure it must be that the optimum lies at the edge or beyond",
    )


@dataclass(frozen=True, kw_only=True)
class Surface:
    """What the usable trials say about the objective as a sum of one parabola for each hyperparameter.

    `at`: (trials, parameters) coordinates of the box, 0 where a parameter does not exist. `exists`: same shape, bool.
    `heights`: (trials,) losses in units of `spread_of`, the best at 0. `slopes`, `bends`: (parameters,) the
    fit's coefficients. `slope_draws`, `bend_draws`: (draws, parameters), what else the trials allow them to be.
    `parts`: (trials, parameters) each hyperparameter's share of the fit; `rest`: (trials,) heights minus the fit.
    """

    at: Floats
    exists: NDArray[np.bool_]
    heights: Floats
    slope_draws: Floats
    bend_draws: Floats
    parts: Floats
    rest: Floats

    def outward(self, column: int, sign: int, width: float) -> float:
        """The share of draws whose lowest point lies in the outer `width` (of the box) of that side, or beyond it.

        A draw that is no bowl has its lowest point at the end to which it falls.
        """
        slope, bend = sign * self.slope_draws[:, column], self.bend_draws[:, column]
        at_edge = slope + 2.0 * bend * (1.0 - 2.0 * width)
        return float(np.mean(np.where(bend > 0, at_edge, slope) < 0))

    def lowest(self) -> Floats:
        """(draws, parameters) where in the box each draw has its lowest point; one that is no bowl has it at an end."""
        fallen = -np.sign(self.slope_draws)
        inner = np.divide(-self.slope_draws, 2.0 * self.bend_draws, out=fallen.copy(), where=self.bend_draws > 0)
        return np.asarray(np.clip(inner, -1.0, 1.0))

    def falls_outward(self, column: int, sign: int) -> float:
        """How sure it is, in 0 to 1, that the objective still improves over the outer third of the trials.

        A straight line through the outermost trials (four at least), the other hyperparameters' shares taken off,
        and Student's t of its slope: it sees the clean exponential descents that a parabola bends back too early.
        """
        own = np.flatnonzero(self.exists[:, column])
        outer = own[np.argsort(-sign * self.at[own, column], kind="stable")]
        outer = outer[: max(FEWEST, int(np.ceil(OUTER_SHARE * len(own))))]
        x = sign * self.at[outer, column]
        x = x - x.mean()
        y = self.parts[outer, column] + self.rest[outer]
        spread = float(x @ x)
        if len(outer) < FEWEST or spread <= 0.0:
            return 0.0
        slope = float(x @ y) / spread
        error = y - y.mean() - slope * x
        deviation = np.sqrt(max(float(error @ error), 1e-18) / (len(outer) - 2) / spread)
        return _student(-slope / deviation, len(outer) - 2)


def spread_of(losses: Floats) -> float:
    """The unit of heights: median minus best, of the trials on this side of a gulf; 0 where all are equally good.

    Where half of a range does not learn at all, the median is a failed trial, and measured by that all others are
    equally good: finite losses of 1e6 beside some of 0.1 to 0.5 would hide every slope between those.

    Playbook: E2, E3
    """
    far = np.sort(losses) - losses.min()
    least = max(FEWEST, int(np.ceil(NEARER * len(far))))
    beyond = (i for i in range(least, len(far)) if 0.0 < GULF * far[i - 1] < far[i])
    near = far[: next(beyond, len(far))]
    return float(np.median(near)) or float(np.mean(near))


@once
def surface_of(study: StudyEvidence) -> Surface | None:
    """The surface through the usable trials; None where they are too few, or all equally good.

    Weighted least squares on x and x^2 of every range (x in box coordinates), an indicator for every choice and for
    every parameter that exists at some trials only, with a weak ridge; a stronger one where there are more
    coefficients than trials. A trial counts by 1 / (1 + height^2), so that the good ones decide and a cliff far away
    does not. Draws follow the fit's Student posterior; they stand in for a bootstrap, which at eight trials and
    seven coefficients would refit the same few trials again and again.

    Calibrated on additive, skewed, capped and coupled surfaces with 1 to 6 hyperparameters and 8 to 64 trials
    (tests/benchmarks/calibration/checks.py prints the table).

    Playbook: E2, E3, E5
    """
    region = region_of(study)
    rows = np.flatnonzero(region.usable)
    losses = study.losses[rows]
    if len(rows) < FEWEST:
        return None
    spread = spread_of(losses)
    if spread <= 0.0:
        return None
    rows = rows[np.lexsort((*study.unit[rows].T, losses))]  # one order, so that a shuffled study gives the same sums
    heights = np.minimum((study.losses[rows] - losses.min()) / spread, FAR)
    scaled = region.scaled(study.unit)[rows]
    exists = np.isfinite(scaled)
    at = np.where(exists, scaled, 0.0)
    return _fitted(study, tuple(study.study.space), at, exists, heights)


def _fitted(
    study: StudyEvidence, space: tuple[Parameter, ...], at: Floats, exists: NDArray[np.bool_], heights: Floats
) -> Surface:
    edged = np.array([p.has_edges for p in space])
    straight = np.where(edged, at, 0.0)
    bent = np.where(edged, at**2, 0.0)
    extras = _indicators(space, at, exists)
    basis = np.column_stack([straight, bent, extras, np.ones(len(heights))])
    p = len(space)
    ridge = np.repeat([FLAT_PRIOR, BOWL_PRIOR, FLAT_PRIOR, 1e-6], [p, p, extras.shape[1], 1])
    if basis.shape[1] > len(heights):
        ridge[:-1] *= STIFFER
    weights = 1.0 / (1.0 + heights**2)
    weighted = basis.T * weights
    inverse = np.linalg.inv(weighted @ basis + np.diag(ridge))
    coefficients = inverse @ (weighted @ heights)
    rest = heights - basis @ coefficients
    freedom = max(float(weights.sum() - np.trace(inverse @ weighted @ basis)), 2.0)
    variance = max(float((weights * rest) @ rest) / freedom, 1e-9)
    rng, count = study.rng("surface"), study.policy.of(BootstrapThresholds).bootstraps
    normal = rng.standard_normal((count, len(coefficients)))
    tails = np.sqrt(freedom / rng.chisquare(freedom, (count, 1)))
    draws = coefficients + normal @ np.linalg.cholesky(inverse * variance).T * tails
    parts = straight * coefficients[:p] + bent * coefficients[p : 2 * p]
    return Surface(
        at=at,
        exists=exists,
        heights=heights,
        slope_draws=draws[:, :p],
        bend_draws=draws[:, p : 2 * p],
        parts=parts,
        rest=rest,
    )


def _indicators(space: tuple[Parameter, ...], at: Floats, exists: NDArray[np.bool_]) -> Floats:
    """(trials, k): one column for each value of a choice, and one for the existence of a conditional parameter."""
    columns = []
    for j, parameter in enumerate(space):
        if parameter.type == "choice":
            columns += [(at[:, j] == level) & exists[:, j] for level in np.unique(at[exists[:, j], j])]
        elif not exists[:, j].all():
            columns.append(exists[:, j])
    return np.column_stack(columns).astype(np.float64) if columns else np.empty((len(at), 0))


def _student(t: float, freedom: int) -> float:
    """The share of Student's distribution below t."""
    return float(stdtr(freedom, t))
