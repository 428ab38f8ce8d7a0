"""How commands are written where they are printed: in the form in which this one was called."""

MODULES = "python -m flows."  # in the checkout
CONSOLE = "tunebook "  # installed

_form = MODULES


def called_as(form: str) -> None:
    """From now on this process prints its commands in this form: `MODULES` or `CONSOLE`."""
    global _form
    _form = form


def program(command: str) -> str:
    """The words with which a command of ours is called: `tunebook round`, or `python -m flows.round`."""
    return f"{_form}{command}"
