"""Tables on a terminal, plain where nobody looks, and cells of them."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.record import Value
from tasks.text import number, one_line


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The rows under their head; control characters in what people wrote are dropped."""
    console, rows = Console(), [[one_line(cell) for cell in row] for row in rows]
    if console.is_terminal:
        table = Table(*head, box=None, header_style="bold", padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(*map(Text, row))
        with console.capture() as shown:
            console.print(table)
        return shown.get()
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in (head, *rows)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def minute(when: str) -> str:
    """A date and time to the minute."""
    return when[:16].replace("T", " ")


def values_text(values: Mapping[str, Value]) -> str:
    """Values on one line as overrides have them, rounded."""
    return " ".join(f"{name}={number(value)}" for name, value in values.items())
