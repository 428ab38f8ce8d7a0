"""The page's part on how the numbers came to be: which is which, the update rules, the predictions of the best."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.method import PredictionsRow, UpdateRuleRow
from tasks.record import Record
from tasks.report.page.rules import AGAINST, against_playbook
from tasks.report.stated import evaluation_lines, exploration_sentence
from tasks.text import number, percent, plural

MISTAKES = 8  # that are listed, the most confident first
NO_RULE = (
    "Not recorded: the program built its own optimizer and did not say which. Its epsilon, bias correction and weight "
    'decay may stand elsewhere than in the playbook; trial.save(step, {…, "update_rule": {"implementation": …}}) tells.'
)
NO_PREDICTIONS = (
    "Not recorded: the program saved no predictions. A training function keeps those of a few validation examples, "
    'always the same, by trial.save(step, {…, "predictions": {"target": …, "predicted": …, "confidence": …}}).'
)


@dataclass(frozen=True, kw_only=True)
class RuleCard:
    """An update rule as text: `pairs` of what was read off it."""

    optimizer: str
    implementation: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """The predictions at the best step as text: a sentence, and the most confident mistakes, one row each."""

    sentence: str
    rows: tuple[tuple[str, ...], ...]
    sure: bool  # whether there is a column of confidences


@dataclass(frozen=True, kw_only=True)
class Method:
    """How the numbers came to be, as text; what was not recorded says so."""

    exploration: str
    evaluations: tuple[tuple[str, str], ...]
    rules: tuple[RuleCard, ...]
    no_rule: str
    predicted: Predicted | None
    no_predictions: str


def method_text(record: Record) -> Method:
    """Everything that the page says of it.

    Playbook: B4, J7, J20, K8
    """
    method = record.method
    shown = method.predictions if method else None
    rules = tuple(map(_rule, method.update_rules)) if method else ()
    return Method(
        exploration=exploration_sentence(record),
        evaluations=evaluation_lines(record),
        rules=rules,
        no_rule="" if rules else NO_RULE,
        predicted=_predicted(shown) if shown else None,
        no_predictions="" if shown else NO_PREDICTIONS,
    )


def _rule(row: UpdateRuleRow) -> RuleCard:
    options = ", ".join(f"{name} = {number(value)}" for name, value in row.options.items())
    rule = {**row.rule, AGAINST: against_playbook(row)}
    stated = [*rule.items(), *([("options", options)] if options else []), ("read off", f"trial {row.trial}")]
    where = f"{row.implementation} ({row.version})" if row.version else row.implementation
    return RuleCard(optimizer=row.optimizer or "optimizer", implementation=where, pairs=tuple(stated))


def _predicted(shown: PredictionsRow) -> Predicted:
    best = shown.at_best
    count = plural(len(shown.target), "fixed validation example")
    where = f"At step {shown.best_step:,}, its best, trial {shown.trial}"
    if shown.real:
        order = sorted(range(len(shown.target)), key=lambda i: -_off(shown, best, i))
        off = [f"off by {number(_off(shown, best, i))}" for i in order]
        told = tuple((*_guess(shown, i, best), by) for i, by in zip(order[:MISTAKES], off, strict=False))
        return Predicted(sentence=f"{where} is {off[0]} at most for {count}.", rows=told, sure=False)
    sure = shown.confidence[best] if shown.confidence else ()
    missed = [i for i in range(len(shown.target)) if shown.missed(best, i)]
    order = sorted(missed, key=lambda i: -sure[i]) if sure else missed
    last = len(shown.steps) - 1
    changed = sum(a != b for a, b in zip(shown.predicted[best], shown.predicted[last], strict=True))
    later = f", and {plural(changed, 'prediction')} changed from there to the last step" if best < last else ""
    always = sum(not any(shown.missed(x, i) for x in range(last + 1)) for i in range(len(shown.target)))
    sentence = f"{where} misses {len(missed)} of {count}{later}; {always} are right at every evaluation."
    rows = tuple(tuple(_mistake(shown, i, best)) for i in order[:MISTAKES])
    return Predicted(sentence=sentence, rows=rows, sure=bool(sure))


def _off(shown: PredictionsRow, evaluation: int, i: int) -> float:
    """How far a real number is from its target; a text that stands among them is as far as can be."""
    target, guess = shown.target[i], shown.predicted[evaluation][i]
    return math.inf if isinstance(target, str) or isinstance(guess, str) else abs(target - guess)


def _guess(shown: PredictionsRow, i: int, best: int) -> tuple[str, str, str]:
    return f"#{i}", number(shown.target[i]), number(shown.predicted[best][i])


def _mistake(shown: PredictionsRow, i: int, best: int) -> Iterator[str]:
    """Example, target, prediction, confidence where it is known, and how long it has been missed."""
    yield from _guess(shown, i, best)
    if shown.confidence:
        yield percent(round(shown.confidence[best][i], 3))
    right = sum(not shown.missed(x, i) for x in range(len(shown.steps)))
    yield f"right at {right} of {plural(len(shown.steps), 'evaluation')}"
