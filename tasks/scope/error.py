"""`InputError`: the one exception that a person's input can cause."""


class InputError(Exception):
    """Bad input: one sentence that says what, where, what is allowed and the way out. The shell exits with 2.

    No ValueError: pydantic would bury the sentence of a validator inside an error of its own.
    """

    __module__ = "tunebook"  # where a notebook imports it from, and a traceback names it
