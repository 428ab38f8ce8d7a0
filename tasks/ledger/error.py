"""The ledger's errors."""


class LedgerError(ValueError):
    """The ledger refuses: one sentence that says what, why and the way out."""


class Damage(Exception):
    """A row is not what was written; the store, which knows its own name, makes a sentence of it."""


def damaged(name: str, what: object) -> LedgerError:
    """What is said of a ledger that cannot be believed, with the way out."""
    said = " ".join(str(what).split())
    return LedgerError(
        f"the ledger {name} is damaged ({said}): put a copy of it back, or move it away; incumbents are then taken "
        "from their files, and the rounds that ended stay readable under records/"
    )
