"""Training programs of a user for the audit of their resumption: each goes on after a cut in a way of its own."""

import os
import random
import time
from typing import Any

import numpy as np


def descends(trial: Any, forgets: str = "", noise: float = 0.0, single: bool = False, clock: bool = False) -> None:
    """Noisy descent with momentum, a schedule, shuffled data, dropout and a running average; saves all that matters.

    `forgets`: what of its state is not put back. `noise`: of the machine, not of the seed. `single`: the state is saved
    in 32 bits. `clock`: it reports seconds too.
    """
    data = np.random.default_rng(0).normal(size=16)
    state: dict[str, Any] = {"weight": 2.0, "velocity": 0.0, "updates": 0, "average": 0.0, "position": 0}
    rng = random.Random(trial.seed)
    done, saved = trial.resume()
    if saved is not None:
        state |= {name: value for name, value in saved.items() if name in state and name != forgets}
        if forgets != "generator":
            version, words, gauss = saved["generator"]
            rng.setstate((version, tuple(words), gauss))
    order = random.Random(trial.seed + 1).sample(range(16), 16)
    begun = time.perf_counter()
    for step in range(done + 1, trial.max_train_steps + 1):
        kept = rng.random() < 0.8
        gradient = (state["weight"] - data[order[state["position"] % 16]]) * kept
        rate = 0.1 * (1 - state["updates"] / trial.max_train_steps)
        state["velocity"] = 0.9 * state["velocity"] - rate * float(gradient)
        state["weight"] += state["velocity"]
        state["average"] = 0.9 * state["average"] + 0.1 * state["weight"]
        state["updates"] += 1
        state["position"] += 1
        if step % trial.eval_every_steps == 0:
            trembling = noise * int.from_bytes(os.urandom(4)) / 2**32
            metrics = {"loss": state["weight"] ** 2 + trembling, "average": state["average"]}
            trial.report(step, **metrics, **({"seconds": time.perf_counter() - begun} if clock else {}))
            rounded = {k: float(np.float32(v)) if single and isinstance(v, float) else v for k, v in state.items()}
            version, words, gauss = rng.getstate()
            trial.save(step, rounded | {"generator": [version, list(words), gauss]})


def plain(trial: Any, how: str) -> None:
    """Counts its steps down, and does one thing about its checkpoints as one should not; see the tests."""
    step, state = (0, None) if how in ("never asks", "never saves") else trial.resume()
    if how == "ignores it":
        step = 0
    if how == "cannot load" and state is not None:
        raise KeyError("optimizer")
    while step < trial.max_train_steps:
        step += 1
        if how == "saves first":
            trial.save(step, {})
        trial.report(step, loss=1.0 / step)
        last = step == trial.max_train_steps
        if how == "saves late" and step == 10:
            trial.save(step, {})
        if how == "counts its lives":
            trial.save(step, {"lives": (state or {"lives": 0})["lives"] + (last and state is not None)})
        if how in ("ignores it", "cannot load", "never asks") or (how == "saves at its end" and last):
            trial.save(step, {"step": step})


def breaks(trial: Any) -> None:
    """Has a bug."""
    raise ValueError("shapes do not match")
