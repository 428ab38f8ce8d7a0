"""K4: where no configuration is trained twice, what the conclusion then rests on, and what measuring would cost."""

from tasks.analyze.reviews.review import Review
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding
from tasks.scope.finding import Question, finding
from tasks.scope.roles import Scope
from tasks.text import percent

RETRAINS = 5  # an arm, as `budget=quick` has them: the fewest at which the gate may stop early


def unmeasured_variance(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, and a warning where the budget has no retrains: trial variance is then not measured.

    The playbook leaves that open, where measuring is too costly to be worth it. What a conclusion rests on is said
    then, and what measuring would have cost; whoever reads it can accept it in writing (`acknowledge={K4: "why"}`).

    Playbook: K4
    """
    scope = evidence.round.scope
    if scope.budget.retrains or not scope.goal.facts.gate:
        return found
    runs, steps, share = cost_of_retrains(scope, sum(t.steps_done for t in evidence.trials.values()))
    text = (
        "Trial variance is not measured, and the conclusion rests on the searches alone: take "
        f"budget.retrains={RETRAINS} in place of 0. At most {runs} more trials are then trained, {percent(share)} of "
        "the steps of the search."
    )
    numbers = {"retrains": RETRAINS, "trials": runs, "steps": steps, "share": share}
    remedy = (f"budget.retrains={RETRAINS}",)
    said = finding("trial variance", "K4", "warn", text, reason="not_measured", numbers=numbers, remedy=remedy)
    return (*found, said)


def cost_of_retrains(scope: Scope, searched: int) -> tuple[int, int, float]:
    """`(trials, steps, share)`: what `RETRAINS` of every arm cost at most, and as a share of the steps `searched`."""
    arms = scope.budget.finalists + 1 + scope.goal.facts.baseline
    steps = arms * RETRAINS * scope.budget.max_train_steps
    return arms * RETRAINS, steps, steps / max(searched, 1)


TRIAL_VARIANCE = Review(
    name="trial variance",
    questions=(
        Question(
            row="K4",
            asks="Is trial variance measured, or what does the conclusion rest on instead?",
            warn=("not_measured",),
        ),
    ),
    ask=unmeasured_variance,
)
