"""The guard of the reasons: is a hyperparameter that is usually a nuisance fixed on evidence?

Software cannot judge whether a reason is true. It can tell whether the reason refers to something that a reader can
look up or count; whatever refers to nothing of the kind is warned of, in words that say what would be recognised.
"""

import re
from collections.abc import Iterator

from tasks.record import Finding, NotChecked
from tasks.scope.arms import brief, has_room, in_full, listing
from tasks.scope.finding import finding, not_checked
from tasks.scope.names.names import REGULARIZING
from tasks.scope.roles import Scope
from tasks.scope.space import same

EXPLICIT = "The points are explicit, so nothing is searched."
LEFT_TO_THE_ADAM_RULE = frozenset({"one_minus_beta1", "one_minus_beta2", "epsilon"})  # D10 says when to fix these
LONGEST_QUOTE = 40  # characters of a reason that the sentence repeats
RECOGNISED = "an earlier round, a measured number or a cost, a source, or goal=NAME"

_WORK = r"(?:rounds?|stud(?:y|ies)|sweeps?|experiments?|ablations?|runs?|audits?|search(?:es)?)"
_EARLIER = re.compile(
    rf"(?<!\bno )(?<!\bwithout )(?<!\bwithout an )(?<!\bwithout a )"  # whoever says that there is none names none
    rf"\b(?:last|previous|earlier|prior|past|preceding|first|second|third|two|three|four|five|\d+)(?:\s+\w+)?\s+{_WORK}\b"
    rf"|\b{_WORK}[\s:=#]+\S*\d|\b[\w-]+-\d{{8}}-\d{{6}}-\w+",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"(?i:https?://|\bdoi\b|\barxiv\b|\b\d{4}\.\d{4,5}\b|\bet al\b|\[\d+\]|#\d+)|\b[A-Z]\w+,? \(?(?:19|20)\d\d\b"
    r"|(?i:\b(?:section|table|figure|fig\.|appendix|chapter|issue|pr)\s*\w*\d|\w\.(?:csv|json|ipynb|md|html|pdf|parquet)\b)"
)
_ANOTHER_GOAL = re.compile(r"\bgoal=\w")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
_OF_WHAT = re.compile(
    r"%|\$|€|±|\b(?:trials?|seeds?|hours?|minutes?|seconds?|days?|weeks?|[gt]pus?|cores?|[kmgt]i?b|memory|flops?|"
    r"steps?|epochs?|examples|parameters|points?|decades?|times|errors?|loss(?:es)?|accurac(?:y|ies)|perplexity|auc|f1|"
    r"bleu|wer|gains?|gained|noise|sd|deviations?|slower|faster|costs?|measured|differen(?:ce|t))(?=\W|$)|(?<=\d)[a-z]+",
    re.IGNORECASE,
)
_OF_THE_BUDGET = re.compile(
    r"\b(?:up to|at most|no more than|fewer than|less than|only|just|with|have)\s+(\d+)\s+trials\b", re.IGNORECASE
)


def reasons_are_evidence(scope: Scope) -> list[Finding]:
    """Warns where a hyperparameter that is usually a nuisance is fixed for a reason that refers to no evidence.

    Recognised is a reason that names an earlier round or study, a number that was measured or that something costs, a
    source (a link, a paper, a table, a file), or the goal that asks of it (`goal=dropout`). What it says of the number
    of trials must be true of this budget; whether the rest is true no software can judge. Where the trials would not
    suffice for one nuisance more, that is reason enough. Left to other guards: Adam's betas and epsilon (D10), and
    what is to be scientific or fixed anyway: architecture, the choice of an optimizer, a regularizer's switch, batch
    size, length.

    Playbook: C2
    """
    if scope.goal.points:
        return [not_checked("stated reason", "C2", NotChecked.LISTED_POINTS, EXPLICIT)]
    asked = [*_asked(scope)]
    found = [] if not has_room(scope) else [n for n in asked if not evidence_is_stated(scope, n)]
    numbers = {"fixed": len(asked), "without_evidence": len(found)}
    if found:
        text = f"{_quoted(scope, found)} without recognised evidence: tune it, or state evidence in goal.fixed. "
        text += f"Recognised are {RECOGNISED}."
        say = finding("stated reason", "C2", "warn", text, reason="no_evidence", parameter=found[0], numbers=numbers)
        return [say]
    if not asked:
        silent = [n for n in scope.roles.fixed if _usually_nuisance(scope, n) or scope.names.tuned_by_rule(n)]
        beside = f" Not asked for a reason: {listing(silent)}."
        text = f"The goal fixes nothing that is usually a nuisance.{beside if silent else ''}"
        return [finding("stated reason", "C2", "ok", text, reason="none_fixed", numbers=numbers)]
    why = "each refers to evidence" if has_room(scope) else "the trials suffice for no nuisance more"
    text = f"{brief(asked)} {'is' if len(asked) == 1 else 'are'} fixed: {why}.{in_full(asked)}"
    return [finding("stated reason", "C2", "ok", text, reason="stated", numbers=numbers)]


def evidence_is_stated(scope: Scope, name: str) -> bool:
    """Whether the goal itself fixes the hyperparameter, and its reason refers to what can be looked up (C2)."""
    wish = scope.goal.fixed.get(name)
    return wish is not None and bool({*kinds_of_evidence(scope, name, wish.reason)})


def kinds_of_evidence(scope: Scope, name: str, reason: str) -> Iterator[str]:
    """The kinds of evidence that a reason is recognised to refer to; none where it is only an opinion.

    Playbook: C2
    """
    claims = [int(n) for n in _OF_THE_BUDGET.findall(reason)]
    if any(scope.budget.trials > n for n in claims):
        return
    if _EARLIER.search(reason):
        yield "an earlier round"
    if _SOURCE.search(reason):
        yield "a source"
    if _ANOTHER_GOAL.search(reason):
        yield "another goal"
    role = scope.roles.fixed.get(name)
    numbers = [float(n.replace(",", "")) for n in _NUMBER.findall(reason)]
    others = [n for n in numbers if role is None or not same(n, role.value)]
    about = _OF_WHAT.search(reason) or scope.objective.metric.lower() in reason.lower()
    if others and about:
        yield "a number"


def _asked(scope: Scope) -> Iterator[str]:
    """What the goal fixes, or leaves out of its nuisances, that the playbook would have as a nuisance."""
    for name in scope.roles.fixed:
        left_out = scope.goal.nuisance is not None and name in scope.declared and not scope.declared[name].constant
        if (name in scope.goal.fixed or left_out) and _usually_nuisance(scope, name):
            yield name


def _usually_nuisance(scope: Scope, name: str) -> bool:
    names, declared = scope.names, name in scope.declared
    found = names.of(name)
    if found is None or found.family == "other":
        return declared and not scope.declared[name].constant
    if found.family in REGULARIZING:
        return not (declared and names.is_switch(scope.declared[name])) and found.meaning != "regularizer"
    return (names.tuned_by_rule(name) and found.meaning not in LEFT_TO_THE_ADAM_RULE) or found.family == "clipping"


def _quoted(scope: Scope, names: list[str]) -> str:
    """`learning_rate is fixed ("because I say")`; the first of several, and how many more there are."""
    reason = scope.roles.fixed[names[0]].reason
    said = f' ("{reason}")' if len(reason) <= LONGEST_QUOTE else ""
    return f"{names[0]} is fixed{said}" + (f", and {len(names) - 1} more alike" if len(names) > 1 else "")
