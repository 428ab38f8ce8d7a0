"""Lines of a plan or a check as a terminal shows them: a label, and what is said under it."""

import textwrap

WIDTH = 100  # columns of a terminal
MARGIN = 12  # columns of the label


def labelled(label: str, text: str) -> list[str]:
    """A label and what is said under it, in lines that fit a terminal."""
    lines = textwrap.wrap(text, WIDTH - MARGIN, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{'' if i else label:<{MARGIN}}{line}" for i, line in enumerate(lines)]
