"""A thread that writes what ended to MLflow and never stops a round."""

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Self

from tasks.record import TrialRow
from tasks.tracking.loading import load_mlflow
from tasks.tracking.projection import Entry, Projection, entries, trial_entry
from tasks.tracking.store import Handle, Tracking, connect

UNANSWERED = 1.5  # seconds for a server that has not answered yet: connecting takes four calls, of 0.03 s each
REST = 10.0  # seconds for which MLflow is left alone after it failed; a server takes about as long to start

Earlier = Generator[None, None, None]


class Projector:
    """Takes finished trials and the whole round at once and shows them in MLflow when it can.

    No method raises for MLflow, and those that wait wait no longer than they are told. The first failure makes
    `warning`, one sentence, handed to `warn` once; what could not be written is tried again later. `noted` hears the
    key and MLflow's id of everything that was written. `earlier` shows earlier rounds, a piece at each step: they have
    their turn where nothing of this round waits, and give up in silence.

    Playbook: J13
    """

    def __init__(
        self,
        tracking: Tracking,
        *,
        workload: str,
        round_id: str,
        name: str = "",
        warn: Callable[[str], None] = lambda _: None,
        noted: Callable[[str, str], object] = lambda *_: None,
        earlier: Earlier | None = None,
    ) -> None:
        self.warning: str | None = None
        self.down = False
        self._tracking, self._said = tracking, (workload, round_id, name)
        self._warn, self._noted, self._earlier = warn, noted, earlier
        self._handle: Handle | None = None
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._waiting: deque[Entry] = deque()
        self._runs: dict[str, str] = {}
        self._again = self._moved = 0.0  # monotonic: not before, and when something was last written
        self._given_up = False
        self._thread: threading.Thread | None = None
        if tracking.enabled:
            self._thread = threading.Thread(target=self._work, name="mlflow-projection", daemon=True)
            self._thread.start()

    def add(
        self,
        row: TrialRow,
        steps: Iterable[int],
        metrics: Mapping[str, Iterable[float]],
        started: float | None = None,
    ) -> None:
        """Takes a trial that ended; see `project_trial`."""
        entry = partial(trial_entry, row=row, steps=steps, metrics=metrics, started=started)
        self._order(lambda: self._take(entry))

    def show(self, picture: Callable[[], Projection]) -> None:
        """Takes the whole round in place of what waits, and asks MLflow once more where it was down."""
        self._order(lambda: self._replace(picture))

    def runs(self, timeout: float, unanswered: float = UNANSWERED) -> dict[str, str]:
        """MLflow's run ids by trial, of what is shown once all that was taken is, or `timeout` seconds are over.

        A server that has not answered yet, or is asked once more after it was down, is given `unanswered` seconds.
        """
        self._reached(lambda: None, timeout, timeout, unanswered)
        return dict(self._runs)

    def drain(self, timeout: float = 60.0, patience: float = 15.0, unanswered: float = UNANSWERED) -> dict[str, str]:
        """As `runs`, and what is not written in time is warned of; `patience`: seconds in which nothing is written."""
        if not self._reached(lambda: None, timeout, patience, unanswered):
            self._given_up = self.down = True
            self._note("it is too slow to wait for")
        return dict(self._runs)

    def bring_along(self, timeout: float) -> None:
        """Gives the earlier rounds their turn, for at most `timeout` seconds."""
        until = time.monotonic() + timeout

        def turn() -> None:
            while time.monotonic() < until and self._step_earlier():
                pass

        self._reached(turn, timeout, timeout, UNANSWERED)

    def close(self, timeout: float = 5.0) -> None:
        """Lets the thread end; what MLflow has not taken by then stays in the ledger alone."""
        if self._thread is not None:
            self._orders.put(None)
            self._thread.join(0.0 if self._given_up else timeout)
            self._given_up = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(5.0 if kind is None else 1.0)  # a machine that is wanted back is gone in five

    def _order(self, order: Callable[[], None]) -> None:
        if self._thread is not None:
            self._orders.put(order)

    def _reached(self, last: Callable[[], None], timeout: float, patience: float, unanswered: float) -> bool:
        """Whether the thread has done all that it was told, and `last`, in time."""
        done, begun = threading.Event(), time.monotonic()
        self._order(last)
        self._order(done.set)
        while self._thread is not None and not self._given_up and not done.wait(0.02):
            now, answers = time.monotonic(), self._handle is not None or self._tracking.file is not None
            idle = now - max(self._moved, begun)
            if now - begun > timeout or idle > (patience if answers else min(patience, unanswered)):
                return False
        return True

    def _work(self) -> None:
        with suppress(Exception):  # connecting will say it
            load_mlflow()  # seconds, which are not the server's
        self._moved = time.monotonic()
        self._attempt()
        while not self._given_up and (order := self._next()) is not None:
            order()
        if self._earlier is not None:
            self._earlier.close()

    def _next(self) -> Callable[[], None] | None:
        while self._orders.empty() and not self._given_up and self._step_earlier():
            pass
        return self._orders.get()

    def _step_earlier(self) -> bool:
        """Whether a piece of an earlier round was shown."""
        if self._handle is None or self._earlier is None:
            return False
        try:
            next(self._earlier)
        except Exception:  # its end, or MLflow's: either way a later round, or a person's sync, has its turn
            self._earlier = None
            return False
        return True

    def _take(self, entry: Entry) -> None:
        self._waiting.append(entry)
        if time.monotonic() >= self._again:
            self._attempt()

    def _replace(self, picture: Callable[[], Projection]) -> None:
        try:
            self._waiting = deque(entries(picture()))
        except Exception as error:
            self._note(f"what it should show cannot be read: {error}")
        self._attempt()

    def _attempt(self) -> None:
        """Writes what waits. One entry may be at fault by itself; two failures in a row are MLflow's: it is left alone
        for a while. What failed here may have been carried out there, so everything is looked for again."""
        failed: deque[Entry] = deque()
        in_a_row = 0
        try:
            handle = self._handle = self._handle or connect(self._tracking, *self._said)
            while self._waiting and in_a_row < 2 and not self._given_up:
                entry = self._waiting.popleft()
                try:
                    key, run = entry(handle)
                except Exception as error:  # whatever MLflow raises, the round goes on
                    failed.append(entry)
                    in_a_row += 1
                    self._note(reason(error))
                else:
                    in_a_row = 0
                    self._runs[key], self._moved = run, time.monotonic()
                    self._noted(key, run)
        except Exception as error:
            in_a_row = 2
            self._note(reason(error))
        self.down = in_a_row >= 2
        self._waiting.extendleft(reversed(failed))
        if failed or self.down:
            self._handle = None
        self._again = time.monotonic() + REST if self.down else 0.0

    def _note(self, why: str) -> None:
        if self.warning is None:
            address = without_password(self._tracking.address)
            self.warning = f"MLflow at {address} does not take round {self._said[1]} ({why})"
            self._warn(self.warning)


def reason(error: Exception) -> str:
    """Why MLflow did not take something, in a few words."""
    text = without_password(str(error))
    if found := re.search(r"too many (\d+) error responses|error code (\d+)", text):
        return f"it answers with {found[1] or found[2]}"
    for sign, words in (("refused", "nobody listens there"), ("timed out", "no answer in time")):
        if sign in text:
            return words
    lines = text.splitlines()
    return f"{type(error).__name__}: {lines[0][:120] if lines else ''}"


def without_password(text: str) -> str:
    """The text without what stands before the `@` of an address."""
    return re.sub(r"://[^@/\s]+@", "://", text)
