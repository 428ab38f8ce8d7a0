"""What each kind of goal does of its own, bound to its name: apart from the steps, so that a plan needs no plots."""

from dataclasses import dataclass

from tasks.analyze.analysis import Answering, Learning, learned_of_searches
from tasks.analyze.answers.improve import best_change
from tasks.analyze.answers.understand import best_value
from tasks.design.study import Designing, compared_studies


@dataclass(frozen=True, kw_only=True)
class Own:
    """What a kind of goal does that others do not.

    How its studies are designed, how its trials answer, and what they teach, where that is more than the answer.
    """

    design: Designing = compared_studies
    answer: Answering
    learned: Learning = learned_of_searches


OWN: dict[str, Own] = {
    "improve": Own(answer=best_change),
    "understand": Own(answer=best_value),
}
"""By the names of `tasks.scope.kinds`."""
