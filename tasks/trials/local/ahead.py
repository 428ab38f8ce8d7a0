"""A fork server that starts before a round is composed: torch is imported while everything else is looked at.

That import is most of what a first trial waits for. Whether torch will be wanted is a guess: a server that no round can
use is ended, and one as the round wants it is started.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from tasks.trials.local.server_link import Link, environment

TORCH = ("torch", "tasks.trials.local.child")
SUPERVISED = "tasks.trials.supervised.training"

_spare: Link | None = None
_kept = False  # whether a server that nobody uses now may be kept for the next who wants one


@contextmanager
def kept_servers() -> Iterator[None]:
    """In the block a server that is let go waits for the next who wants one; what waits at its end is ended."""
    global _spare, _kept
    outer, _kept = _kept, True
    try:
        yield
    finally:
        _kept = outer
        if not outer:
            spare, _spare = _spare, None
            if spare is not None:
                spare.kill()


def start_ahead(*, supervised: bool) -> None:
    """Start a server with torch, for one thread a trial; also with the training loop of `tasks.trials.supervised`."""
    global _spare
    if _kept and _spare is None:
        with suppress(OSError):  # no process to be had: whoever wants one is told so
            _spare = Link(environment(1, ()), (*TORCH, *([SUPERVISED] if supervised else [])))


def link_for(environ: Mapping[str, str], preload: Sequence[str]) -> Link:
    """A server with that environment that has imported those modules, or will have before its next child.

    Without any modules every server will do. No other program gets one that has torch and that it did not ask for.
    """
    global _spare
    spare, _spare = _spare, None
    if spare is not None:
        wanted = {*preload, *(TORCH if "torch" in preload or SUPERVISED in preload else ())}
        if spare.environ == environ and not spare.dead and (not preload or set(spare.preload) <= wanted):
            spare.import_too(preload)
            return spare
        spare.kill()
    return Link(environ, tuple(preload))


def let_go(link: Link) -> None:
    """End a server that has no children, or keep it for the next who wants one."""
    global _spare
    if _kept and _spare is None and not link.dead:
        _spare = link
    else:
        link.end()
