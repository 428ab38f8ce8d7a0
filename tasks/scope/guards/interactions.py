"""The guard of what is fixed: not what moves with the hyperparameter that is asked about."""

from collections.abc import Mapping

from tasks.record import Finding, NotChecked
from tasks.scope.arms import listing, tuned
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.goal import RANGE
from tasks.scope.guards.evidence import EXPLICIT, evidence_is_stated
from tasks.scope.guards.guard import Guard, searching
from tasks.scope.names.dictionary.entry import Family
from tasks.scope.names.names import REGULARIZING
from tasks.scope.roles import Scope

# By the family of what is compared: what has another best value for each of the compared values. The playbook's own
# example is weight decay and model size; a learning rate moves with the depth, the width, the batch and the length. The
# strengths of regularizers move with each of them.
MOVES_WITH: Mapping[Family, frozenset[str]] = {
    "architecture": frozenset({"learning_rate", "weight_decay"}),
    "batch size": frozenset({"learning_rate", "one_minus_momentum", "one_minus_beta1", "weight_decay"}),
    "length": frozenset({"learning_rate", "weight_decay"}),
}


def interacting_stay_tuned(scope: Scope) -> list[Finding]:
    """Warns where a hyperparameter is fixed whose best value is known to move with the compared one.

    Model size is what is compared where an architecture hyperparameter is a number. A reason that states evidence is
    accepted (C2), and a strength that is off everywhere is no strength.

    Playbook: C5
    """
    if scope.goal.points:
        return [not_checked("interactions", "C5", NotChecked.LISTED_POINTS, EXPLICIT)]
    asked = [(n, MOVES_WITH[f]) for n in scope.roles.scientific if (f := _moving(scope, n)) is not None]
    if not asked:
        strange = next((n for n in scope.roles.scientific if scope.names.family(n) is None), None)
        if strange is not None:
            text = (
                f"Not checked: {strange} is not recognised as a model size; {scope.names.say('architecture', strange)}."
            )
            return [not_checked("interactions", "C5", NotChecked.NOT_RECOGNISED, text, parameter=strange)]
        text = (
            "Not checked: neither a model size nor a batch size or length is compared, of which interactions are known."
        )
        return [not_checked("interactions", "C5", NotChecked.NOT_THE_QUESTION, text)]
    held = [n for n in scope.roles.fixed if not evidence_is_stated(scope, n)]
    found = [_fixed(scope, n, with_) for n, names in asked for with_ in held if _among(scope, with_, names)]
    text = f"Nothing that is known to move with {listing(n for n, _ in asked)} is fixed."
    return found or [finding("interactions", "C5", "ok", text, reason="none_fixed")]


def moves_with_the_question(scope: Scope, name: str) -> bool:
    """Whether the best value of a hyperparameter is known to move with what the round compares."""
    asked = ((n, f) for n in scope.roles.scientific if (f := _moving(scope, n)) is not None)
    return any(name != n and _is_among(scope, name, MOVES_WITH[f]) for n, f in asked)


def _moving(scope: Scope, name: str) -> Family | None:
    """The family of a compared hyperparameter of which interactions are known; of architecture the sizes alone."""
    of = scope.names.family(name)
    if of not in MOVES_WITH:
        return None
    values = scope.goal.scientific[name]
    sized = values == RANGE or all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return of if sized or of != "architecture" else None


def _among(scope: Scope, name: str, names: frozenset[str]) -> bool:
    """Whether the fixed hyperparameter is one of these or the strength of a regularizer, and is not off."""
    value = scope.roles.fixed[name].value
    return value != 0 and not isinstance(value, bool | str) and _is_among(scope, name, names)


def _is_among(scope: Scope, name: str, names: frozenset[str]) -> bool:
    """Whether a hyperparameter is one of these, or the strength of a regularizer."""
    switch = name in scope.declared and scope.names.is_switch(scope.declared[name])
    return scope.names.bare(name) in names or (scope.names.family(name) in REGULARIZING and not switch)


def _fixed(scope: Scope, compared: str, name: str) -> Finding:
    text = (
        f"{name} is fixed, but its best value moves with {compared}, which is compared: tune it. Else the fixed value "
        f"favours the value of {compared} that it suits."
    )
    remedy = tuned(scope, name) if name in scope.declared and not scope.declared[name].constant else ()
    return finding("interactions", "C5", "warn", text, reason="interacts", parameter=name, remedy=remedy)


INTERACTIONS = Guard(
    name="interactions",
    question=Question(
        row="C5",
        asks="Is what moves with the compared hyperparameter tuned, not fixed?",
        warn=("interacts",),
        ok=("none_fixed",),
        na=(NotChecked.LISTED_POINTS, NotChecked.NOT_RECOGNISED, NotChecked.NOT_THE_QUESTION),
    ),
    ask=interacting_stay_tuned,
    of=searching,
)
