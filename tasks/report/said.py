"""The answer in words, by its kind: what a kind's answer says is registered here in `SAID`."""

from collections.abc import Callable, Mapping

from tasks.answers import Compared
from tasks.record import Record, Value
from tasks.report.verdict import blockers
from tasks.text import number, plainly

Said = Callable[[Record], tuple[str, str]]
OPEN = "Not conclusive."
PROVISIONAL = "The findings that block come first; until then the numbers are provisional."
NO_RESULT = "The trials do not suffice for an answer."
RETRAINS = "retrains"  # the source of an answer that the gate gave


def answer_sentence(record: Record) -> str:
    """The answer to the question with what stands behind it, or that there is none."""
    return " ".join(part for part in answer_parts(record) if part)


def answer_parts(record: Record) -> tuple[str, str]:
    """`(answer, reserve)`: the answer in one sentence, and why it is none where it is not conclusive."""
    return SAID.get(record.answer.kind, _fields)(record)


def compared_in(record: Record) -> Compared | None:
    """The answer, where it compares two values and knows by how much."""
    answer = record.answer
    return answer if isinstance(answer, Compared) and answer.gain is not None else None


def _fields(record: Record) -> tuple[str, str]:
    """The answer's own fields, or the settings that it comes to, for a kind that says nothing by itself."""
    answer = record.answer
    own = answer.model_dump(exclude={"kind", "conclusive", "settings"}, exclude_none=True)
    told = ", ".join(f"{k.replace('_', ' ')} = {plainly(v)}" for k, v in (own or answer.settings).items())
    if answer.conclusive:
        return f"{told}." if told else "See what was learned.", ""
    return OPEN, PROVISIONAL if blockers(record) else f"So far: {told}." if told else "There is nothing to tell yet."


def _compared(record: Record) -> tuple[str, str]:
    answer = record.answer
    if not isinstance(answer, Compared):
        return _fields(record)
    return (_conclusion(record, answer), "") if answer.conclusive else (OPEN, _so_far(record, answer))


def _conclusion(record: Record, answer: Compared) -> str:
    """A gain above 0 means that `value` is the better one."""
    if answer.gain is None:
        return f"{_scientific(record, answer.value)}." if answer.value is not None else "See what was learned."
    metric = record.objective.metric
    value, against = _scientific(record, answer.value), _scientific(record, answer.against)
    if answer.value is None:
        value, against = "The change", "the configuration without it"
    word = "is better than" if answer.gain > 0 else "is worse than" if answer.gain < 0 else "is as good as"
    bar = float(record.policy.get("minimum_gain", 0.0))
    if answer.source == RETRAINS and answer.band is not None and answer.band[0] <= bar < answer.band[1]:
        return f"No gain is shown: {value} against {against} came out at {number(answer.gain)} {metric}."
    by = f" by {number(abs(answer.gain))} {metric}" if answer.gain else ""
    return f"{value} {word} {against}{by}."


def _so_far(record: Record, answer: Compared) -> str:
    if record.verdict.reason == "nothing_feasible":
        return NO_RESULT
    if blockers(record):
        return PROVISIONAL
    if not record.roles.scientific:
        return "Nothing was to be compared: goal.scientific={name: [first, second]} says what."
    if answer.gain is None or answer.value is None:
        return NO_RESULT
    word = "ahead of" if answer.gain > 0 else "behind"
    luck = answer.band is not None and answer.band[0] <= 0 <= answer.band[1]
    noise = "noise of the retrains" if answer.source == RETRAINS else "luck of the search"
    return (
        f"{_scientific(record, answer.value)} is {number(abs(answer.gain))} {record.objective.metric} {word} "
        f"{_scientific(record, answer.against)} so far" + (f", which the {noise} explains as well." if luck else ".")
    )


def _scientific(record: Record, value: Value | None) -> str:
    """`optimizer = adam` where one hyperparameter is scientific, the bare value elsewhere."""
    names = record.roles.scientific
    return f"{names[0]} = {number(value)}" if len(names) == 1 and value is not None else number(value)


SAID: Mapping[str, Said] = {"improve": _compared, "understand": _compared}
"""What the answer of each kind of goal says; of any other its own fields are told."""
