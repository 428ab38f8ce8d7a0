"""How the numbers of a round came to be, in sentences: what was explored, and which number is which."""

from tasks.method import EvaluationRow, ExplorationRow
from tasks.record import Record
from tasks.text import percent, plural

WHOSE = {"search": "Trials of the search", "retrain": "Retrains", "test": "Test set"}
# What the project's own training loop sees to, and nobody can see of another program.
UNSEEN = (
    (
        "Last batch (J6)",
        "Not checked: the trials' own program evaluates. A mean over batches counts each example of a last, smaller "
        "batch for more; right is a mean over examples, the same at every evaluation batch size, without padding.",
    ),
    (
        "Rare classes (J9)",
        "Not checked: the trials' own program evaluates. A rate hides a rare class: report how many of its examples "
        "are right, as a metric for each such class.",
    ),
)
NOT_KEPT = "Whether rounds of this workload explored or exploited was not recorded (B4)."


def exploration_sentence(record: Record) -> str:
    """What this round is, how the budget of the workload's rounds is split, and whether exploration has said enough.

    Playbook: B4
    """
    found = record.method.exploration if record.method else None
    return f"{_split(found)} {_enough(found)}" if found else NOT_KEPT


def exploration_line(record: Record) -> str:
    """The same in short; "" where it was not recorded.

    Playbook: B4
    """
    found = record.method.exploration if record.method else None
    if found is None:
        return ""
    split = ", ".join(f"{count:,} trials in {mode}" for mode, count in found.trials.items())
    rows = f"G10 {'ready' if found.ready else 'not ready'}, B7 {'saturated' if found.saturated else 'not saturated'}"
    so_far = "this round" if sum(found.rounds.values()) == 1 else plural(sum(found.rounds.values()), "round")
    return f"{so_far}: {split} (B4); exploration {'has said enough' if found.enough else 'goes on'}: {rows}"


def _split(found: ExplorationRow) -> str:
    total, steps = sum(found.trials.values()), sum(found.steps.values())
    explored = found.trials.get("exploration", 0)
    share = percent(found.steps.get("exploration", 0) / steps) if steps else percent(1.0)
    this = "explored" if found.mode == "exploration" else "exploited"
    unread = f" ({plural(found.unread, 'more round')} could not be read)" if found.unread else ""
    return (
        f"This round {this} (B4). Of {plural(total, 'trial')} in {plural(sum(found.rounds.values()), 'round')} so far"
        f"{unread}, {explored:,} explored ({share} of the steps) and {total - explored:,} exploited."
    )


def _enough(found: ExplorationRow) -> str:
    """Two things are asked: is the space ready (G10), and has tuning saturated (B7)?"""
    if found.enough:
        return (
            "Exploration has said enough: the space is ready (G10) and tuning has saturated (B7). What is left is one "
            "search with the largest budget you can pay, in the ranges that B8 names, or a new feature."
        )
    if found.ready:
        return "Exploration goes on: the space is ready for exploitation (G10), but the last rounds leave hope (B7)."
    if found.saturated:
        return "Exploration goes on elsewhere: tuning has saturated (B7), but the space is not ready to exploit (G10)."
    return "Exploration goes on: the space is not ready to exploit (G10), and tuning has not saturated (B7)."


def evaluation_lines(record: Record) -> tuple[tuple[str, str], ...]:
    """`(number, sentence)`: which evaluation each number of the record is, and what of evaluations was not checked.

    Playbook: J6, J9, K8
    """
    rows = record.method.evaluations if record.method else ()
    unseen = UNSEEN if record.method and record.method.own_evaluation else ()
    return (*((f"{WHOSE[row.of]}: {_column(record, row)}", _which(row)) for row in rows), *unseen)


def evaluation_sentence(record: Record) -> str:
    """The same in short, of the numbers that a terminal shows; "" where it was not recorded.

    Playbook: K8
    """
    rows = record.method.evaluations if record.method else ()
    searched = [r for r in rows if (r.of, r.number) == ("search", "trials.best_value")]
    if not searched:
        return ""
    best = searched[0]
    which = f"the best of {best.evaluations} periodic evaluations, selected and so optimistic"
    studies = f"studies: {which}" if best.selected else "studies: reported once a trial"
    gate = "; gate: fresh retrains" if any(r.of == "retrain" for r in rows) else ""
    offline = "none" if all(r.takes == "none" for r in rows if r.evaluation == "offline") else "the test set"
    return f"{studies}{gate}; offline: {offline} (K8)"


def _column(record: Record, row: EvaluationRow) -> str:
    names = {"trials.best_value": f"best {record.objective.metric}", "trials.final_value": "final"}
    return names.get(row.number, "what the gate counts" if row.of == "retrain" else "offline evaluation")


def _which(row: EvaluationRow) -> str:
    if row.takes == "none":
        return "None: no chosen checkpoint was evaluated again, and the test set stays sealed (G13)."
    if row.takes == "only":
        return "The one number that each trial reported: not selected among several."
    if row.takes == "last":
        return "The last periodic evaluation: not selected."
    if row.takes == "smoothed best":
        return (
            f"The best mean of {row.width} neighbouring periodic evaluations of at most {row.evaluations}, on fresh "
            "seeds: selected, and less lucky than the best single one."
        )
    seeds = ", on fresh seeds" if row.of == "retrain" else "; a study's best is selected once more, among its trials"
    return (
        f"The best of at most {row.evaluations} periodic evaluations while training: selected, so it looks better than "
        f"it is{seeds}."
    )
