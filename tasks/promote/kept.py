"""Retrains of the incumbent that earlier rounds paid for, and that count again."""

from collections.abc import Iterable

from tasks.promote.retrains import equal
from tasks.record import Point
from tasks.scope.roles import Scope
from tasks.trials.trial import Trial


def kept_retrains(scope: Scope, incumbent: Point, earlier: Iterable[Trial]) -> tuple[Trial, ...]:
    """The earlier retrains of the incumbent's very point, each seed once, in order; none where any was infeasible.

    An incumbent that diverges now and then is not known by those retrains that did not: then it is retrained anew.
    `earlier`: of rounds on the same code, data, packages, machine and steps.

    Playbook: G2, G6
    """
    by_seed = {t.planned.seed: t for t in earlier if equal(t.planned.point, incumbent)}
    if not all(t.feasible and t.best_value is not None for t in by_seed.values()):
        return ()
    return tuple(by_seed.values())
