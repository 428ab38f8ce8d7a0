"""The guard of the scales: is every range searched on the scale on which it is even?"""

import math

import numpy as np

from tasks.record import Finding, NotChecked
from tasks.scope.arms import brief, in_full
from tasks.scope.finding import finding, not_checked
from tasks.scope.guards.evidence import EXPLICIT
from tasks.scope.names.recognition import COMPLEMENTS
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter
from tasks.text import show

ON_LOG = COMPLEMENTS | {
    "learning_rate",
    "part_learning_rate",
    "warmup_learning_rate",
    "weight_decay",
    "epsilon",
    "l1",
    "l2",
}
A_DECADE = 2  # values a decade that the remedy lists for a momentum


def log_scales(scope: Scope) -> list[Finding]:
    """Warns where a rate, a decay, an epsilon or one minus a momentum is searched on a linear scale.

    A linear range spends nearly all of its points in its top decade; `policy.log_ratio` says from which width on
    that matters. A momentum or a beta itself is judged by one minus it, which is what decades are of: from 0.5 to 0.999
    that spans 500 times, and nearly every point on a linear scale lies below 0.99.

    Playbook: D11
    """
    if scope.goal.points:
        return [not_checked("scale", "D11", NotChecked.LISTED_POINTS, EXPLICIT)]
    asked = [p for p in scope.space if p.numeric and scope.names.meaning(p.name) in ON_LOG]
    if not asked:
        text = (
            "No range is recognised as a rate, a decay, an epsilon or a momentum: "
            f"{scope.names.say('learning_rate')} says which it is."
        )
        return [not_checked("scale", "D11", NotChecked.NOT_RECOGNISED, text)]
    ratio = scope.policy.log_ratio
    found = [_close_to_one(p, ratio) for p in asked if scope.names.direct(p.name) and _nears_one(p, ratio)]
    found += [_linear(p, ratio) for p in asked if not scope.names.direct(p.name) and _belongs_on_log(p, ratio)]
    names = [p.name for p in asked]
    text = f"{brief(names)}: on a log scale, or narrow enough for a linear one.{in_full(names)}"
    numbers = {"log_ratio": ratio}
    return found or [finding("scale", "D11", "ok", text, reason="sound_scales", numbers=numbers)]


def _belongs_on_log(p: Parameter, ratio: float) -> bool:
    low, high = p.bounds
    return p.scale == "linear" and not p.constant and (low <= 0 or high / low > ratio)


def _nears_one(p: Parameter, ratio: float) -> bool:
    """Whether one minus the parameter spans more than the ratio."""
    low, high = p.bounds
    return not p.constant and (high >= 1 or (1 - low) / (1 - high) > ratio)


def _linear(p: Parameter, ratio: float) -> Finding:
    low, high = p.bounds
    raised = [f"space.{p.name}.low={show(high / 1000)}"] if low <= 0 < high else []
    return finding(
        "scale",
        "D11",
        "warn",
        f"{p.name} runs from {show(low)} to {show(high)} on a linear scale, so nine of ten trials fall in its "
        "top decade: search it on a log scale.",
        reason="linear_over_decades",
        parameter=p.name,
        numbers={"low": low, "high": high, "log_ratio": ratio},
        remedy=[*raised, f"space.{p.name}.scale=log"] if high > 0 else [],
    )


def _close_to_one(p: Parameter, ratio: float) -> Finding:
    """The remedy lists values that are even in the log of one minus them, under the name that the program reads."""
    low, high = p.bounds
    text = (
        f"{p.name} runs from {show(low)} to {show(high)} on a {p.scale} scale, with few trials close to 1: "
        "search one minus it on a log scale. A list of values that are even on that scale will do, too."
    )
    return finding(
        "scale",
        "D11",
        "warn",
        text,
        reason="close_to_one",
        parameter=p.name,
        numbers={"low": low, "high": high, "log_ratio": ratio},
        remedy=(f"~space.{p.name}", f"++space.{p.name}={{values:[{','.join(map(show, _even(low, high)))}]}}"),
    )


def _even(low: float, high: float) -> list[float]:
    """Values from low to high, or to 0.999 where high is 1, even in the logarithm of one minus them."""
    far, near = 1 - max(low, 0.0), max(1 - high, 1e-3)
    count = max(3, 1 + math.ceil(A_DECADE * math.log10(far / near)))
    return [float(f"{1 - rest:.4g}") for rest in np.geomspace(far, near, count)]
