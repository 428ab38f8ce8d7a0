"""Values of a record as the type that a test is about."""

from tasks.answers import Answer, Compared
from tasks.record import Record
from tasks.verdict import ArmRow


def compared(answer: Answer) -> Compared:
    """The answer, which must compare two values."""
    assert isinstance(answer, Compared)
    return answer


def arm_of(record: Record, name: str) -> ArmRow:
    """The arm of the gate that has that name."""
    assert record.gate is not None
    return next(arm for arm in record.gate.arms if arm.name == name)
