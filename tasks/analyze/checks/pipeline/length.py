"""H2, once the trials have run: did they train for the same number of steps?"""

from collections import Counter

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, NotChecked
from tasks.scope.arms import listing
from tasks.scope.finding import Judged, Question, finding, not_checked
from tasks.text import plural

DESIGNED = 5  # at most so many lengths, of two trials each or more, were chosen; early stopping scatters them


def equal_lengths(evidence: Evidence) -> list[Finding]:
    """Whether all complete trials ended at the same step, by what they reported.

    A fail where they had a few lengths of two trials or more each, or trained beyond the budget by unequal numbers of
    steps: the longer ones were favoured. Of a study that ran elsewhere that is a warning, as nothing can be run anew. A
    warning, too, where the ends are scattered below the budget, as where each trial stops early by a rule of its own,
    and where the compared values have one length each, as where a warmup in front is the question.

    Playbook: H2
    """
    complete = [t for s in evidence.studies for t in s.trials if t.feasible]
    if not any(len(t.curve) > 1 for t in complete):
        because = NotChecked.TOO_FEW_EVALUATIONS if complete else NotChecked.NO_FEASIBLE_TRIAL
        text = "Not checked: no complete trial reports at more than one step, so its length is not known."
        return [not_checked("length", "H2", because, text)]
    lengths = Counter(t.steps_done for t in complete)
    budget, longest = evidence.round.scope.budget.max_train_steps, max(lengths)
    numbers = {"shortest": min(lengths), "longest": longest, "max_train_steps": budget, "judged": len(complete)}
    if len(lengths) == 1:
        same = "" if longest == budget else f" (budget.max_train_steps is {budget:,})"
        text = f"All {plural(len(complete), 'complete trial')} trained to step {longest:,}{same}."
        return [finding("length", "H2", "ok", text, reason="one_length", numbers=numbers)]
    ids = [t.id for t in complete if t.steps_done != longest]
    told = listing(f"{steps:,} steps ({count})" for steps, count in sorted(lengths.items())[:DESIGNED])
    span = f"{min(lengths):,} to {longest:,}"
    if all(len({t.steps_done for t in s.trials if t.feasible}) < 2 for s in evidence.studies):
        text = f"The compared values trained for {span} steps, so length may explain the difference: train them alike."
        text += f" Their lengths are {told}."
        return [finding("length", "H2", "warn", text, reason="a_length_a_value", trials=ids, numbers=numbers)]
    if longest > budget or (len(lengths) <= DESIGNED and min(lengths.values()) > 1):
        text = f"Complete trials trained for {span} steps, which favours the longer ones: give all the same length."
        text += f" Their lengths are {told}."
        level: Judged = "warn" if evidence.round.scope.run else "fail"
        reason = "ran_unequal_lengths" if evidence.round.scope.run else "unequal_lengths"
        return [finding("length", "H2", level, text, reason=reason, trials=ids, numbers=numbers)]
    text = (
        f"{len(ids)} of {plural(len(complete), 'complete trial')} ended early, the first at step {min(lengths):,} of "
        f"{longest:,}: compare trials of equal length."
    )
    return [finding("length", "H2", "warn", text, reason="ended_early", trials=ids, numbers=numbers)]


LENGTH = Check(
    name="length",
    questions=(
        Question(
            row="H2",
            asks="Did all complete trials train for the same number of steps?",
            fail=("unequal_lengths",),
            warn=("ended_early", "ran_unequal_lengths", "a_length_a_value"),
            ok=("one_length",),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.TOO_FEW_EVALUATIONS),
        ),
    ),
    ask=equal_lengths,
)
