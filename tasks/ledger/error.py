"""What the ledger refuses."""


class LedgerError(ValueError):
    """The ledger refuses: one sentence that says what, why and the way out."""
