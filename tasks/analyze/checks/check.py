"""`Check`: one question of a round's results; a new one is a module beside the others and a line in the registry."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Frozen, NotChecked, Purpose
from tasks.scope.finding import Question, not_checked


@dataclass(frozen=True, kw_only=True)
class Check:
    """A question of the trials that were run for a purpose that the check reads.

    `name` is its findings'. `questions`: the rows that it answers. `thresholds`: the frozen types in which it, and the
    measures that it uses, declare their thresholds: the default, the bounds, and as description where the number comes
    from. They are collected under `policy.<name>` and read with `Policy.of`.
    """

    name: str
    questions: tuple[Question, ...]
    ask: Callable[[Evidence], list[Finding]]
    thresholds: tuple[type[Frozen], ...] = ()
    reads: frozenset[Purpose] = frozenset({"search"})

    def findings(self, evidence: Evidence) -> list[Finding]:
        """What it finds in the studies that it reads; where there are none, that it was not asked."""
        part = evidence.reading(self.reads)
        return self.ask(part) if part.studies else other_purpose(self.name, self.questions, self.reads)


def other_purpose(name: str, questions: Iterable[Question], reads: Iterable[Purpose]) -> list[Finding]:
    """A finding for each row that says that no study was run for what the check reads."""
    text = f"Not asked: no trial of the round was run for the purpose that is asked about ({', '.join(sorted(reads))})."
    return [not_checked(name, q.row, NotChecked.OTHER_PURPOSE, text) for q in questions]
