"""The Halton sequence, scrambled: the default."""

import numpy as np

from tasks.design.samplers.sequence import PointSequence, Unit


class Halton(PointSequence):
    """Scrambled Halton points, in any number.

    AlgoPerf's Halton generator has no scramble and at 100 points or fewer is no better than random, hence scipy's.

    Playbook: D5, D6
    """

    @staticmethod
    def unit(count: int, dimensions: int, rng: np.random.Generator) -> Unit:
        """The scramble is drawn before the points, so fewer points are the same ones."""
        from scipy.stats import qmc  # type: ignore[import-untyped]  # half a second, only where points are drawn

        return np.asarray(qmc.Halton(d=dimensions, scramble=True, rng=rng).random(count))
