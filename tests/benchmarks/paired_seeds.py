"""How much of the noise paired seeds remove on real training, and how the gate fares on that noise.

    python tests/benchmarks/paired_seeds.py [seeds] [rounds]

The retrains of a round share their seeds across arms: initialisation and order of the data are alike where shapes
are. Here each workload's baseline and configurations one change away from it are trained on the same seeds, and
counted as retrains are. "removed": by what share the variance of a difference is smaller than of independent seeds.
Then retrains of one configuration are dealt to two arms at random, so that nothing is better, and put before the gate.
"""

import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from flows.compose.compose import from_overrides
from flows.compose.config import RoundConfig
from tasks.design.study import Planned
from tasks.promote.comparison import INCUMBENT, finalist
from tasks.promote.gate import gate
from tasks.promote.retrains import judged
from tasks.record import Value
from tasks.scope.roles import Scope, baseline_incumbent, scope_of
from tasks.trials.inline import run_inline
from tasks.trials.settings import Execution

LR = "nesterov.learning_rate"
CHANGES: Mapping[str, Mapping[str, Value]] = {
    "the baseline": {},
    "learning rate halved": {LR: 0.025},
    "weight decay 1e-3": {"weight_decay": 1e-3},
    "dropout 0.1": {"regularizer": "dropout", "dropout.rate": 0.1},
    "gelu": {"activation": "gelu"},
    "twice as wide": {"width": 128},
    "adam": {"optimizer": "adam", "adam.learning_rate": 1e-3, "adam.one_minus_beta1": 0.1,
             "adam.one_minus_beta2": 1e-3, "adam.epsilon": 1e-8},
}  # fmt: skip


def scope_for(config: RoundConfig) -> Scope:
    """The scope of a round on that workload."""
    incumbent = baseline_incumbent(config.workload, config.space)
    return scope_of(
        config.goal, config.space, config.workload, config.budget, config.policy, incumbent,
        sampler=config.sampler, seed=config.seed, acknowledged=config.acknowledge,
    )  # fmt: skip


def losses_of(config: RoundConfig, scope: Scope, point: Mapping[str, Value], seeds: int) -> NDArray[np.float64]:
    """(seeds,) float64: what a retrain of that point counts for on each seed."""
    execution = Execution(workload=config.workload, runner=config.runner)
    found = []
    for seed in range(seeds):
        planned = Planned(
            id=f"t{seed}",
            study="s",
            purpose="retrain",
            index=seed,
            point=dict(point),
            seed=seed,
            max_train_steps=config.budget.max_train_steps,
            eval_every_steps=config.budget.eval_every_steps,
        )
        loss = judged(scope, run_inline(planned, execution))
        found.append(math.nan if loss is None else loss)
    return np.array(found)


def paired(base: NDArray[np.float64], other: NDArray[np.float64]) -> str:
    """Correlation with its 95 % interval (Fisher), and the share of the variance that pairing removes."""
    correlation = float(np.corrcoef(base, other)[0, 1])
    half = 1.96 / math.sqrt(len(base) - 3)
    low, high = (math.tanh(math.atanh(correlation) + side * half) for side in (-1, 1))
    removed = 1 - np.var(base - other, ddof=1) / (np.var(base, ddof=1) + np.var(other, ddof=1))
    return f"{correlation:+.2f} ({low:+.2f} to {high:+.2f}) | {removed:+.2f}"


def of_nothing(losses: NDArray[np.float64], rounds: int, budget: int = 16) -> tuple[float, float]:
    """`(promoted, retrains an arm)` where both arms are one configuration on different seeds."""
    rng, promoted, spent = np.random.default_rng(0), 0, 0.0
    for _ in range(rounds):
        ours, theirs = rng.choice(losses, (2, budget), replace=False).tolist()
        decision = gate({finalist(0): ours, INCUMBENT: theirs}, minimum_gain=0.0, error_rate=0.05, budget=budget)
        promoted += decision.outcome == "promote"
        spent += decision.comparisons[0].last.retrains
    return promoted / rounds, spent / rounds


def main(seeds: int, rounds: int) -> None:
    """Prints the tables, a workload after the other."""
    torch.set_num_threads(1)
    for name in ("digits", "mnist1d"):
        config = from_overrides([f"workload={name}", "goal=optimizer", "budget=standard"], None)
        scope, base = scope_for(config), np.empty(0)
        start = time.monotonic()
        print(f"\n{name}: {seeds} seeds a configuration, {rounds} rounds\n")
        print("| configuration | mean | SD | correlation with the baseline | removed | promoted over itself | after |")
        print("|---|---|---|---|---|---|---|")
        for label, change in CHANGES.items():
            point = {**scope.incumbent.point, **change}
            point = {k: v for k, v in point.items() if change.get("optimizer") != "adam" or "nesterov" not in k}
            losses = losses_of(config, scope, point, seeds)
            assert np.isfinite(losses).all(), label
            base = base if len(base) else losses
            told = "| " if label == "the baseline" else paired(base, losses)
            promoted, after = of_nothing(losses, rounds)
            numbers = f"{losses.mean():.4f} | {losses.std(ddof=1):.4f} | {told} | {promoted:.3f} | {after:.1f}"
            print(f"| {label} | {numbers} |", flush=True)
        print(f"\n{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(100, 2000)[len(given) :])
