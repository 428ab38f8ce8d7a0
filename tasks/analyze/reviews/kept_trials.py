"""E4: which trials of the round are those of the round before?"""

from tasks.analyze.reviews.review import Review
from tasks.analyze.study.evidence import Evidence
from tasks.design.kept import kept_text
from tasks.record import Finding
from tasks.scope.finding import Question, finding


def kept_trials(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, and one that counts the trials kept of another round, where the round names one (`keep=`).

    They are trials of their studies: they may be best, and the checks read them, but for that of the edges (E2, E3),
    which needs trials that fill the space evenly. The kept ones lie where this space and the one before overlap, and a
    space that was narrowed around the best of them has that best in it. The band of a best (F11) bears that: of 200
    bowls narrowed around their best trial it held the best of another search in 88 %, without kept trials in 90 %. The
    gate is free of it, for it counts fresh retrains alone. A warning where the round names another and none of its
    trials could be kept.

    Playbook: E4
    """
    row = evidence.round.kept
    if row is None:
        return found
    kept = [t.id for t in evidence.round.trials if t.kept]
    numbers = {"kept": row.count, "trials": len(evidence.round.trials)} | {f"left_{k}": n for k, n in row.left.items()}
    own = finding(
        "kept trials",
        "E4",
        "ok" if kept else "warn",
        kept_text(evidence.round),
        reason="kept" if kept else "none_kept",
        trials=kept,
        numbers=numbers,
    )
    return (*found, own)


KEPT_TRIALS = Review(
    name="kept trials",
    questions=(
        Question(
            row="E4",
            asks="Which trials of the round are those of the round before, and which of those were left behind?",
            warn=("none_kept",),
            ok=("kept",),
        ),
    ),
    ask=kept_trials,
    reads=frozenset({"search", "probe"}),
)
