"""Studies made of trials that ran elsewhere: nothing is drawn."""

from collections.abc import Mapping, Sequence

from tasks.design.study import Planned, Round, Study, derived_seed
from tasks.record import Value, hash_of
from tasks.scope.error import InputError
from tasks.scope.roles import Scope
from tasks.scope.space import Space, has_values
from tasks.text import show


def imported_round(scope: Scope, tried: Sequence[tuple[str, Mapping[str, Value], int]]) -> Round:
    """The studies of the scope's arms, each with the trials that have its scientific values, in their order.

    `tried`: id, point and seed of each trial. One that has no arm's values is in no study.

    Raises:
        InputError: nothing was tried with some scientific value.

    Playbook: D1, D16
    """
    studies = []
    length = scope.budget.model_dump(include={"max_train_steps", "eval_every_steps"})
    for arm in scope.arms:
        id = "s-" + hash_of([scope.workload, arm], 8)
        mine = [t for t in tried if has_values(t[1], arm)]
        if not mine:
            held = " and ".join(f"{n} = {show(v)}" for n, v in arm.items())
            raise InputError(f"goal.scientific: no trial has {held}; compare values that were tried.")
        trials = tuple(
            Planned(id=name, study=id, purpose="search", index=i, point=dict(point), seed=seed, **length)
            for i, (name, point, seed) in enumerate(mine)
        )
        space = Space(parameters=tuple(p for p in scope.space if p.name not in arm))
        seed = derived_seed(scope.seed, "points", str(sorted(arm.items())))
        studies.append(
            Study(
                id=id, scientific=arm, space=space, sampler=scope.sampler, seed=seed, count=len(trials), trials=trials
            )
        )
    return Round(scope=scope, studies=tuple(studies))
