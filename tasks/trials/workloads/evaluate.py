"""The sealed test set, for the promoted checkpoint only."""

from collections.abc import Mapping
from typing import Any

from tasks.record import Point
from tasks.trials.supervised.batches import evaluate
from tasks.trials.supervised.training import Recipe
from tasks.trials.target import call_recipe


def error_on_test(
    state: Mapping[str, Any],
    *,
    data: Recipe,
    model: Recipe,
    point: Point,
    eval_batch_size: int = 1024,
) -> dict[str, float]:
    """`{test_error, test_loss}` of a checkpoint of the training loop on the test examples; for promoted ones only.

    `state` is what the loop saved, `data` and `model` its recipes, `point` the trial's. The caller counts the
    evaluations (G13).
    """
    found = call_recipe(data)
    network = call_recipe(model, point=point, data=found)
    network.load_state_dict(state["model"])
    network.eval()
    loss, error = evaluate(network, found.test, eval_batch_size)
    return {"test_error": error, "test_loss": loss}
