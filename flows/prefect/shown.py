"""Rounds from the shell in Prefect: a projection, written beside the round by a thread, and never in its way.

A round begins at once. A second after its first trial a server is looked for, or started; when it answers, the flow
run is made, with the steps and trials so far, and later ones as they begin and end. Where Prefect fails the round goes
on without it. Nothing is read back from Prefect, and nothing of Prefect's is imported.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue
from typing import Self

from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.prefect.api import Api, PrefectFails
from flows.prefect.reconcile import reconcile
from flows.prefect.server import PrefectServer, home
from flows.prefect.told import RoundShown
from flows.session.signals import the_stop
from flows.steps import PLAIN, Steps

BEGIN = 1.0  # seconds after the first trial was handed over: its imports and a server's would wait for each other
STARTING = 60.0  # seconds at most that a command waits at its end for a server that it has started
FINISH = 10.0  # seconds that a server which has answered gets there from one answer to the next
_STOPPED = 1.5  # seconds of both where somebody stops the command
_SOON = 1.0  # seconds after which a person is told what the command waits for

Order = Callable[[Api], None]


class Shown:
    """Shows the rounds of one command in Prefect: a context around them all, with one server for all."""

    def __init__(self) -> None:
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._begin, self._ended, self._level = threading.Event(), threading.Event(), threading.Event()
        self._server: PrefectServer | None = None
        self._api: Api | None = None
        self._over, self._left = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name="prefect-projection", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._orders.put(None)
        self._left = kind is not None and not self._begin.is_set()  # nothing ran: no server starts to say so
        self._over.set()
        self._begin.set()
        try:
            self._wait(kind is None)
        finally:
            self._left = True
            if not self._ended.is_set() and self._server is not None:
                self._server.stop(at_once=True)

    @contextmanager
    def round(self, config: RoundConfig) -> Iterator[tuple[Steps, RoundShown]]:
        """The steps of a round, of which Prefect is told; in the block the round is `concluded`, or it has failed."""
        shown = RoundShown(config, self._order)
        try:
            yield shown.steps(PLAIN, self._begin.set), shown
        except BaseException as error:
            shown.failed(error)
            raise

    def _order(self, order: Order) -> None:
        self._orders.put(order)

    def _wait(self, patient: bool) -> None:
        """Until Prefect has everything, or nobody can wait for it any longer."""
        began, said = time.monotonic(), not patient
        if patient:
            the_stop().hint = "what ran is concluded; Prefect does not show all of it"
        while not self._ended.wait(0.05):
            now, api = time.monotonic(), self._api
            given = (FINISH if patient else _STOPPED) if api else STARTING if patient else 0.0
            if now > max(began, api.answered if api else 0.0) + given or now > began + STARTING:
                self._left = True
                if patient and not self._level.is_set():
                    tell("warning: Prefect does not show all of it: its server takes too long to wait for")
                return
            if not said and now > began + _SOON and not self._level.is_set():
                said = True
                tell(f"all is concluded; showing it in Prefect, {STARTING:.0f} s at most (Ctrl-C leaves that out)")

    def _work(self) -> None:
        """The thread: one server, and everything that it is told, in order."""
        try:
            self._begin.wait()
            self._over.wait(BEGIN)
            order = self._orders.get()
            if order is None or self._left:
                return
            with ExitStack() as stack:
                api = self._reached(stack)
                while order is not None:
                    api = self._carried_out(order, api) if api else None
                    order = self._orders.get()
                self._level.set()
        finally:
            self._ended.set()

    def _reached(self, stack: ExitStack) -> Api | None:
        """The API of the server that answers, or of one our own, which ends with `stack`; None without any."""
        try:
            self._server = stack.enter_context(PrefectServer(home()))
            self._server.wait()
            self._api = Api(self._server.url)
            with suppress(PrefectFails):
                reconcile(self._api)
        except Exception as error:
            if not self._left:
                tell(f"warning: {error}; the round runs without Prefect")
            return None
        return self._api

    def _carried_out(self, order: Order, api: Api) -> Api | None:
        """The API again, or None after it has failed: each further request would wait as long."""
        try:
            order(api)
        except Exception as error:
            said = next(iter(str(error).splitlines()), "")[:100]
            if not self._left:
                tell(f"warning: Prefect fails ({said}); the round does without it")
            return None
        return api
