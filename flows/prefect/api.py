"""Prefect's REST API by the standard library alone: importing Prefect's own client takes two seconds of a core.

A request that is refused, is not answered or meets a busy database is made again; then `PrefectFails` is raised.
"""

import base64
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

ANSWER = 5.0  # seconds in which a request must be answered
AGAIN = (0.5, 2.0)  # seconds after which it is made again: a busy SQLite database answers 503 once in 40
_BUSY = (429, 502, 503)


class PrefectFails(Exception):
    """Prefect's server cannot be reached, or will not take what it is sent."""


class Api:
    """A server's API at its address (`http://127.0.0.1:4200/api`); with the key or password of the environment."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.answered = time.monotonic()  # when the server last answered

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to a request.

        Raises:
            PrefectFails: there is none, or it is an error.
        """
        for pause in (*AGAIN, None):
            try:
                reply = self._sent(path, body)
            except urllib.error.HTTPError as error:
                if error.code not in _BUSY or pause is None:
                    said = error.read(300).decode(errors="replace")
                    raise PrefectFails(f"{path}: HTTP {error.code} {said}") from error
            except (OSError, ValueError) as error:
                if pause is None:
                    raise PrefectFails(str(getattr(error, "reason", error))) from error
            else:
                self.answered = time.monotonic()
                return reply
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def set_state(self, kind: str, run: str, state: Mapping[str, Any]) -> None:
        """Set the state of a run of a kind (`flow_runs`, `task_runs`), whatever it was.

        Raises:
            PrefectFails: as `post`.
        """
        self.post(f"{kind}/{run}/set_state", {"state": state, "force": True})

    def _sent(self, path: str, body: Mapping[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"} | _authorization()
        request = urllib.request.Request(f"{self.url}/{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=ANSWER) as reply:
            text = reply.read()
        return json.loads(text) if text else None


def _authorization() -> dict[str, str]:
    """The header that Prefect's own client would send."""
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if said := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(said.encode()).decode()}"}
    return {}
