"""Pseudo-random points (`sampler=random`), for comparison: they leave gaps and clusters."""

import numpy as np

from tasks.design.samplers.sequence import PointSequence, Unit


class Uniform(PointSequence):
    """Independent uniform points.

    Playbook: D7
    """

    @staticmethod
    def unit(count: int, dimensions: int, rng: np.random.Generator) -> Unit:
        """Drawn row by row, so fewer points are the same ones."""
        return rng.random((count, dimensions))
