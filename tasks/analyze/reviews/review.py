"""`Review`: a check of what the checks before it found."""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.analyze.checks.check import other_purpose
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Frozen, Purpose
from tasks.scope.finding import Question


@dataclass(frozen=True, kw_only=True)
class Review:
    """A question of the evidence and of all findings so far: it returns them, changed or with more.

    Its parts are those of a `Check`.
    """

    name: str
    questions: tuple[Question, ...]
    ask: Callable[[Evidence, tuple[Finding, ...]], tuple[Finding, ...]]
    thresholds: tuple[type[Frozen], ...] = ()
    reads: frozenset[Purpose] = frozenset({"search"})

    def findings(self, evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """All findings, with its own; where no study was run for what it reads, that it was not asked."""
        part = evidence.reading(self.reads)
        return (
            self.ask(part, found) if part.studies else (*found, *other_purpose(self.name, self.questions, self.reads))
        )
