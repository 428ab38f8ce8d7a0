"""A fixed sampler for the tests of the seam: an additive recurrence, which this program does not ship."""

import numpy as np

from tasks.design.samplers.sequence import PointSequence, Unit


class Lattice(PointSequence):
    """Multiples of irrational steps, shifted by the seed."""

    @staticmethod
    def unit(count: int, dimensions: int, rng: np.random.Generator) -> Unit:
        """The shift is drawn before the points, so fewer points are the same ones."""
        steps = 1.324717957244746 ** -np.arange(1, dimensions + 1)
        return (rng.random(dimensions) + np.outer(np.arange(1, count + 1), steps)) % 1.0
