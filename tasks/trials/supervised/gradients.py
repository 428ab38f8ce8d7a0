"""Gradient norms at every step, and clipping."""

import math
from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor

BINS = 512  # of the trace: enough for a plot as wide as a page, 12 kB in a checkpoint
PER_DECADE = 20  # histogram bins: a percentile read from it is exact to 12 %
QUANTILES = (10, 25, 50, 75, 90)  # per cent
LOWEST, HIGHEST = -10, 10  # decades of the histogram; what lies outside counts in its first or last bin


def total_norm(gradients: list[Tensor]) -> Tensor:
    """() float32: the L2 norm of all gradients as one vector, left on its device.

    As `nn.utils.get_total_norm`, at two thirds of its price here.

    Playbook: I1
    """
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return norm


def clip(gradients: list[Tensor], norm: Tensor, threshold: float) -> None:
    """Scales the gradients to the global norm `threshold` where theirs is larger: g' = threshold * g / norm.

    In place, and without a look at the numbers; at or below the threshold the factor is exactly 1.

    Playbook: I12
    """
    torch._foreach_mul_(gradients, (threshold / norm).clamp(max=1.0))


def quantiles(norms: Sequence[float]) -> dict[str, float]:
    """`{grad_norm_q10: …}`: five quantiles of the norms since the last report, from which a histogram can be drawn.

    A report of them is all that is kept of every step: it costs five numbers, however many steps there were.

    Playbook: I1
    """
    ordered = sorted(norms)
    last = len(ordered) - 1
    return {f"grad_norm_q{q}": ordered[round(q / 100 * last)] for q in QUANTILES}


class GradientTrace:
    """What the gradient's norm did: a trace over the steps, and a histogram over all of them.

    The trace has at most `BINS` bins of `width` steps each, with the mean and the largest norm of each bin; when
    it is full, neighbours are merged and `width` doubles. So a spike of one step is still seen in the largest norm
    after a million steps. The histogram is spaced by logarithm, because norms range over decades.

    Playbook: I1
    """

    def __init__(self) -> None:
        self.width = 1
        self.means: list[float] = []
        self.maxima: list[float] = []
        self.counts = [0] * ((HIGHEST - LOWEST) * PER_DECADE)
        self._open: list[float] = []

    def add(self, norms: Sequence[float]) -> None:
        """Takes the norms of the next steps, in order; they must be finite."""
        for norm in norms:
            self.counts[_bin(norm)] += 1
            self._open.append(norm)
            if len(self._open) == self.width:
                self._close()

    @property
    def steps(self) -> int:
        """How many steps it has seen."""
        return sum(self.counts)

    def percentile(self, share: float) -> float:
        """The norm below which `share` of all steps lie, to half a histogram bin (6 %); NaN before the first step.

        The 90th percentile is the playbook's first clipping threshold (I12).

        Playbook: I12
        """
        wanted, seen = share * self.steps, 0
        for i, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return float(10 ** (LOWEST + (i + 0.5) / PER_DECADE))
        return math.nan

    def state(self) -> dict[str, Any]:
        """Everything as plain values, for a checkpoint."""
        return {
            "width": self.width,
            "means": list(self.means),
            "maxima": list(self.maxima),
            "counts": list(self.counts),
            "open": list(self._open),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The trace that `state` was taken of; it goes on as if it had never been put away."""
        trace = cls()
        trace.width = int(state["width"])
        trace.means, trace.maxima = list(state["means"]), list(state["maxima"])
        trace.counts, trace._open = list(state["counts"]), list(state["open"])
        return trace

    def _close(self) -> None:
        self.means.append(sum(self._open) / self.width)
        self.maxima.append(max(self._open))
        self._open = []
        if len(self.means) == BINS:
            self.means = [(a + b) / 2 for a, b in _pairs(self.means)]
            self.maxima = [max(a, b) for a, b in _pairs(self.maxima)]
            self.width *= 2


def _pairs(values: list[float]) -> list[tuple[float, float]]:
    return list(zip(values[::2], values[1::2], strict=True))


def _bin(norm: float) -> int:
    """The histogram bin of a norm; zero has no logarithm and counts in the first."""
    if norm <= 0:
        return 0
    return min(max(math.floor((math.log10(norm) - LOWEST) * PER_DECADE), 0), (HIGHEST - LOWEST) * PER_DECADE - 1)
