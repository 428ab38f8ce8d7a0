"""A walk of a person's own, which a cut-off trial goes on with; `frail`: some of its trials break, each in its way."""

import math
import os
import random
import signal
import time
from typing import Any

import torch  # what saving needs: imported here, the children have it from the process that forks them

assert torch.__version__


def train(trial: Any, b: float, frail: bool) -> None:
    """Reports `loss`, `train_loss` and `extra`; the value b of the switch is worth `b`, and a is worth 1."""
    x, z = trial.point["x"], trial.point["z"]
    if frail and x > 0.85:
        raise ValueError(f"x = {x:.4f} is more than this program can take")
    if frail and x < 0.1:
        os.kill(os.getpid(), signal.SIGSEGV) if x < 0.05 else os._exit(3)
    step, state = trial.resume()
    place = state["place"] if state else {"a": 1.0, "b": b}[trial.point["switch"]]
    while step < trial.max_train_steps:
        step += 1
        time.sleep(0.005)
        place += 0.01 * random.Random(f"{trial.seed} {step}").gauss(0, 1)
        if step % trial.eval_every_steps == 0:
            loss = place + (x - 0.5) ** 2 + (z - 0.5) ** 2 + 2.0 ** -(step / 4)
            loss = math.nan if frail and x > 0.7 and step > 20 else loss
            trial.report(step, loss=loss, train_loss=0.9 * loss, extra=loss + x / step)
        if trial.stopping or step % 10 == 0:
            trial.save(step, {"place": place})
