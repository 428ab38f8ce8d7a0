"""A small network learns two spirals: a plain PyTorch program with arguments, which tunebook starts as it is.

It appends a line to a file at each evaluation and then saves, in this order: killed in between, it evaluates once more
rather than never.
"""

import argparse
import json
import math
import os
from pathlib import Path

import torch
from torch import Tensor, nn

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--activation", choices=["relu", "tanh"], default="relu")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=400)
parser.add_argument("--eval-every", type=int, default=20)
parser.add_argument("--metrics", type=Path, default=Path("metrics.jsonl"))
parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))


def spirals(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """`count` points on two noisy spirals: (count, 2) float32, and which spiral each is on."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (count,), generator=random)
    turn = 3 * math.pi * torch.rand(count, generator=random).sqrt()
    points = turn[:, None] * torch.stack([turn.cos(), turn.sin()], 1) * (1 - 2 * labels[:, None]) / 3
    return points + 0.4 * torch.randn(count, 2, generator=random), labels


def main() -> None:
    """Train, or go on with training."""
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    random = torch.Generator().manual_seed(args.seed)
    inputs, labels = spirals(2000, seed=1)
    valid_inputs, valid_labels = spirals(1000, seed=2)
    act = {"relu": nn.ReLU, "tanh": nn.Tanh}[args.activation]
    model = nn.Sequential(nn.Linear(2, 64), act(), nn.Linear(64, 64), act(), nn.Linear(64, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.steps)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    first, last = 1, args.checkpoints / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        random.set_state(state["random"])
        first = state["step"] + 1
    for step in range(first, args.steps + 1):
        batch = torch.randint(len(inputs), (64,), generator=random)
        loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % args.eval_every == 0:
            with torch.no_grad():
                wrong = (model(valid_inputs).argmax(1) != valid_labels).float().mean()
            with args.metrics.open("a") as file:
                file.write(json.dumps({"step": step, "valid_error": wrong.item(), "train_loss": loss.item()}) + "\n")
            args.checkpoints.mkdir(exist_ok=True)
            state = {name: part.state_dict() for name, part in parts.items()}
            torch.save(state | {"random": random.get_state(), "step": step}, last.with_suffix(".new"))
            os.replace(last.with_suffix(".new"), last)  # never half a checkpoint


if __name__ == "__main__":
    main()
