"""A training program that needs room for its checkpoints."""

from typing import Any

import torch


def fills(trial: Any) -> None:
    """Reports and saves every step; what it goes on from must be what it saved."""
    step, state = trial.resume()
    if state is not None and not bool(state["weights"].eq(float(step)).all()):
        raise ValueError(f"step {step} was not saved like this")
    while step < trial.max_train_steps:
        step += 1
        trial.report(step, loss=1 / step)
        trial.save(step, {"weights": torch.full((15_000,), float(step))})
