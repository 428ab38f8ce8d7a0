"""How the numbers of an example came to be: predictions, update rules, evaluations, exploration."""

from typing import Any

from tasks.method import EvaluationRow, ExplorationRow, MethodRow, PredictionsRow, UpdateRuleRow
from tasks.record import Record
from tests.report.example_records import example

TARGETS = (7, 1, 4, 9)
GUESSES = ((2, 2, 2, 2), (7, 1, 9, 4), (7, 1, 4, 4), (7, 1, 4, 4))
SURE = ((0.3, 0.2, 0.3, 0.4), (0.9, 0.8, 0.55, 0.6), (0.99, 0.9, 0.7, 0.97), (1.0, 0.95, 0.9, 0.6))


def predictions(**changes: Any) -> PredictionsRow:
    """Four examples at four evaluations: the last is missed to the end, the third until the best step."""
    tree: dict[str, Any] = {
        "trial": "a00000000000b",
        "best_step": 150,
        "steps": (50, 100, 150, 200),
        "target": TARGETS,
        "predicted": GUESSES,
        "confidence": SURE,
        "file": "predictions.json",
    }
    return PredictionsRow.model_validate(tree | changes)


def exploration(**changes: Any) -> ExplorationRow:
    """A third round of exploration."""
    tree: dict[str, Any] = {
        "mode": "exploration",
        "rounds": {"exploration": 3, "exploitation": 0},
        "trials": {"exploration": 120, "exploitation": 0},
        "steps": {"exploration": 24_000, "exploitation": 0},
    }
    return ExplorationRow.model_validate(tree | changes)


ADAM = UpdateRuleRow(
    optimizer="adam",
    trial="a00000000000b",
    implementation="torch.optim.adam.Adam",
    version="torch 2.13.0",
    options={"fused": True},
    rule={"epsilon": "added after both corrections"},
)
EVALUATIONS = (
    EvaluationRow(
        number="trials.best_value", of="search", evaluation="periodic", takes="best", selected=True, evaluations=40
    ),
    EvaluationRow(
        number="trials.final_value", of="search", evaluation="periodic", takes="last", selected=False, evaluations=40
    ),
    EvaluationRow(
        number="gate.arms.trials.value", of="retrain", evaluation="periodic", takes="smoothed best", selected=True,
        evaluations=40, width=3,
    ),
    EvaluationRow(number="test", of="test", evaluation="offline", takes="none", selected=False),
)  # fmt: skip


def stated(**changes: Any) -> Record:
    """The example with all of it, or with some changed."""
    tree: dict[str, Any] = {
        "exploration": exploration(),
        "update_rules": (ADAM,),
        "evaluations": EVALUATIONS,
        "predictions": predictions(),
    }
    return example("promote").model_copy(update={"method": MethodRow(**(tree | changes))})
