"""All guards in their order, with the rows that they answer and the kinds of goals of which they are asked.

A guard is a pure function from the scope to findings. A `fail` stops the round unless it is acknowledged.
"""

from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question
from tasks.scope.guards.arms import fair_nuisances
from tasks.scope.guards.budget import (
    adam_rule,
    few_enough_nuisances,
    joint_study_allocates,
    quasi_random_search,
)
from tasks.scope.guards.evidence import reasons_are_evidence
from tasks.scope.guards.given import BASELINE_NAMES, DIRECTION
from tasks.scope.guards.guard import Guard, comparing, equally_long, searching
from tasks.scope.guards.interactions import INTERACTIONS
from tasks.scope.guards.length import steps_stay_fixed
from tasks.scope.guards.pipeline import EVALUATION_BATCHES, PLANNED_EVALUATIONS
from tasks.scope.guards.promoted import ADOPTED_TECHNIQUE, PROMOTION
from tasks.scope.guards.question import (
    batch_size_stays_fixed,
    every_optimizer_hyperparameter,
    no_gradient_accumulation,
    one_goal_of_a_known_kind,
    one_question,
)
from tasks.scope.guards.roles import (
    architecture_is_no_nuisance,
    optimizer_hyperparameters_are_nuisance,
    optimizer_is_no_nuisance,
    own_ranges,
    regularizer_switch_is_no_nuisance,
)
from tasks.scope.guards.scales import log_scales
from tasks.scope.roles import Scope

POINTS, NO_NAME, ELSEWHERE = NotChecked.LISTED_POINTS, NotChecked.NOT_RECOGNISED, NotChecked.NOT_THE_QUESTION


def guarded(scope: Scope) -> Scope:
    """The scope with what its guards found."""
    return scope.model_copy(update={"findings": guard(scope)})


def guard(scope: Scope) -> tuple[Finding, ...]:
    """What every guard found, in the order of the playbook's rows; each row is there once at least."""
    return tuple(found for each in GUARDS for found in each.findings(scope))


