"""The answer of a goal that measures a hyperparameter: its best value against the next."""

from tasks.analyze.isolation import held_against, ranking
from tasks.analyze.study.evidence import Evidence
from tasks.answers import Compared


def best_value(evidence: Evidence, blocked: bool) -> Compared:
    """The best value against the runner-up, conclusive where the band of their difference excludes zero.

    And where nothing blocks. The pair was picked by looking, but of several equal values the two best lie closer
    together than two picked blindly, so a test of best against runner-up holds its level without correction (Gutmann
    and Maymin 1987). Simulated with two and four equal values, 5 to 48 trials each: wrongly conclusive in at most 4 %
    of rounds.

    Playbook: F11, G7
    """
    order, kind = ranking(evidence), evidence.round.scope.goal.kind
    if not order or order[0].parameter is None:
        return Compared(kind=kind, source="search")
    if len(order) == 1:
        return Compared(kind=kind, source="search", value=order[0].answer_value())
    return held_against(kind, order[0], order[1], conclusive=not blocked)
