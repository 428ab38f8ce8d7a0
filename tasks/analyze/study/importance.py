"""A functional analysis of variance: what each hyperparameter explains, alone and in pairs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import fdtrc  # type: ignore[import-untyped]

from tasks.analyze.study.evidence import StudyEvidence, once
from tasks.analyze.study.region import region_of
from tasks.record import Frozen
from tasks.scope.policy import Policy
from tasks.scope.space import Parameter

SHUFFLES = 400  # a chance of 5 % is then good to about one percent
DRAWS = 1000
FEWEST = 8  # usable trials below which no hyperparameter can be told from luck
FREE = 4  # trials beyond what the surface takes, below which no pair is asked about

Floats = NDArray[np.float64]
Name = TypeVar("Name", str, tuple[str, str])


class ImportanceThresholds(Frozen):
    """What matters, and what can be fixed."""

    sensitivity_chance: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="B5, ours: how often luck alone may make any hyperparameter, or any pair, of a study matter",
    )
    idle_share: float = Field(
        default=0.08,
        gt=0,
        lt=1,
        description="B5, ours: what surely explains less than this share of the differences can be fixed",
    )


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one hyperparameter explains of the differences between the trials, as a share of their variance.

    `chance`: how often the luckiest of all would explain as much in shuffled trials. `low` to `high`: what else the
    trials allow it to be, in 9 of 10 cases; `most`: the 95 % bound with its part in every pair, 1 where not asked.
    """

    name: str
    share: float
    low: float
    high: float
    most: float
    chance: float


@dataclass(frozen=True, kw_only=True)
class Importance:
    """What the `trials` of a study say of its hyperparameters, the one that explains most first.

    `telling`: they explain more than chance. `together`: pairs that interact; `pairs`: how often the luckiest pair
    would look as dependent in shuffled trials, of each that was asked about. `idle`: they can be fixed. `jointly`:
    each was judged beyond the others; else there were too few trials for that, and each was judged alone.
    """

    trials: int
    parts: tuple[Part, ...]
    pairs: Mapping[tuple[str, str], float]
    telling: tuple[str, ...]
    together: tuple[tuple[str, str], ...]
    idle: tuple[str, ...]
    jointly: bool


@dataclass(frozen=True, kw_only=True)
class Term:
    """A term of the surface: `own` are its orthonormal columns beyond what it is tested against, `whole` both."""

    own: Floats
    whole: Floats


@once
def importance_of(study: StudyEvidence) -> Importance | None:
    """A functional analysis of variance of the usable trials; None with fewer than eight, or all equally good.

    The surface is a sum of parabolas in the sampled scale (a mean a value for choices) and of one product a pair. On
    points that fill the space such terms share nothing, so what each explains can be read off as in fANOVA (Hutter,
    Hoos and Leyton-Brown 2014), whose forest wants more trials. Explained are the differences of log(1 + height),
    heights in units of median minus best: the good trials decide and a cliff does not drown them, which is why
    PED-ANOVA (Watanabe et al. 2023) cuts the bad ones off.

    Chances are those of the luckiest hyperparameter, or pair, when what the surface leaves over is shuffled among the
    trials (ter Braak 1992): one study in twenty makes a wrong claim of each kind, not one claim in twenty. A pair is
    more than the bend that a monotone change of the metric gives a surface without pairs; one degree of freedom
    stands for that (Tukey 1949). Idle is what explains less than `idle_share` at its bound, interacts with nothing
    and has no wall: infeasible trials are left out here, and they may be all that it does.

    How often it is right: tests/benchmarks/calibration/importance.py.

    Playbook: B5
    """
    region = region_of(study)
    rows = np.flatnonzero(region.usable)
    losses = study.losses[rows]
    if len(rows) < FEWEST or losses.min() == losses.max():
        return None
    rows = rows[np.lexsort((*study.unit[rows].T, losses))]  # one order, so that a shuffled study gives the same sums
    y = _differences(study.losses[rows])
    blocks = {p.name: _block(p, study.unit[rows, j]) for j, p in enumerate(study.study.space)}
    blocks = {name: blocks[name] for name in sorted(blocks) if blocks[name].shape[1]}
    surface = _joined(_mean(len(y)), blocks.values())
    jointly = len(y) >= 2 * surface.shape[1]
    mains = _mains(blocks, jointly, len(y))
    if not mains:
        return None
    listed = {p.name for p in study.study.space if p.type == "choice"}
    first = {name: b if name in listed else b[:, :1] for name, b in blocks.items()}
    bent = _joined(surface, [(surface @ (surface.T @ y))[:, None] ** 2])
    pairs = _pairs(first, bent) if jointly else {}
    chances = _chances(y, surface if jointly else _mean(len(y)), mains, study.rng("sensitivity"))
    luck = _chances(y, bent, pairs, study.rng("interactions"))
    parts = [
        _part(name, y, term, _bounding(name, mains, pairs, jointly), chances[name], study.rng("shares"))
        for name, term in mains.items()
    ]
    return _judged(study.policy, parts, luck, {w.parameter.name for w in region.walls}, trials=len(y), jointly=jointly)


