"""How a planted study's trials train: the half of a scenario that depends on the step."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tests.analyze.planted_curves import Floats, Rng, falling

EFFECT = 0.05
DESCENT = 0.6  # what `falling` falls by
WAVE = 0.25  # effects: how far a planted period swings
RESTART = 2.0  # effects: what a restart of the schedule loses for a while
LEVEL = 0.3  # where the best place of a land ends
GUESS = LEVEL + DESCENT  # what a guesser's error is
EXAMPLES = 2000  # of the validation set, where one is sampled


@dataclass(frozen=True, kw_only=True)
class Curves:
    """How every trial of a study trains; see `falling`. `jitter`: SD of an evaluation in SDs of a trial's luck.

    `pace` is a share of training and differs between trials by `spread` of itself, both ways. `period`: an interval,
    in evaluations. `train_error`: where it ends, an interval. `spike`: by what the gradient's norm jumps at one late
    evaluation, an interval; without one it wanders by half its logarithm. `sample`: how far all `EXAMPLES` examples and
    the sample of them that is evaluated on differ, in standard errors of the sample, an interval.
    """

    evaluations: int = 20
    pace: float = 0.15
    spread: float = 0.0
    rise: float = 0.0
    poor_rise: float = 0.0  # of the trials whose place is `poor` or worse
    train_rise: float = 0.0
    early: bool = False  # best at the second evaluation, flat and a little worse from then on
    jitter: float = 0.25  # negative: in effects
    tied: float = 0.0  # correlation of an evaluation's noise with the last one's
    period: tuple[float, float] | None = None
    restarts: int = 0
    decays: bool = False  # a decaying learning rate is reported
    train_error: tuple[float, float] | None = None
    spike: tuple[float, float] | None = None
    sample: tuple[float, float] | None = None


def guessing(curves: Curves, noise: float, rng: Rng) -> Mapping[str, Floats]:
    """The curves of a trial that never learns: its error is a guesser's, but for the luck of each evaluation."""
    scatter = EFFECT * curves.jitter * noise
    return {name: GUESS + scatter * rng.standard_normal(curves.evaluations) for name in ("valid_error", "train_loss")}


def trained(
    curves: Curves, away: float, noise: float, rng: Rng, shared: Rng, *, poor: float = 2.0
) -> Mapping[str, Floats]:
    """The curves of a trial whose place is so many effects from the best; `noise` and `poor` in effects.

    `shared` draws what all trials of the study have in common: the length of an epoch, how a sample differs.
    """
    level = LEVEL + EFFECT * (away + noise * float(rng.standard_normal()))
    jitter = EFFECT * (-curves.jitter if curves.jitter < 0 else curves.jitter * noise) / DESCENT
    count = curves.evaluations
    if curves.early:
        rest = count - 2
        flat = level + 0.1 + 0.1 * np.linspace(0, 1, rest) + DESCENT * jitter * rng.standard_normal(rest)
        return {"valid_error": np.concatenate([[level + DESCENT, level], flat])}
    rise = curves.rise or curves.poor_rise * (away > poor)
    white = 0.0 if curves.tied else jitter
    valid = falling(rng, count=count, level=level, pace=curves.pace, noise=white, rise=rise)
    train = falling(rng, count=count, level=level, pace=curves.pace, noise=jitter, rise=curves.train_rise)
    time = np.arange(1, count + 1) / count
    if curves.spread:
        slower = curves.pace * (1.0 + curves.spread * rng.uniform(-1.0, 1.0))
        change = DESCENT * (np.exp(-time / slower) - np.exp(-time / curves.pace))
        valid, train = valid + change, train + change
    if curves.tied:
        valid = valid + DESCENT * jitter * _wandering(curves.tied, count, rng)
    if curves.period is not None:
        cycles = np.arange(count) / shared.uniform(*curves.period)
        valid = valid + EFFECT * WAVE * np.sin(2 * np.pi * (cycles + rng.random()))
    valid = valid + 0.5 * EFFECT * RESTART * (1 + np.cos(np.pi * (time * curves.restarts % 1))) * (curves.restarts > 0)
    found = {"valid_error": valid, "train_loss": train, **_beside(curves, time, jitter, rng)}
    if curves.sample is not None:
        off = shared.uniform(*curves.sample) * shared.choice([-1.0, 1.0]) * np.sqrt(LEVEL * (1 - LEVEL) / EXAMPLES)
        found["full_valid_error"] = np.where(np.arange(1, count + 1) % 5 == 0, valid + off, np.nan)
    return found


def _beside(curves: Curves, time: Floats, jitter: float, rng: Rng) -> dict[str, Floats]:
    """What a trial reports beside its losses; the gradient's norm always, so that nobody is silent for want of it."""
    norms = np.exp(0.5 * rng.standard_normal(len(time)))
    if curves.spike is not None:
        late = int(rng.integers(len(time) // 2, len(time)))
        norms[late] *= rng.uniform(*curves.spike) / norms[late]
    found = {"grad_norm": norms}
    if curves.decays:
        found["learning_rate"] = 0.5 * (1.0 + np.cos(np.pi * time))
    if curves.train_error is not None:
        end = rng.uniform(*curves.train_error)
        error = end + DESCENT * (np.exp(-time / curves.pace) + jitter * rng.standard_normal(len(time)))
        found["train_error"] = np.clip(error, 0.0, 1.0)
    return found


def _wandering(tied: float, count: int, rng: Rng) -> Floats:
    """(count,) standard normal noise, each value tied to the last one."""
    noise = rng.standard_normal(count)
    for i in range(1, count):
        noise[i] = tied * noise[i - 1] + np.sqrt(1 - tied**2) * noise[i]
    return noise
