"""Guards of what a person typed: the direction of the objective, and the names of the baseline."""

import difflib

from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.guards.guard import Guard
from tasks.scope.names.metrics import sure_direction_of
from tasks.scope.roles import Scope

CLOSE = 0.8  # of difflib's similarity: `learning_rte` has 0.96 of `learning_rate`, `width` 0.4 of `depth`


def direction_as_named(scope: Scope) -> list[Finding]:
    """Fails where the metric's name says that it is to be maximized and the objective minimizes it, or the reverse.

    A round in the wrong direction searches for the worst configuration, and nothing else shows it. The last word of the
    name decides, `valid_accuracy` and `error_rate` alike; of `accuracy_gap` nothing is known.

    Playbook: B2
    """
    metric, direction = scope.objective.metric, scope.objective.direction
    usual = sure_direction_of(metric)
    if usual is None:
        text = f"Whether {metric} should be minimized is not known by its name: check objective.direction={direction}."
        return [not_checked("direction", "B2", NotChecked.NOT_RECOGNISED, text)]
    if usual == direction:
        text = f"{metric} is to be {direction}d, as its name says."
        return [finding("direction", "B2", "ok", text, reason="as_named")]
    text = f"{metric} is to be {direction}d, but by its name it should be {usual}d: the round looks for the worst."
    remedy = (f"workload.objective.direction={usual}",)
    return [finding("direction", "B2", "fail", text, reason="against_its_name", remedy=remedy)]


def baseline_names(scope: Scope) -> list[Finding]:
    """Warns where a name of the baseline is in no space, and one of the space that it resembles has no baseline value.

    A misspelt name is held fixed, and the middle of the range stands in for the value that was meant.

    Playbook: C1
    """
    filled = scope.incumbent.filled
    unknown = [n for n in scope.roles.fixed if n not in scope.declared.names and n not in scope.goal.fixed]
    found = []
    for name in unknown:
        for meant in difflib.get_close_matches(name, filled, n=1, cutoff=CLOSE):
            value = scope.roles.fixed[name].value
            text = f"workload.baseline has {name}, which no space has, and no {meant}: is {meant} meant?"
            remedy = (f"~workload.baseline.{name}", f"++workload.baseline.{meant}={value}")
            found.append(
                finding("baseline", "C1", "warn", text, reason="misspelt", parameter=meant, remedy=remedy),
            )
    text = "No name of the baseline resembles one of the space that has no baseline value."
    return found or [finding("baseline", "C1", "ok", text, reason="names_known")]


DIRECTION = Guard(
    name="direction",
    question=Question(
        row="B2",
        asks="Is the objective's direction the one that its name says?",
        fail=("against_its_name",),
        ok=("as_named",),
        na=(NotChecked.NOT_RECOGNISED,),
    ),
    ask=direction_as_named,
)
BASELINE_NAMES = Guard(
    name="baseline",
    question=Question(
        row="C1",
        asks="Are the names of the baseline those of the space?",
        warn=("misspelt",),
        ok=("names_known",),
    ),
    ask=baseline_names,
)