GUARDS: tuple[Guard, ...] = (
    Guard(
        name="silent default",
        question=Question(
            row="A3",
            asks="Has every hyperparameter of the optimizer a role, so that no default of the program stands silently?",
            fail=("no_role",),
            ok=("all_have_roles",),
            na=(NotChecked.NOT_DECLARED, NO_NAME),
        ),
        ask=every_optimizer_hyperparameter,
    ),
    Guard(
        name="batch size tuned",
        question=Question(
            row="A5",
            asks="Is the batch size the same for all trials?",
            fail=("varies",),
            warn=("varies",),  # of a study that has been run
            ok=("one_for_all",),
            na=(NO_NAME,),
        ),
        ask=batch_size_stays_fixed,
        of=comparing,
    ),
    Guard(
        name="accumulation",
        question=Question(
            row="A10",
            asks="Does no trial accumulate gradients over several batches?",
            warn=("accumulates",),
            ok=("none",),
            na=(NO_NAME,),
        ),
        ask=no_gradient_accumulation,
    ),
    Guard(
        name="one goal",
        question=Question(
            row="B2",
            asks="Is there one goal that compares something?",
            fail=("asks_nothing", "one_value"),
            warn=("no_baseline",),
            ok=("one_goal",),
        ),
        ask=one_goal_of_a_known_kind,
        of=comparing,
    ),
    DIRECTION,
    Guard(
        name="one question",
        question=Question(
            row="B3",
            asks="Is one question asked at a time?",
            fail=("several_questions",),
            warn=("several_questions",),
            ok=("one_question",),
            na=(POINTS,),
        ),
        ask=one_question,
        of=comparing,
    ),
    BASELINE_NAMES,
    Guard(
        name="stated reason",
        question=Question(
            row="C2",
            asks="Is what is usually a nuisance fixed for a reason that refers to evidence?",
            warn=("no_evidence",),
            ok=("stated", "none_fixed"),
            na=(POINTS,),
        ),
        ask=reasons_are_evidence,
        of=searching,
    ),
    Guard(
        name="nuisance count",
        question=Question(
            row="C4",
            asks="Has each study enough trials for all that varies in it?",
            warn=("too_many_nuisances",),
            ok=("enough_trials",),
            na=(POINTS,),
        ),
        ask=few_enough_nuisances,
        of=searching,
    ),
    INTERACTIONS,
    Guard(
        name="optimizer role",
        question=Question(
            row="C6",
            asks="Are the optimizer's hyperparameters nuisances, or fixed for a stated reason?",
            warn=("scientific", "fixed_without_evidence"),
            ok=("nuisance_or_stated",),
            na=(POINTS, NO_NAME),
        ),
        ask=optimizer_hyperparameters_are_nuisance,
        of=searching,
    ),
    Guard(
        name="optimizer choice",
        question=Question(
            row="C7",
            asks="Is the choice of optimizer no nuisance?",
            fail=("nuisance",),
            ok=("no_nuisance",),
            na=(POINTS, NO_NAME),
        ),
        ask=optimizer_is_no_nuisance,
        of=searching,
    ),
    Guard(
        name="regularizer switch",
        question=Question(
            row="C8",
            asks="Is no regularizer turned on and off as a nuisance?",
            fail=("nuisance",),
            warn=("nuisance",),  # of a study that has been run
            ok=("no_nuisance",),
            na=(POINTS, NO_NAME),
        ),
        ask=regularizer_switch_is_no_nuisance,
        of=searching,
    ),
    Guard(
        name="architecture role",
        question=Question(
            row="C9",
            asks="Is no architecture tuned as a nuisance?",
            warn=("nuisance",),
            ok=("no_nuisance",),
            na=(POINTS, NO_NAME),
        ),
        ask=architecture_is_no_nuisance,
        of=searching,
    ),
    Guard(
        name="own ranges",
        question=Question(
            row="C10",
            asks="Does a hyperparameter of one scientific value exist under it alone, with a range of its own?",
            fail=("drawn_for_other_values",),
            warn=("drawn_for_other_values", "shared_range"),
            ok=("own_ranges",),
            na=(POINTS, ELSEWHERE),
        ),
        ask=own_ranges,
        of=comparing,
    ),
    Guard(
        name="joint study",
        question=Question(
            row="D4",
            asks="Does a joint study give each scientific value as many trials?",
            fail=("adaptive", "unequal_counts"),
            ok=("nothing_to_allot", "equal_counts"),
            na=(POINTS, ELSEWHERE),
        ),
        ask=joint_study_allocates,
        of=comparing,
    ),
    Guard(
        name="sampler",
        question=Question(
            row="D5",
            asks="Are the points of exploration quasi-random?",
            fail=("adaptive",),
            warn=("random",),
            ok=("quasi_random", "grid", "independent"),
            na=(POINTS,),
        ),
        ask=quasi_random_search,
        of=comparing,
    ),
    Guard(
        name="fairness",
        question=Question(
            row="D9",
            asks="Are the compared arms searched alike?",
            warn=("other_scales", "unequal_widths", "more_to_tune", "unequal_counts"),
            ok=("fair",),
            na=(POINTS, ELSEWHERE),
        ),
        ask=fair_nuisances,
        of=comparing,
    ),
    Guard(
        name="Adam rule",
        question=Question(
            row="D10",
            asks="Are those of Adam's hyperparameters tuned that the number of trials can tune?",
            warn=("beyond_the_rule", "short_of_the_rule"),
            ok=("as_the_rule",),
            na=(POINTS, ELSEWHERE),
        ),
        ask=adam_rule,
        of=searching,
    ),
    Guard(
        name="scale",
        question=Question(
            row="D11",
            asks="Are rates, decays, epsilons and one minus momenta searched on a log scale?",
            warn=("linear_over_decades", "close_to_one"),
            ok=("sound_scales",),
            na=(POINTS, NO_NAME),
        ),
        ask=log_scales,
        of=searching,
    ),
    PROMOTION,
    Guard(
        name="length tuned",
        question=Question(
            row="H2",
            asks="Do all trials train for the same number of steps?",
            fail=("varies", "warmup_lengthens"),
            warn=("varies", "warmup_lengthens"),  # the first of a study that has been run
            ok=("one_for_all",),
            na=(NO_NAME,),
        ),
        ask=steps_stay_fixed,
        of=equally_long,
    ),
    EVALUATION_BATCHES,
    ADOPTED_TECHNIQUE,
    PLANNED_EVALUATIONS,
)
