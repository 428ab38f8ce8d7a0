"""The Sobol sequence, scrambled."""

import numpy as np

from tasks.design.samplers.sequence import PointSequence, Unit


class Sobol(PointSequence):
    """Scrambled Sobol points; the most even ones at a power of two.

    Playbook: D5, D6
    """

    @staticmethod
    def unit(count: int, dimensions: int, rng: np.random.Generator) -> Unit:
        """Drawn to the next power of two and cut: the balance is best there, and scipy warns anywhere else."""
        from scipy.stats import qmc  # type: ignore[import-untyped]  # half a second, only where points are drawn

        sequence = qmc.Sobol(d=dimensions, scramble=True, rng=rng)
        return np.asarray(sequence.random_base2(max(count - 1, 1).bit_length()))[:count]
