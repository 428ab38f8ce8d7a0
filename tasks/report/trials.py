"""Which trials of a record are shown, in which order and under which name."""

from collections.abc import Iterable, Sequence

from tasks.record import IsolationRow, Record, StudyRow, TrialRow
from tasks.scope.space import same
from tasks.text import plural, point_label

LOST = ("infeasible", "failed", "stopped")  # statuses of trials that cannot be compared
STUCK = "never_learned"  # the code of E8 for them
NEVER_LEARNED = "never learned (stayed at chance or blew up): counts as infeasible in the checks"


def study_label(record: Record, study: StudyRow) -> str:
    """The arm's scientific values; a study that has none is the round's joint study, or goes by its id."""
    if study.scientific:
        return point_label(study.scientific)
    return "all trials" if len(record.studies) == 1 else study.id


def trials_of(record: Record, study: StudyRow) -> tuple[TrialRow, ...]:
    """The study's trials without the retrains, in the order of its points; unlisted ones after them."""
    place = {id: i for i, id in enumerate(study.trials)}
    own = [t for t in record.trials if t.study == study.id and t.purpose != "retrain"]
    return tuple(sorted(own, key=lambda t: place.get(t.id, len(place))))


def feasible(trial: TrialRow) -> bool:
    """Whether the trial may be compared at all: complete, with a value."""
    return trial.status == "complete" and trial.best_value is not None


def never_learned(record: Record) -> frozenset[str]:
    """The ids of the finite trials that count as infeasible in the checks: they never left chance, or blew up.

    Playbook: E8
    """
    return frozenset(id for f in record.findings if (f.row, f.reason) == ("E8", STUCK) for id in f.trials)


def learning(record: Record, trials: Iterable[TrialRow]) -> list[TrialRow]:
    """The feasible ones but for those that never learned."""
    stuck = never_learned(record)
    return [t for t in trials if feasible(t) and t.id not in stuck]


def sign(record: Record) -> float:
    """+1 where lower is better, -1 where higher is: a value times this is a loss."""
    return 1.0 if record.objective.direction == "minimize" else -1.0


def ranked(record: Record, trials: Iterable[TrialRow]) -> list[TrialRow]:
    """Best first; of equals the one that came first; the ones that cannot be compared at the end."""
    factor = sign(record)
    return sorted(trials, key=lambda t: (not feasible(t), factor * (t.best_value or 0.0) if feasible(t) else 0.0))


def best_of(record: Record, trials: Iterable[TrialRow]) -> TrialRow | None:
    """The best feasible trial, None where there is none."""
    order = ranked(record, trials)
    return order[0] if order and feasible(order[0]) else None


def kept_from(kept: str) -> str:
    """Whence a trial was kept (`round/trial`), as a person reads it.

    Playbook: E4
    """
    round_id, _, trial = kept.partition("/")
    return f"kept of round {round_id} (E4), where it is trial {trial}"


def counted(record: Record, trials: Sequence[TrialRow]) -> str:
    """How many trials, how many of them were kept of an earlier round, and how many came to nothing."""
    kept = sum(t.kept is not None for t in trials)
    return ", ".join([plural(len(trials), "trial") + f" ({kept} kept)" * bool(kept), *lost(record, trials)])


def lost(record: Record, trials: Sequence[TrialRow], *, brief: bool = False) -> list[str]:
    """`3 infeasible`, `1 failed`, `2 more never learned` (briefly `2 stuck`), without what there is none of.

    Playbook: E8
    """
    counts = {status: sum(t.status == status for t in trials) for status in LOST}
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    stuck = len(never_learned(record).intersection(t.id for t in trials))
    word = "stuck" if brief else "more never learned" if parts else "never learned"
    return [*parts, f"{stuck} {word}"] if stuck else parts


def isolation_of(record: Record, study: StudyRow) -> IsolationRow | None:
    """The isolation row of a study's scientific value, None where its band was not estimated."""
    for row in record.isolation:
        value = study.scientific.get(row.parameter)
        if value is not None and row.value is not None and same(value, row.value):
            return row
    return None
