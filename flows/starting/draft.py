"""A script as it was read: what is asked first about it, and what a person should know or must do."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flows.starting.fates import MISSING, Reading, fates_of
from flows.starting.questions import FirstQuestion, first_question
from flows.starting.script.command_line import WAY_OUT, CommandLine, command_line_of
from flows.starting.script.metrics import VARIABLE, Reporting, reporting_of
from flows.starting.script.source import read_script
from tasks.scope.error import InputError
from tasks.scope.names.metrics import direction_of


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A script as it was read, and what is made of it."""

    script: Path
    line: CommandLine
    reading: Reading
    reporting: Reporting

    @cached_property
    def question(self) -> FirstQuestion:
        """The first question."""
        return first_question(self.reading.guesses)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know before the first round, each a sentence."""
        return (*self.line.notes, *self.reading.notes, *self.reporting.notes)

    @property
    def to_do(self) -> tuple[str, ...]:
        """What a person must do before the first round works, each a sentence."""
        found = [*self.line.to_do, *self.reading.to_do]
        metric = self.reporting.objective
        if self.reporting.way is None:
            found.append(
                f"{self.script.name} reports nothing that can be read: let it append a line an evaluation to the file "
                f"that {VARIABLE} names (the new README shows how), and write the metric's name into workload/"
            )
        elif metric is None:
            found.append(
                f"the names of its metrics are computed: write that of the objective into workload/ ({MISSING})"
            )
        if metric is not None and direction_of(metric) is None:
            found.append(
                f"{metric}: which way is better cannot be told by its name; write it into workload/ ({MISSING})"
            )
        return tuple(found)


def draft_of(path: Path) -> Draft:
    """What can be made of the script at a path.

    Raises:
        InputError: it cannot be read, or nothing in it is a hyperparameter that is worth tuning.
    """
    script = read_script(path)
    try:
        line, reporting = command_line_of(script), reporting_of(script)
        reading = fates_of(line)
    except RecursionError as error:
        raise InputError(f"--from: {path} is nested too deeply to be followed; {WAY_OUT}") from error
    if not reading.guesses:
        names = ", ".join(a.name for a in line.arguments[:8]) or "none"
        raise InputError(
            f"--from: of the arguments of {path} ({names}) none is known to be a hyperparameter that is worth tuning; "
            f"{WAY_OUT}"
        )
    return Draft(script=path, line=line, reading=reading, reporting=reporting)
