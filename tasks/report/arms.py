"""The scientific value of each arm of the gate, put into reasons that speak of finalist, baseline and incumbent."""

import re
from collections.abc import Iterable

from tasks.record import Point, Record
from tasks.report.retrains import look_rows
from tasks.text import point_label

INCUMBENT = "incumbent"
# not before an apostrophe or a hyphen: a possessive would be torn apart; a generation in brackets takes the value in
_MENTION = re.compile(
    r"\b([Tt]he finalist|[Ff]inalist \d+|[Tt]he baseline|[Tt]he incumbent)\b(?![\w'\u2019-])( \(gen\w+ \d+\))?"
)


def arm_values(record: Record) -> dict[str, str]:
    """`{"finalist": "optimizer = adam", …}`; empty where no scientific value tells the arms apart.

    An arm that the gate looked at without retrains of its own has the incumbent's configuration.

    Playbook: G3
    """
    points: dict[str, Point] = {INCUMBENT: record.verdict.incumbent.point}
    for row in look_rows(record):
        points |= dict.fromkeys((row.candidate, row.against), points[INCUMBENT])
    retrains = (t for t in record.trials if t.purpose == "retrain")
    points |= {t.study.removeprefix("retrain-"): t.point for t in retrains}
    telling = [n for n in record.roles.scientific if len({repr(p[n]) for p in points.values() if n in p}) > 1]
    labels = {arm: point_label({n: p[n] for n in telling if n in p}) for arm, p in points.items()}
    return {arm: label for arm, label in labels.items() if label}


def with_values(record: Record, sentences: Iterable[str]) -> tuple[str, ...]:
    """The sentences, each arm at its first mention with its scientific value: `the finalist (optimizer = adam)`."""
    left = arm_values(record)

    def told(match: re.Match[str]) -> str:
        arm = match[1].lower().removeprefix("the ").replace(" ", "-")
        label = left.pop(arm, "")
        if not label:
            return match[0]
        return f"{match[1]}{match[2][:-1]}, {label})" if match[2] else f"{match[1]} ({label})"

    return tuple(_MENTION.sub(told, sentence) for sentence in sentences)