def _judged(
    policy: Policy,
    parts: list[Part],
    luck: dict[tuple[str, str], float],
    walled: set[str],
    *,
    trials: int,
    jointly: bool,
) -> Importance:
    bars = policy.of(ImportanceThresholds)
    bar = bars.sensitivity_chance
    ordered = sorted(parts, key=lambda p: -p.share)
    telling = tuple(p.name for p in ordered if p.chance <= bar)
    together = tuple(names for names, chance in luck.items() if chance <= bar)
    busy = walled.union(telling, *together)
    return Importance(
        trials=trials,
        parts=tuple(ordered),
        pairs=luck,
        telling=telling,
        together=together,
        idle=tuple(p.name for p in ordered if p.most < bars.idle_share and p.name not in busy),
        jointly=jointly,
    )


def _differences(losses: Floats) -> Floats:
    """(trials,) float64 with mean 0: log(1 + height), the best at height 0 and the median at 1."""
    heights = losses - losses.min()
    heights = np.log1p(heights / (float(np.median(heights)) or float(heights.mean())))
    return np.asarray(heights - heights.mean(), dtype=np.float64)


def _block(parameter: Parameter, at: Floats) -> Floats:
    """(trials, k) float64: the columns of one hyperparameter, each 0 on average and where it does not exist."""
    here = np.isfinite(at)
    levels = np.unique(at[here])
    if parameter.type == "choice":
        columns = [at == level for level in levels[1:]]
    else:
        straight = np.where(here, at, 0.0) - (at[here].mean() if len(levels) else 0.0)
        columns = [straight, straight**2][: max(len(levels) - 1, 0)]
    block = np.array(columns, dtype=np.float64).reshape(len(columns), len(at)).T
    return np.where(here[:, None], block - block[here].mean(axis=0), 0.0) if columns else block


def _beyond(columns: Floats, given: Floats) -> Floats:
    """Orthonormal columns that span what `columns` have and `given` (orthonormal) have not."""
    size = np.linalg.norm(columns, axis=0)
    columns = columns[:, size > 0] / size[size > 0]
    left, size, _ = np.linalg.svd(columns - given @ (given.T @ columns), full_matrices=False)
    return np.asarray(left[:, size > 1e-6], dtype=np.float64)


def _mean(trials: int) -> Floats:
    """(trials, 1) float64: the orthonormal basis of the mean."""
    return np.full((trials, 1), trials**-0.5)


def _joined(given: Floats, blocks: Iterable[Floats]) -> Floats:
    """An orthonormal basis of what is given and of the blocks."""
    columns = [*blocks]
    return np.column_stack([given, _beyond(np.column_stack(columns), given)]) if columns else given


