"""What processes forked for a test of the warm process do."""

import os
import socket
import time


def about(code: int) -> int:
    """Prints what it has of its own."""
    print(os.getpid(), os.getsid(0), os.getcwd(), " ".join(sorted(os.environ)), sep="|", end="")
    return code


def waits() -> int:
    """Does not end by itself."""
    time.sleep(600)
    return 0


def answers(fds: list[int]) -> int:
    """Says a word into the socket that it was given."""
    with socket.socket(fileno=fds[0]) as link:
        link.sendall(b"here")
    return 0
