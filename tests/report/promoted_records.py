"""The example round after a promotion, as a round that ran writes it: with the checkpoint and its command."""

from tasks.record import Record, Value
from tasks.verdict import CheckpointRow, PromotedRow
from tests.report.example_records import example

POINT: dict[str, Value] = {"optimizer": "adam", "adam.learning_rate": 0.0063, "layers": 2}
CHECKPOINT = CheckpointRow(
    file="trials/r1/checkpoints/step_450.pt", trial="r1", purpose="retrain", of=3, step=450, value=0.041
)
COMMAND = "tunebook history show incumbent mnist1d_mlp"


def promoted_example(point: dict[str, Value] | None = None, checkpoint: CheckpointRow | None = CHECKPOINT) -> Record:
    """The promotion of a point, by default of three values: one changed, one new, one as it was, and one gone."""
    record, won = example("promote"), point or POINT
    assert record.verdict.candidate is not None
    candidate = record.verdict.candidate.model_copy(update={"point": won})
    row = PromotedRow(generation=3, point=won, checkpoint=checkpoint, command=COMMAND)
    verdict = record.verdict.model_copy(update={"candidate": candidate})
    return record.model_copy(update={"verdict": verdict, "promoted": row})
