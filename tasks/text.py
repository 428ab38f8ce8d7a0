"""The writers of numbers, bands, shares, durations, points and lines: where values become text.

Two writers of numbers stand here side by side, `number` and `show`: what is stored was written by both.
"""

import math
import re
from collections.abc import Iterable, Mapping

from tasks.record import Point, Value

MISSING = "\u2013"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # but for line ends


def number(value: Value | None) -> str:
    """A value as a person writes it: four significant digits, no padded exponent, a dash for what is missing."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    if math.isfinite(value) and 1e4 <= abs(value) < 1e6:
        return f"{value:.0f}"
    mantissa, mark, exponent = f"{value:.4g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else mantissa


def show(value: Value | None) -> str:
    """A value as a person writes it."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    mantissa, mark, exponent = f"{value:.4g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else mantissa  # as the report's tables write it


def as_yaml(value: object) -> str:
    """A value as YAML and programs read it: booleans in lower case, floats by `repr`, which round-trips."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def band_text(band: tuple[float, float] | None) -> str:
    """The two ends of a band, a dash where there is none."""
    return MISSING if band is None else f"{number(band[0])} to {number(band[1])}"


def spread_text(mean: float, half: float) -> str:
    """`mean ± half`, both to the second significant digit of the half width."""
    if not math.isfinite(half) or half <= 0:
        return number(mean)
    digits = max(0, 1 - math.floor(math.log10(half)))
    return f"{mean:.{digits}f} ± {half:.{digits}f}" if digits < 8 else f"{number(mean)} ± {half:.2g}"


def percent(share: float) -> str:
    """A share between 0 and 1 in whole percent."""
    return f"{100 * share:.3g} %"


def duration(seconds: float) -> str:
    """A time in the two units that matter."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(count: int, noun: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def point_label(point: dict[str, Value]) -> str:
    """A point, or the scientific values of an arm, on one line in the order given."""
    return ", ".join(f"{k} = {number(v)}" for k, v in point.items())


def point_text(point: Point) -> str:
    """A point on one line."""
    return ", ".join(f"{k}={show(v)}" for k, v in sorted(point.items()))


def plainly(value: object) -> str:
    """Any value on one line: what it holds, one after the other, where it holds several."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {plainly(v)}" for k, v in value.items()) or "none"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(plainly(v) for v in value) or "none"
    return number(value) if value is None or isinstance(value, bool | int | float | str) else str(value)


def one_line(words: str) -> str:
    """The words on one line without control characters; a terminal obeys those, whoever wrote them."""
    return printable(" ".join(words.split()))


def printable(words: str) -> str:
    """Lines as they are, without the other control characters."""
    return _CONTROL.sub("", words)


def cut(words: str, width: int) -> str:
    """The words cut to the width with an ellipsis, control characters dropped, leading blanks kept."""
    kept = printable(words.replace("\n", " "))
    return kept if len(kept) <= width else kept[: max(width - 1, 1)] + "…"
