"""A port on which MLflow seems to be, and which misbehaves as it is told."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Kind = Literal["refuses", "silent", "500", "429", "trickles", "slow", "passes"]
_REPLIES = {
    "500": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "429": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "trickles": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
}
SLOW = 0.4  # seconds before each call is passed on


class Door:
    """One port; `kind` may change at any time, and what is connected then is cut off."""

    def __init__(self, kind: Kind, behind: int = 0) -> None:
        self.kind: Kind = kind
        self._behind = behind  # the port of a real server
        self._open: list[socket.socket] = []
        self._listening = self._listen(0)
        self.port = int(self._listening.getsockname()[1])
        self.uri = f"http://127.0.0.1:{self.port}"
        self.calls = 0
        if kind == "refuses":
            self.turn(kind)

    def turn(self, kind: Kind) -> None:
        """Behave otherwise from now on."""
        was, self.kind = self.kind, kind
        for end in [*self._open, *([self._listening] if kind == "refuses" else [])]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()
        if was == "refuses" and kind != "refuses":
            self._listening = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listening = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
        return listening

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                end, _ = listening.accept()
                self._open.append(end)
                threading.Thread(target=self._serve, args=(end,), daemon=True).start()

    def _serve(self, end: socket.socket) -> None:
        with suppress(OSError):
            if self.kind in ("passes", "slow"):
                behind = socket.create_connection(("127.0.0.1", self._behind))
                self._open.append(behind)
                threading.Thread(target=self._pump, args=(behind, end), daemon=True).start()
                self._pump(end, behind)
                return
            end.recv(65536)
            self.calls += 1
            if self.kind in _REPLIES:
                end.sendall(_REPLIES[self.kind])
            while self.kind == "trickles":
                end.sendall(b" ")
                time.sleep(0.5)
            if self.kind != "silent":
                end.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                time.sleep(SLOW if self.kind == "slow" else 0.0)
                target.sendall(data)
        for end in (source, target):
            end.close()


@contextmanager
def door(kind: Kind, behind: int = 0) -> Iterator[Door]:
    """A door that is closed at the end."""
    made = Door(kind, behind)
    try:
        yield made
    finally:
        made.turn("refuses")
