"""A real Prefect server, and questions to its API without Prefect's own client."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.compose.config import CONF

SERVER = """
import sys
from pathlib import Path
from flows.prefect.server import PrefectServer, free_port
with PrefectServer(Path(sys.argv[1]), free_port()) as server:
    server.wait()
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The address of a real Prefect server, its database in `home`, for as long as the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home)],
        cwd=CONF.parent,
        env={k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | {"PREFECT_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), f"the server did not start; see {home / 'server.log'}"
        try:
            yield url
        finally:
            assert process.stdin is not None
            process.stdin.close()


def call(url: str, body: dict[str, Any] | None = None) -> Any:
    """The API's answer, None where there is none yet (404, or a database that is busy)."""
    request = urllib.request.Request(
        url, json.dumps(body).encode() if body is not None else None, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())
    except urllib.error.HTTPError as error:
        if error.code not in (404, 503):
            raise AssertionError(error.read()) from error
        return None
    except (ConnectionError, TimeoutError, urllib.error.URLError):
        return None


def until(found: Callable[[], Any], seconds: float, log: Path | None = None) -> Any:
    """What `found` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.5)
    raise AssertionError(f"nothing within {seconds} s; {log.read_text()[-3000:] if log and log.exists() else ''}")
