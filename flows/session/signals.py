"""Ctrl-C and SIGTERM: the first asks the trials to save and stop, a second Ctrl-C ends the program at once.

Python calls a signal's handler in the main thread, once that thread gets to it. A thread of our own hears of every
signal through the pipe that the kernel's side writes: it gives the trials notice whatever the main thread is doing,
and ends the program where the way out takes too long. That is always safe: what the ledger was told is on disk, the
locks are the kernel's, and the fork server ends with its coordinator.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

LIMIT = 9.0  # seconds from the first signal until the program ends, however far it has come
ONE_PRESS = 0.2  # seconds: a terminal and the program that started us may both hand on the same Ctrl-C
_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = b"\x1b[?25h"  # a progress line hides it


class Stop:
    """Whether this program was asked to stop, by which signal, and who else must hear of it.

    `hint`: how to go on, for whoever stopped it.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.hint = "no round had begun"
        self._since: float | None = None
        self._raised = False
        self._notices: list[Callable[[], object]] = []

    def hear(self, number: int) -> None:
        """Take one signal in: the first gives notice, a later Ctrl-C ends the program."""
        if number not in _ASKING:
            return
        if self._since is None:
            self.signal, self._since = number, time.monotonic()
            for job in (self._run_out, *self._notices):
                threading.Thread(target=_quietly, args=(job,), daemon=True).start()
        elif number == signal.SIGINT and time.monotonic() > self._since + ONE_PRESS:
            self._end(f"stopped at once; {self.hint}")

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The main thread's part: the first signal leads it out of what it does; another would cut that way short."""
        if not self._raised:
            self.signal, self._raised = number, True
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    @contextmanager
    def noticed(self, notice: Callable[[], object]) -> Iterator[None]:
        """In the block, `notice` is called as soon as a signal asks for the end; it is done before the block ends."""
        self._notices.append(notice)
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            _quietly(notice)
            raise
        finally:
            self._notices.remove(notice)

    def _run_out(self) -> None:
        time.sleep(LIMIT)
        self._end(f"stopped; {self.hint}")

    def _end(self, sentence: str) -> NoReturn:
        with suppress(OSError):
            os.write(2, (_SHOW_CURSOR if sys.stderr.isatty() else b"") + f"\n{sentence}\n".encode())
        os._exit(128 + (self.signal or 0))


_stop: Stop | None = None


def the_stop() -> Stop:
    """The stop of the `heeding` block that this is called in; outside of one, a stop that nobody asks for."""
    return _stop or Stop()


@contextmanager
def heeding() -> Iterator[Stop]:
    """In the block, Ctrl-C raises KeyboardInterrupt and SIGTERM and SIGHUP raise SystemExit (128 + signal).

    A block inside another only sees to it that this is so again: a flow of Prefect's puts a handler of its own for
    SIGTERM. Signals that this program was started to ignore stay ignored.
    """
    global _stop
    if threading.current_thread() is not threading.main_thread():
        yield the_stop()
        return
    outer = _stop
    _stop = stop = outer or Stop()
    before = {n: h for n in _ASKING if (h := signal.getsignal(n)) not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, stop.handle)
    try:
        if outer:
            yield stop
        else:
            with _heard(stop):
                yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _stop = outer


@contextmanager
def _heard(stop: Stop) -> Iterator[None]:
    """A thread that hears of each signal through a pipe, in the block."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    thread = threading.Thread(target=_listen, args=(read, stop), name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(write)
        thread.join()
        os.close(read)


def _listen(read: int, stop: Stop) -> None:
    while numbers := os.read(read, 64):
        for number in numbers:
            stop.hear(number)


def _quietly(job: Callable[[], object]) -> None:
    """Do what can be done; the way out is no place for another error."""
    with suppress(Exception):
        job()
