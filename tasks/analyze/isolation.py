"""The isolation plot in numbers: the best trial of each scientific value over all nuisances, with the search's luck."""

import numpy as np
from numpy.typing import NDArray

from tasks.analyze.study.bootstrap import QUANTILES, BootstrapThresholds, best_band, repeated_bests
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import Slice, slices
from tasks.answers import Compared
from tasks.record import IsolationRow, finite

Floats = NDArray[np.float64]


def isolate(evidence: Evidence) -> tuple[IsolationRow, ...]:
    """A row for each value of each scientific hyperparameter: its best trial with a band; ranges are bucketed.

    The band is where another study of the same size would find its best in 90 % of cases, in the metric's unit. It
    is None where fewer than four trials are feasible; the best is None where none is. A slice without any trial
    keeps its row, so that the report shows the gap.

    Playbook: F11, F12, F14
    """
    return tuple(_row(s) for s in slices(evidence) if s.parameter is not None)


def ranking(evidence: Evidence) -> tuple[Slice, ...]:
    """The slices of the first scientific hyperparameter that hold a feasible trial, best first; of equals the first."""
    found = [s for s in slices(evidence) if s.best]
    first = [s for s in found if s.parameter == found[0].parameter]
    return tuple(sorted(first, key=lambda s: s.best_loss))


def gain_band(better: Slice, against: Slice) -> tuple[float, float] | None:
    """`(low, high)`: what another pair of studies would find `better` to gain over `against`, in 90 % of cases.

    None where either has fewer than four feasible trials. Positive is better, in the metric's unit.

    Playbook: F14, G7
    """
    gains = _draws(against) - _draws(better)
    if not np.isfinite(gains).all():
        return None
    low, high = np.quantile(gains, (QUANTILES[0], QUANTILES[2]))
    return float(low), float(high)


def held_against(kind: str, better: Slice, against: Slice, *, conclusive: bool) -> Compared:
    """One slice against another as an answer; `conclusive` only where the band of their difference excludes zero."""
    band = gain_band(better, against)
    return Compared(
        kind=kind,
        source="search",
        value=better.answer_value(),
        against=against.answer_value(),
        gain=against.best_loss - better.best_loss,
        band=band,
        conclusive=conclusive and band is not None and (band[0] > 0 or band[1] < 0),
    )


def _row(s: Slice) -> IsolationRow:
    sign = s.objective.sign
    band = best_band(s.losses, s.rng("band"), s.study.policy.of(BootstrapThresholds).bootstraps)
    low, high = sorted(sign * v for v in band) if band else (None, None)
    return IsolationRow(
        parameter=str(s.parameter),
        value=s.value,
        bucket=s.bucket,
        best_trial=s.best.id if s.best else None,
        best_value=finite(s.best.best_value) if s.best else None,
        band=(low, high) if low is not None and high is not None else None,
    )


def _draws(s: Slice) -> Floats:
    return repeated_bests(s.losses, s.rng("band"), s.study.policy.of(BootstrapThresholds).bootstraps)
