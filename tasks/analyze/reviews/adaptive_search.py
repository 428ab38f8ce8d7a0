"""E6, D14: where the sampler adapts to its results, findings on edges and density block nothing."""

from functools import partial

from tasks.analyze.reviews.review import Review
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.design.samplers.all import SAMPLERS
from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import plural

ADAPTIVE = frozenset({"tpe", "gp", "cmaes", "nsga2", "nsga3", "bayesian"})
INDEPENDENT = frozenset({"qmc"})  # of the results; known from elsewhere
DOWNGRADED = frozenset({"E2", "E3", "E7"})  # what they say rests on where the trials lie


def adapts(sampler: str) -> bool:
    """Whether the sampler chooses its points by results: one of ours that does, or one known from elsewhere."""
    return sampler in ADAPTIVE or (sampler in SAMPLERS and SAMPLERS[sampler].adaptive)


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
        *(in_parallel(s.study.sampler, len(s.trials), s.study.id) for s in evidence.studies if s.study.id in samplers),
    )


def in_parallel(sampler: str, trials: int, study: str | None = None) -> Finding:
    """What an adaptive search is held against where trials run side by side: twice as many that wait for none.

    The playbook's rule of thumb is that twice the budget of quasi-random trials does as well; an adaptive search pays
    where few trials run at a time and many in a row.

    Playbook: D14
    """
    text = (
        f"{sampler} learns from results, so it pays where few trials run at a time and many in a row. Where many run "
        f"at once, {2 * trials} quasi-random trials do as well as its {trials}, in less time, and all of them can be "
        f"analysed."
    )
    remedy = ("sampler=halton", f"budget.trials={2 * trials}")
    say = partial(finding, "parallel search", "D14", "ok", text, reason="in_a_row")
    return say(study=study, numbers={"trials": trials}, remedy=remedy)


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
    text = (
        f"{sampler} chose the points by the results of earlier ones: what edges and density say is weaker for it, and "
        f"{plural(weaker, 'finding')} on them count{'s' * (weaker == 1)} as a warning only."
    )
    numbers = {"downgraded": weaker}
    if weaker:
        return say("warn", text, reason="findings_downgraded", numbers=numbers)
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
            asks="What would quasi-random trials side by side have done instead of an adaptive search?",
            ok=("in_a_row",),
        ),
    ),
    ask=adaptive,
)
