"""`Answer`, and the types of answers by the kind of the goal: what a kind answers is registered, not listed here."""

from collections.abc import Mapping
from typing import Annotated, Literal, Unpack

from pydantic import BeforeValidator, ConfigDict, SerializeAsAny

from tasks.values import RecordRow, Value

ANSWERS: dict[str, type["Answer"]] = {}
"""The type of answer of each kind of goal."""


class Answer(RecordRow):
    """The answer to the question of a goal of this `kind`.

    `settings`: what it would have the incumbent's settings be. A subclass names the kinds that it is the answer of:
    `class Compared(Answer, kinds=("improve",))`. Fields that nothing here knows are kept, so that an answer of another
    program's kind is the same once it was read and written again.
    """

    model_config = ConfigDict(extra="allow")

    kind: str
    conclusive: bool = False
    settings: dict[str, Value] = {}

    def __init_subclass__(cls, *, kinds: tuple[str, ...] = (), **config: Unpack[ConfigDict]) -> None:
        super().__init_subclass__(**config)
        for kind in kinds:
            if kind in ANSWERS:
                raise TypeError(f"goals of kind {kind!r} are answered by {ANSWERS[kind].__name__} already")
            ANSWERS[kind] = cls


class Compared(Answer, kinds=("improve", "understand")):
    """Two scientific values compared: `gain` > 0 means `value` is better than `against`, in the metric's unit.

    `source`: the gate's fresh retrains of the change and of the retuned baseline without it, or the best of two
    searches. `band`: of the retrains limits that hold however early the gate stopped, of the searches what luck of the
    search could have made of it.
    """

    value: Value | None = None
    against: Value | None = None
    gain: float | None = None
    band: tuple[float, float] | None = None
    source: Literal["retrains", "search"]


def as_answer(value: object) -> object:
    """The mapping as the type of answer that its kind has; anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    return ANSWERS.get(str(value.get("kind")), Answer).model_validate(value)


AnyAnswer = SerializeAsAny[Annotated[Answer, BeforeValidator(as_answer)]]
"""An answer of any registered type, read and written whole."""
