"""Logistic regression on noisy data with many useless inputs: a program that logs to MLflow, and knows of nothing else.

By hand it logs to the MLflow that MLFLOW_TRACKING_URI names; tunebook gives each trial a store of its own there.
"""

import argparse
import math

import mlflow
import numpy as np
from numpy.typing import NDArray

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float, default=0.1)
parser.add_argument("--weight-decay", type=float, default=0.0)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=400)
parser.add_argument("--eval-every", type=int, default=40)

INPUTS = 40


def drawn(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`count` examples, (count, 40), of which five inputs matter; labels 0 and 1, one in ten of them wrong."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(count, INPUTS))
    labels = inputs[:, :5].sum(1) > 0
    return inputs, (labels ^ (random.random(count) < 0.1)).astype(float)


def main() -> None:
    """Train, and log as one does."""
    args = parser.parse_args()
    random = np.random.default_rng(args.seed)
    inputs, labels = drawn(600, seed=1)
    valid_inputs, valid_labels = drawn(2000, seed=2)
    weights = 0.1 * random.normal(size=INPUTS)
    mlflow.set_experiment("logistic")
    with mlflow.start_run():
        mlflow.log_params(vars(args))
        for step in range(1, args.steps + 1):
            batch = random.integers(len(labels), size=20)
            guess = 1 / (1 + np.exp(-inputs[batch] @ weights))
            gradient = inputs[batch].T @ (guess - labels[batch]) / 20
            rate = args.learning_rate * (1 + math.cos(math.pi * step / args.steps)) / 2
            weights -= rate * (gradient + args.weight_decay * weights)
            if step % args.eval_every == 0:
                margin = (2 * valid_labels - 1) * (valid_inputs @ weights)
                mlflow.log_metric("valid_loss", float(np.logaddexp(0, -margin).mean()), step=step)
                mlflow.log_metric("valid_error", float((margin < 0).mean()), step=step)


if __name__ == "__main__":
    main()
