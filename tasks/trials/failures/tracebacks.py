"""Python's tracebacks in a text: whole, chained, in an exception group, or each line behind a label of its process."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

HEADER = "Traceback (most recent call last):"
_CHAINED = ("The above exception was the direct cause", "During handling of the above exception")
_NO_END = re.compile(  # a program survives these: Python prints them and goes on
    r"(Exception ignored (in|on)|Exception in (thread|callback)|Task exception was never retrieved|future: "
    r"|--- Logging error ---|Error in (atexit|sys\.excepthook))"
)
_FRAME = re.compile(r'\s*File "(?P<file>.+?)", line (?P<line>\d+)(?:, in (?P<function>.*))?')
_ERROR = re.compile(r"\s*(?P<kind>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?:\([\w.]+\))?(?P<said>:(?:\s.*)?)?")
_LEVELS = ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")  # of a logger that wrote between two lines of a traceback
_GROUP = re.compile(r"(\s*)\+ Exception Group ")
_MARKS = re.compile(r"[\s~^]*")
_MORE = 12  # lines of a message that are kept


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One call: `file` and `line` as printed, the `function`, and the line's source where it was printed."""

    file: str
    line: int
    function: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Traceback:
    """The `frames`, outermost first, and the exception: its `kind` and `message`, `lines` as printed.

    `chain`: the exceptions that led to this one, the first one first. `fatal`: whether it may have ended the program;
    one of a thread, or one that Python ignored, does not.
    """

    frames: tuple[Frame, ...]
    kind: str
    message: str
    lines: tuple[str, ...]
    fatal: bool = True
    chain: tuple["Traceback", ...] = ()

    @property
    def name(self) -> str:
        """The exception's class without its module."""
        return self.kind.rpartition(".")[2]

    @property
    def error(self) -> str:
        """The exception in a line: `ModuleNotFoundError: No module named 'apex'`."""
        return f"{self.kind}: {self.message}" if self.message else self.kind


@dataclass(kw_only=True)
class _Open:
    """A traceback that is being read: `label` stands before each of its lines."""

    label: str
    fatal: bool
    chain: tuple[Traceback, ...] = ()
    begun: bool = False
    indent: int | None = None
    frames: list[Frame] = field(default_factory=list)


@dataclass(kw_only=True)
class _Reader:
    """Reads lines; `found` are the tracebacks in the order in which their exceptions were printed."""

    found: list[Traceback] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    number: int = 0
    _open: dict[str, _Open] = field(default_factory=dict)
    _before: str = ""
    _message: str | None = None  # the label of the last exception, while its message may go on

    def read(self, line: str) -> None:
        """Take in one line."""
        label, header, _ = line.partition(HEADER)
        if header:
            self._begin(_GROUP.sub(r"\1| ", label))
        else:
            block = self._block_of(line)
            if block is None or not self._within(block, line[len(block.label) :]):
                self._go_on(line)
        if line.strip():
            self._before = line
        self.number += 1

    def _begin(self, label: str) -> None:
        before = self._before.removeprefix(label).strip()
        chained = self.found and before.startswith(_CHAINED)
        chain = (*self.found[-1].chain, self.found[-1]) if chained else ()
        self._message = None
        self._open[label] = _Open(label=label, fatal=not _NO_END.match(before), chain=chain)

    def _block_of(self, line: str) -> _Open | None:
        """The traceback that the line belongs to. Where only its first line had the label, the label is dropped."""
        for label in sorted(self._open, key=len, reverse=True):
            block = self._open[label]
            if line.startswith(label):
                return block
            if label and not block.begun and _FRAME.match(line):
                del self._open[label]
                block.label = ""
                self._open[""] = block
                return block
        return None

    def _within(self, block: _Open, body: str) -> bool:
        """Whether the line is one of the traceback's."""
        indent = len(body) - len(body.lstrip())
        if frame := _FRAME.match(body):
            block.begun = True
            block.indent = indent if block.indent is None else block.indent
            found = frame.groupdict(default="")
            block.frames.append(Frame(file=found["file"], line=int(found["line"]), function=found["function"]))
            return True
        if indent >= (1 if block.indent is None else block.indent) or not body.strip():
            last = block.frames[-1] if block.frames else None
            if last and not last.source and not _MARKS.fullmatch(body):
                block.frames[-1] = Frame(file=last.file, line=last.line, function=last.function, source=body.strip())
            return True
        error = _ERROR.fullmatch(body)
        if error is None or error["kind"] in _LEVELS:
            return False  # of another process, or of a logger
        del self._open[block.label]
        said = (error["said"] or "")[1:].strip()
        found_now = Traceback(
            frames=tuple(block.frames),
            kind=error["kind"],
            message=said,
            lines=(body.rstrip(),),
            fatal=block.fatal,
            chain=block.chain,
        )
        self.found.append(found_now)
        self.at.append(self.number)
        self._message = block.label
        return True

    def _go_on(self, line: str) -> None:
        """More of the last exception's message, up to a blank line; a message that is empty so far skips blank ones."""
        if self._message is None or not line.startswith(self._message):
            return
        last, body = self.found[-1], line[len(self._message) :].rstrip()
        ends = (last.message and not body.strip()) or body.startswith(_CHAINED) or len(last.lines) >= _MORE
        if ends:
            self._message = None
        elif body.strip():
            self.found[-1] = replace(last, message=last.message or body.strip(), lines=(*last.lines, body))
            self.at[-1] = self.number


def tracebacks_in(lines: Iterable[str]) -> Iterator[tuple[int, Traceback]]:
    """`(number of its last line, traceback)` of each, in the order in which their exceptions were printed."""
    reader = _Reader()
    for line in lines:
        reader.read(line)
    yield from zip(reader.at, reader.found, strict=True)
