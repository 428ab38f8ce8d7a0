"""A check that is none of the shipped ones: has a study many trials? Its module and a line in the registry are all."""

from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Frozen
from tasks.scope.finding import Question, finding


class ToyThresholds(Frozen):
    """What the toy check calls many."""

    toy_trials: int = Field(default=10, ge=1, le=1000, description="E7, ours: a toy has many trials from ten on")


def many_trials(evidence: Evidence) -> list[Finding]:
    """A warning where a study has many trials."""
    return [
        finding("toy", "E7", "warn" if len(s.trials) >= bar else "ok", "Counted.", reason="counted", study=s.study.id)
        for s in evidence.studies
        for bar in (s.policy.of(ToyThresholds).toy_trials,)
    ]


TOY = Check(
    name="toy",
    questions=(Question(row="E7", asks="Has a study many trials?", warn=("counted",), ok=("counted",)),),
    ask=many_trials,
    thresholds=(ToyThresholds,),
)
