"""E6, D14: where the sampler adapts to its results, findings on edges and density block nothing."""

from functools import partial

from pydantic import Field

from tasks.analyze.reviews.review import Review
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.design.samplers.all import SAMPLERS
from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import number, plural

ADAPTIVE = frozenset({"tpe", "gp", "cmaes", "nsga2", "nsga3", "bayesian"})
# What other tools call an adaptive search: W&B says bayes, and many are known by the library that does it.
_ADAPTIVE_ELSEWHERE = frozenset(
    {
        *("bayes", "bayes_opt", "bayesian_optimization", "bo", "gaussian_process", "botorch", "ax", "vizier", "skopt"),
        *("hyperopt", "bohb", "smac", "smac3", "hebo", "nevergrad", "cma", "cma_es", "nsgaii", "nsgaiii", "evolution"),
        *("evolutionary", "genetic", "de", "pso", "pbt", "pb2", "dehb"),
    }
)
INDEPENDENT = frozenset({"qmc"})  # of the results; known from elsewhere
DOWNGRADED = frozenset({"E2", "E3", "E7"})  # what they say rests on where the trials lie
TWICE = 2  # D14: an adaptive search hardly beats quasi-random trials of so many times its budget (playbook)
_MEASURED = "measured with TPE on bowls of 2 and 4 hyperparameters, 60 seeds: against twice as many Halton points"


class AdaptiveSearchThresholds(Frozen):
    """From where on an adaptive search has enough results in a row to learn from."""

    adaptive_rounds: int = Field(
        default=8,
        ge=1,
        description=f"D14, ours: trials in a row, that is trials for each that ran at once; {_MEASURED} it won 28 to "
        "50 % of searches at 1 or 2 in a row, 40 to 82 % from 8 on",
    )
    adaptive_trials: int = Field(
        default=32, ge=1, description=f"D14, ours: trials of a study; {_MEASURED} 16 trials one by one won about half"
    )


def adapts(sampler: str) -> bool:
    """Whether the sampler chooses its points by results: one of ours that does, or one known from elsewhere."""
    if sampler in SAMPLERS:
        return SAMPLERS[sampler].adaptive
    word = sampler.lower().replace("-", "_").replace(" ", "_")
    word = word.removesuffix("sampler").removesuffix("search").removesuffix("_")
    return word in ADAPTIVE or word in _ADAPTIVE_ELSEWHERE


