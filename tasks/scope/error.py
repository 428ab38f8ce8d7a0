"""The one exception that a person can cause."""


class InputError(ValueError):
    """Bad input: one sentence that says what, where, what is allowed and the way out. The shell exits with 2."""
