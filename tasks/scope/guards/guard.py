"""`Guard`: one question that is asked of the scope, and of which kinds of goals it is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, not_checked
from tasks.scope.kinds import Kind
from tasks.scope.roles import Scope


def comparing(kind: Kind) -> bool:
    """Whether goals of this kind compare values or points."""
    return kind.compares


def searching(kind: Kind) -> bool:
    """Whether goals of this kind search the space, so that its nuisances are tuned."""
    return kind.purpose == "search"


def equally_long(kind: Kind) -> bool:
    """Whether all trials of a goal of this kind have the budget's number of steps."""
    return not kind.own_steps


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A question that is asked of the scope; `of`: of which kinds of goals, all where it is None."""

    name: str
    question: Question
    ask: Callable[[Scope], list[Finding]]
    of: Callable[[Kind], bool] | None = None

    def findings(self, scope: Scope) -> list[Finding]:
        """What it finds; one finding that says so where it is not asked of this kind of goal."""
        if self.of is None or self.of(scope.goal.facts):
            return self.ask(scope)
        text = f"Not asked: it is no question of a goal of kind {scope.goal.kind}."
        return [not_checked(self.name, self.question.row, NotChecked.NOT_THE_QUESTION, text)]