def adaptive(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, those on edges and density no more than a warning where the search was adaptive, and why.

    Such a search may have neglected the middle and crowded an edge of its own accord, so its crowds say less than
    those of a quasi-random one. What is downgraded says so; a finding for each study says what its sampler is.

    Playbook: E6
    """
    samplers = {s.study.id: s.study.sampler for s in evidence.studies if adapts(s.study.sampler)}
    weaker = tuple(_weaker(f, samplers[str(f.where.study)]) if _rests(f, samplers) else f for f in found)
    return (
        *weaker,
        *(
            _sampler(s, sum(f.where.study == s.study.id and _rests(f, samplers) for f in found))
            for s in evidence.studies
        ),
        *(_in_parallel(evidence, s) for s in evidence.studies if s.study.id in samplers),
    )


def in_parallel(
    sampler: str, trials: int, at_once: float | None, bars: AdaptiveSearchThresholds, study: str | None = None
) -> Finding:
    """Whether an adaptive search has enough results to learn from, or twice as many quasi-random trials do as well.

    `at_once`: how many trials run side by side, None where nobody knows. What counts is how many trials there are in a
    row: with many side by side most are chosen before the results are there. It is a rule of thumb of the playbook
    that twice the budget of quasi-random trials is hard to beat then; with few at once and many in a row an adaptive
    search is attractive, although its results are harder to interpret.

    Playbook: D14
    """
    twice = TWICE * trials
    numbers = {"trials": trials, "quasi_random_trials": twice}
    if at_once is None:
        text = (
            f"Not checked: how many trials of {sampler} ran at once is not known. Where many did, {twice} quasi-random "
            f"trials do as well as {trials} of {sampler}, as a rule."
        )
        return not_checked("parallel search", "D14", NotChecked.NOT_DECLARED, text, study=study, numbers=numbers)
    in_a_row = trials / min(max(at_once, 1.0), trials)
    say = partial(finding, "parallel search", "D14", study=study)
    told = f"{number(round(at_once, 1))} at once leave {sampler} {number(round(in_a_row, 1))} in a row"
    numbers_known = numbers | {"at_once": at_once, "in_a_row": in_a_row} | bars.model_dump()
    if in_a_row >= bars.adaptive_rounds and trials >= bars.adaptive_trials:
        text = f"{plural(trials, 'trial')}, {told} to learn from. Few at once and many in a row is where it pays."
        return say("ok", text, reason="in_a_row", numbers=numbers_known)
    text = (
        f"Take {twice} quasi-random trials: as a rule they do as well as {trials} of {sampler} with "
        f"{number(round(at_once, 1))} at once. Of {plural(trials, 'trial')} {told} to learn from; quasi-random trials "
        "can all be analysed."
    )
    remedy = ("sampler=halton", f"budget.trials={twice}")
    return say("warn", text, reason="side_by_side", numbers=numbers_known, remedy=remedy)


def _in_parallel(evidence: Evidence, s: StudyEvidence) -> Finding:
    """By what is configured: a suggestion of ours waits for all but the last `lag` trials, whatever runs side by side.

    The number of workers has no part in it, since equal rounds have equal findings. Of trials that ran elsewhere, by
    their times, where the source has them.
    """
    sampler = s.study.sampler
    ours = sampler in SAMPLERS and SAMPLERS[sampler].adaptive
    at_once = float(evidence.round.scope.lag + 1) if ours else evidence.at_once
    return in_parallel(sampler, len(s.trials), at_once, s.policy.of(AdaptiveSearchThresholds), s.study.id)


def _rests(found: Finding, samplers: dict[str, str]) -> bool:
    return found.level == "fail" and found.row in DOWNGRADED and found.where.study in samplers


def _weaker(found: Finding, sampler: str) -> Finding:
    why = f" A warning only: {sampler} chose the points by its results, and may have neglected the rest."
    return found.model_copy(update={"level": "warn", "evidence": found.evidence + why})


def _sampler(s: StudyEvidence, weaker: int) -> Finding:
    sampler = s.study.sampler
    say = partial(finding, "adaptive search", "E6", study=s.study.id)
    if sampler in INDEPENDENT or (sampler in SAMPLERS and not adapts(sampler)):
        return say("ok", f"The points do not depend on the results ({sampler}).", reason="independent")
    if not adapts(sampler):
        text = "By what rule the points were chosen is not known; if by the results, crowds say less."
        return not_checked("adaptive search", "E6", NotChecked.NOT_DECLARED, text, study=s.study.id)
    numbers = {"downgraded": weaker}
    chose = f"{sampler} chose the points by the results of earlier ones"
    if weaker:
        text = (
            f"{plural(weaker, 'finding')} on edges and density {'is' if weaker == 1 else 'are'} only a warning, for "
            f"{chose}. Look at the plots before a range is moved."
        )
        return say("warn", text, reason="findings_downgraded", numbers=numbers)
    text = f"{chose}, so what is found on edges and density is weaker. No finding is downgraded for it."
    return say("ok", text, reason="nothing_downgraded", numbers=numbers)


ADAPTIVE_SEARCH = Review(
    name="adaptive search",
    questions=(
        Question(
            row="E6",
            asks="Were the points chosen by results, so that findings on edges and density say less?",
            warn=("findings_downgraded",),
            ok=("independent", "nothing_downgraded"),
            na=(NotChecked.NOT_DECLARED,),
        ),
        Question(
            row="D14",
            asks="Has an adaptive search enough results in a row, or do twice as many quasi-random trials as well?",
            warn=("side_by_side",),
            ok=("in_a_row",),
            na=(NotChecked.NOT_DECLARED,),
        ),
    ),
    ask=adaptive,
    thresholds=(AdaptiveSearchThresholds,),
)
