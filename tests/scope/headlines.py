"""The law of a finding's first sentence: at most `HEADLINE` characters, so that it is never cut."""

from tasks.record import Finding
from tasks.scope.finding import headline


def begins_short(found: Finding) -> bool:
    """Whether the headline is the whole first sentence of the finding's evidence, and not a part of one."""
    return " ".join(found.evidence.split()).startswith(headline(found.evidence))