def _mains(blocks: Mapping[str, Floats], jointly: bool, trials: int) -> dict[str, Term]:
    """Each hyperparameter beyond all others, or beyond the mean alone; none that leaves too few trials over."""
    others = {n: [b for other, b in blocks.items() if other != n] if jointly else [] for n in blocks}
    terms = {n: _term(b, _joined(_mean(trials), others[n])) for n, b in blocks.items()}
    return {n: t for n, t in terms.items() if _askable(t)}


def _pairs(first: Mapping[str, Floats], bent: Floats) -> dict[tuple[str, str], Term]:
    """Each pair's products beyond the surface and its bend; none of two that never exist together."""
    terms = {(a, b): _term(_products(first[a], first[b]), bent) for a, b in combinations(first, 2)}
    return {names: t for names, t in terms.items() if _askable(t)}


def _term(columns: Floats, given: Floats) -> Term:
    own = _beyond(columns, given)
    return Term(own=own, whole=np.column_stack([given, own]))


def _askable(term: Term) -> bool:
    trials, columns = term.whole.shape
    return bool(term.own.shape[1] > 0 and trials - columns >= FREE)


def _bounding(
    name: str, mains: Mapping[str, Term], pairs: Mapping[tuple[str, str], Term], jointly: bool
) -> list[Floats] | None:
    """The pairs whose part counts in the bound of a hyperparameter; None where they could not be asked about."""
    company = [t.own for names, t in pairs.items() if name in names]
    return company if jointly and (company or len(mains) == 1) else None


def _products(a: Floats, b: Floats) -> Floats:
    """(trials, i * j): every product of a column of `a` with one of `b`."""
    return np.asarray((a[:, :, None] * b[:, None, :]).reshape(len(a), -1), dtype=np.float64)


def _chances(y: Floats, known: Floats, terms: Mapping[Name, Term], rng: np.random.Generator) -> dict[Name, float]:
    """For each term the share of shuffles in which the luckiest of all stands out as much from what is left over."""
    if not terms:
        return {}
    left: Floats = y - known @ (known.T @ y)
    columns = np.column_stack([y, *(rng.permutation(left) for _ in range(SHUFFLES))])  # (trials, 1 + shuffles)
    size = (columns**2).sum(axis=0)
    tails = []
    for term in terms.values():
        k, freedom = term.own.shape[1], len(y) - term.whole.shape[1]
        rest = np.maximum(size - ((term.whole.T @ columns) ** 2).sum(axis=0), 1e-12 * size)
        tails.append(fdtrc(k, freedom, ((term.own.T @ columns) ** 2).sum(axis=0) / k * freedom / rest))
    luckiest = np.min(tails, axis=0)[1:]
    as_lucky = [int((luckiest <= tail[0]).sum()) for tail in tails]
    return {name: (count + 1) / (SHUFFLES + 1) for name, count in zip(terms, as_lucky, strict=True)}


def _part(
    name: str, y: Floats, term: Term, company: list[Floats] | None, chance: float, rng: np.random.Generator
) -> Part:
    """The share of one term with its band, by the posterior of its coefficients under a flat prior."""
    total, freedom = float(y @ y), len(y) - term.whole.shape[1]
    variance = max(total - float(((term.whole.T @ y) ** 2).sum()), 1e-12 * total) / freedom
    spread = variance * freedom / rng.chisquare(freedom, DRAWS)

    def draws(columns: Floats) -> Floats:
        explained = float(((columns.T @ y) ** 2).sum())
        return np.asarray(spread * rng.noncentral_chisquare(columns.shape[1], explained / spread) / total)

    low, high = np.quantile(draws(term.own), (0.05, 0.95))
    most = 1.0 if company is None else np.quantile(draws(np.column_stack([term.own, *company])), 0.95)
    return Part(
        name=name,
        share=float(((term.own.T @ y) ** 2).sum()) / total,
        low=float(low),
        high=min(float(high), 1.0),
        most=min(float(most), 1.0),
        chance=chance,
    )
